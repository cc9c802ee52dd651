// HEAD: the head of what GET would answer.
export default {
    fetch(request) {
        switch (new URL(request.url).pathname) {
            case "/text": return new Response("12345", { headers: { "x-method": request.method } });
            case "/declared": return new Response(null, { headers: { "content-length": "7" } });
            case "/stream": return new Response(new Blob(["123", "456"]).stream());
            default: return new Response(null);
        }
    },
};
