// Scheduled events: what the handler is told, what ends it well, and what does not.
const seen = [];

export default {
    async scheduled(controller, env, ctx) {
        seen.push([controller.cron, controller.scheduledTime, controller.type, env.NAME, typeof ctx.waitUntil]);
        switch (controller.cron) {
            case "throw":
                controller.noRetry();
                throw new Error("as planned");
            case "waitUntil":
                ctx.waitUntil(scheduler.wait(1).then(() => { seen.push("waited"); }));
                return;
            case "waitUntil fails":
                ctx.waitUntil(scheduler.wait(1).then(() => { throw new Error("too late"); }));
                return;
            case "hang":
                await new Promise(() => {});
        }
    },

    fetch: () => Response.json(seen),
};
