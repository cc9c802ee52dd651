// Time stands still while code runs, and moves with events.
function burn() {
    let sum = 0;
    for (let i = 0; i < 5e6; i++) sum += i % 7;
    return sum;
}

export default {
    async fetch() {
        const start = Date.now(), startPerformance = performance.now();
        burn();
        const burnt = [Date.now() - start, performance.now() - startPerformance, new Date().getTime() - start];
        await null;
        const microtask = Date.now() - start;
        await scheduler.wait(30);
        const waited = Date.now() - start;
        const atTimer = [];
        await new Promise((resolve) => setTimeout(() => {
            const begin = performance.now();
            burn();
            atTimer.push(performance.now() - begin);
            resolve();
        }, 10));
        return Response.json({
            burnt,
            microtask,
            waited: waited >= 30 && waited < 10_000,
            atTimer,
            isNow: Math.abs(start - Date.parse(new Date(start).toISOString())) < 1,
            year: new Date().getUTCFullYear() > 2000,
            timeOrigin: performance.timeOrigin,
            string: Date() === new Date().toString(),
            intl: new Intl.DateTimeFormat("en", { timeZone: "UTC" }).format() ===
                new Intl.DateTimeFormat("en", { timeZone: "UTC" }).format(Date.now()),
        });
    },
};
