// Scheduled events in service-worker syntax.
let seen = [];
addEventListener("scheduled", (event) => {
    seen.push(event.cron, event.scheduledTime, event.type, event instanceof ScheduledEvent);
    event.waitUntil(scheduler.wait(1).then(() => { seen.push("waited"); }));
});
addEventListener("fetch", (event) => event.respondWith(Response.json(seen)));
