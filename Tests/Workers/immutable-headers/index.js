// The headers of an incoming request cannot be changed; those of a copy can.
const attempt = (body) => {
    try {
        body();
        return "changed";
    } catch (error) {
        return `${error.name}: ${error.message}`;
    }
};

export default {
    fetch(request) {
        const copy = new Request(request);
        copy.headers.set("x-a", "2");
        return Response.json([
            attempt(() => request.headers.set("x-a", "2")),
            attempt(() => request.headers.append("x-a", "2")),
            attempt(() => request.headers.delete("x-a")),
            attempt(() => Response.redirect("http://a.example").headers.set("x-a", "2")),
            attempt(() => request.clone().headers.set("x-a", "2")),
            request.headers.get("x-a"),
            copy.headers.get("x-a"),
            attempt(() => { "use strict"; request.method = "PUT"; }),
        ]);
    },
};
