// Limits of scheduled events: CPU time and time are other than those of requests.
export default {
    async scheduled({ cron }) {
        if (cron === "work") console.log(typeof sum(1e7));
        if (cron === "spin") for (;;) ;
        if (cron === "sleep") await scheduler.wait(60_000);
    },
};

function sum(count) {
    let sum = 1;
    for (let i = 0; i < count; i++) sum = (sum * 31 + i) | 0;
    return sum;
}
