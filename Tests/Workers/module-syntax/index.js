// The contract of a Worker in module syntax: what fetch() is given, and as whose method it is called.
const worker = {
    greeting: "hello",

    async fetch(request, env, ctx) {
        return Response.json({
            receiver: this.greeting,
            arguments: arguments.length,
            request: [request instanceof Request, request.method, new URL(request.url).pathname],
            header: request.headers.get("X-Test"),
            body: request.method === "POST" ? await request.text() : request.body,
            env: Object.keys(env),
            ctx: [typeof ctx.waitUntil, typeof ctx.passThroughOnException],
            redirect: request.redirect,
        });
    },

    notAHandler() {},
};

export default worker;
export const named = 1;
