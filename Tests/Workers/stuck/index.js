// One request waits for a promise that only it could settle, while another waits for a timer.
export default {
    async fetch(request, env, ctx) {
        if (new URL(request.url).pathname === "/busy") {
            ctx.waitUntil(scheduler.wait(20_000));
            return new Response("busy");
        }
        await new Promise(() => {});
    },
};
