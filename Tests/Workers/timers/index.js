// The order of timers, microtasks and intervals; clearing; arguments.
export default {
    async fetch() {
        const order = [];
        const note = (name) => order.push(name);
        await new Promise((resolve) => {
            setTimeout(note, 20, "20 ms");
            setTimeout(note, 5, "5 ms");
            setTimeout(note, 0, "first of two");
            setTimeout(note, 0, "second of two");
            queueMicrotask(() => note("microtask"));
            Promise.resolve().then(() => note("promise"));
            note("synchronous");
            clearTimeout(setTimeout(note, 1, "cleared"));
            clearTimeout(undefined);
            clearTimeout(12345678);
            let ticks = 0;
            const interval = setInterval(() => {
                note(`tick ${++ticks}`);
                if (ticks === 3) clearInterval(interval);
            }, 30);
            setTimeout(() => {
                note("late");
                queueMicrotask(() => note("microtask of late"));
            }, 150);
            setTimeout(resolve, 160);
        });
        const start = Date.now();
        await scheduler.wait(15);
        const type = typeof setTimeout(() => {}, 0);
        let strings;
        try {
            setTimeout("note('string')", 1);
        } catch (error) {
            strings = error.name;
        }
        return Response.json({ order, waited: Date.now() - start >= 15, type, strings });
    },
};
