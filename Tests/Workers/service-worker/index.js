// Service-worker syntax: no module, variables are globals, the handler is a listener.
let count = 0;

addEventListener("fetch", (event) => {
    const number = ++count;
    const { pathname } = new URL(event.request.url);
    if (pathname === "/silent") return;
    event.waitUntil(scheduler.wait(1).then(() => console.log(`after ${number}`)));
    event.respondWith(answer(event, pathname, number));
});

async function answer(event, pathname, number) {
    if (pathname === "/reject") throw new RangeError("refused");
    if (pathname === "/twice") {
        await null;
        event.respondWith(new Response("too late"));
    }
    return new Response(`${GREETING} ${number} ${event.type} ${event instanceof FetchEvent} ${self === globalThis}`);
}
