// Header fields: repeated ones, cookies, text beyond ASCII, and those that are not the worker's to set.
export default {
    async fetch(request) {
        switch (new URL(request.url).pathname) {
            case "/cookies": {
                const headers = new Headers({ "x-list": "a" });
                headers.append("Set-Cookie", "a=1; Path=/");
                headers.append("set-cookie", "b=2, still b");
                headers.append("X-List", "b");
                const all = [...headers].map((pair) => pair.join("="));
                return Response.json({ all, cookies: headers.getSetCookie() }, { headers });
            }
            case "/unicode":
                return new Response("unicode", { headers: { "x-text": "grün ✓", "x-plain": "plain" } });
            case "/framing":
                return new Response("12345", {
                    headers: {
                        "content-length": "99", "transfer-encoding": "chunked", connection: "close",
                        "keep-alive": "timeout=1", "martlet-outcome": "exceededCpu", "x-own": "kept", date: "today",
                    },
                });
            default:
                return Response.json(
                    [...request.headers].filter(([name]) => /^(x-(one|two|empty)|cookie)$/.test(name)));
        }
    },
};
