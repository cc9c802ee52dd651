// Work that would go on for ever after the answer.
export default {
    async fetch(request, env, ctx) {
        ctx.waitUntil((async () => {
            for (let i = 0; ; i++) await scheduler.wait(20);
        })());
        return new Response("answered");
    },
};
