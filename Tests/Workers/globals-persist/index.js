// One isolate serves many requests, and its globals stay.
let count = 0;
globalThis.list = [];

export default {
    async fetch(request) {
        globalThis.list.push(new URL(request.url).pathname);
        await scheduler.wait(1);
        return new Response(`${++count} ${globalThis.list.join()}`);
    },
};
