// What a worker sees that asks for the newest day there is: Node.js's modules come with it.
const attempt = (body) => {
    try {
        return body();
    } catch (error) {
        return error.message;
    }
};

export default {
    async fetch() {
        const { env } = await import("cloudflare:workers");
        return Response.json({
            navigator: typeof navigator,
            getSetCookie: typeof new Headers().getSetCookie,
            MessageChannel: typeof MessageChannel,
            method: new Request("http://a.example/", { method: "patch" }).method,
            known: new Request("http://a.example/", { method: "delete" }).method,
            cache: attempt(() => new Request("http://a.example/", { cache: "no-store" }).cache),
            env: Object.keys(env),
            Buffer: typeof Buffer,
        });
    },
};
