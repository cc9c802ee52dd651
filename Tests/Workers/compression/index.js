// Nothing is compressed unasked, and what a worker has compressed itself passes untouched.
export default {
    fetch(request) {
        const text = "abc".repeat(1000);
        if (new URL(request.url).pathname === "/manual") {
            return new Response("as it is", { headers: { "content-encoding": "gzip" }, encodeBody: "manual" });
        }
        return new Response(text, { headers: { "x-accepts": request.headers.get("accept-encoding") } });
    },
};
