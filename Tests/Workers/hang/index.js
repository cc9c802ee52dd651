// Requests that nothing can ever answer.
const cases = {
    "/never": () => new Promise(() => {}),
    "/forgotten": async () => { await { then() {} }; },
    "/stream": () => new ReadableStream({ pull: () => new Promise(() => {}) }).getReader().read(),
    "/body": () => new Response(new ReadableStream({ pull: () => new Promise(() => {}) })),
};

export default {
    fetch(request) {
        return cases[new URL(request.url).pathname]?.() ?? new Response("answered");
    },
};
