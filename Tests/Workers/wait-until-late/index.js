// waitUntil called after the answer, in the same turn: from a microtask of a handler that returned its answer at once.
export default {
    fetch(request, env, ctx) {
        const later = async () => {
            await scheduler.wait(20);
            console.log("done after the answer");
        };
        Promise.resolve().then(() => ctx.waitUntil(later()));
        return new Response("answered");
    },
};
