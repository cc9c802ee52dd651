// What becomes of errors nobody catches.
const cases = {
    "/throw": () => { throw new TypeError("thrown"); },
    "/reject": async () => { await null; throw new Error("rejected"); },
    "/value": () => { throw { not: "an error" }; },
    "/nothing": () => undefined,
    "/text": async () => "no Response",
    "/error": () => Response.error(),
    "/used": async () => {
        const response = new Response("read already");
        await response.text();
        return response;
    },
    "/again": () => (globalThis.kept ??= new Response("once")),
    "/stream": () => new Response(new ReadableStream({
        async start(controller) {
            controller.enqueue(new TextEncoder().encode("some"));
            await scheduler.wait(1);
            controller.error(new Error("the source failed"));
        },
    })),
};

export default {
    fetch(request) {
        return cases[new URL(request.url).pathname]();
    },
};
