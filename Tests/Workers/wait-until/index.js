// Work after the answer.
export default {
    async fetch(request, env, ctx) {
        ctx.waitUntil(Promise.reject(new Error("one of three")));
        ctx.waitUntil((async () => {
            await scheduler.wait(30);
            console.log("done after the answer");
        })());
        ctx.waitUntil("not a promise");
        setTimeout(() => console.log("a timer that waitUntil keeps alive"), 10);
        return new Response("answered");
    },
};
