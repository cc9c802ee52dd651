// Whatever tells a time tells that of the last event, however the time in between is spent.
function burn() {
    let sum = 0;
    for (let i = 0; i < 5e6; i++) sum += i % 7;
    return sum;
}

const formats = {
    intl: new Intl.DateTimeFormat("en", { fractionalSecondDigits: 3, second: "numeric", minute: "numeric" }),
};

/** Each tells a time, as a number or a text. */
const clocks = {
    dateNow: () => Date.now(),
    newDate: () => new Date().getTime(),
    dateCall: () => Date(),
    reflected: () => Reflect.construct(Date, []).valueOf(),
    reflectedTarget: () => Reflect.construct(Date, [], class extends Date {}).valueOf(),
    subclass: () => new (class extends Date {})().valueOf(),
    coerced: () => +new Date(),
    iso: () => new Date().toISOString(),
    json: () => JSON.stringify(new Date()),
    locale: () => new Date().toLocaleTimeString("en", { fractionalSecondDigits: 3 }),
    intl: () => formats.intl.format(),
    intlParts: () => JSON.stringify(formats.intl.formatToParts()),
    performanceNow: () => performance.now(),
    mark: () => performance.mark("a").startTime,
    measure: () => performance.measure("m", { start: 0 }).duration,
    event: () => new Event("a").timeStamp,
    customEvent: () => new CustomEvent("a").timeStamp,
    dispatched: () => {
        const target = new EventTarget();
        let time;
        target.addEventListener("a", (event) => { burn(); time = event.timeStamp; });
        target.dispatchEvent(new Event("a"));
        return time;
    },
    aborted: () => {
        const controller = new AbortController();
        let time;
        controller.signal.addEventListener("abort", (event) => time = event.timeStamp);
        controller.abort();
        return time;
    },
    file: () => new File([], "a").lastModified,
    formFile: () => {
        const form = new FormData();
        form.append("a", new Blob(["x"]), "a");
        return form.get("a").lastModified;
    },
};

function read() {
    const times = {};
    for (const name in clocks) times[name] = clocks[name]();
    return times;
}

const differences = (a, b) => Object.keys(a).filter((name) => a[name] !== b[name]);

/** Work that is asynchronous, but waits for nothing from outside. */
const tricks = {
    synchronous: () => {},
    microtasks: async () => { for (let i = 0; i < 100; i++) await null; },
    queueMicrotask: () => new Promise((done) => queueMicrotask(() => { burn(); done(); })),
    stream: async () => {
        let left = 20;
        const source = new ReadableStream({ pull(c) { burn(); if (left-- > 0) c.enqueue("x"); else c.close(); } });
        for await (const _ of source.pipeThrough(new TransformStream()));
    },
    tee: async () => {
        const [a, b] = new Response("x".repeat(1e5)).body.tee();
        await Promise.all([new Response(a).text(), new Response(b).text()]);
    },
    body: async () => { await new Response(new Blob(["x".repeat(1e5)])).arrayBuffer(); },
    compression: async () => {
        const bytes = new Blob(["x".repeat(1e6)]).stream().pipeThrough(new CompressionStream("gzip"));
        await new Response(bytes.pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
    },
    clone: () => { structuredClone(new Array(1e4).fill({})); },
    random: () => { crypto.getRandomValues(new Uint8Array(65536)); },
    thenable: async () => { await { then(done) { burn(); done(); } }; },
    generator: async () => { for await (const _ of (async function* () { yield burn(); yield burn(); })()); },
};

/** Timers that are due long before the code ends that set them: none fires, and none counts what it missed. */
async function timersDuringWork() {
    let ticks = 0;
    const times = [];
    const interval = setInterval(() => { ticks++; times.push(Date.now()); }, 1);
    const start = Date.now();
    for (let i = 0; i < 20; i++) burn();
    const during = ticks;
    await null;
    const after = ticks;
    await new Promise((done) => setTimeout(done, 0));
    clearInterval(interval);
    // At most the one that was due, and one beside the timeout's turn.
    return { during, after, missed: ticks > 3, back: times.some((time) => time < start) };
}

export default {
    async fetch() {
        const moved = {};
        for (const name in tricks) {
            const before = read();
            burn();
            await tricks[name]();
            burn();
            const changed = differences(before, read());
            if (changed.length > 0) moved[name] = changed;
        }
        const before = read();
        await scheduler.wait(1100);
        const still = Object.keys(clocks).filter((name) => !differences(before, read()).includes(name));
        const waits = [];
        for (let i = 0; i < 20; i++) {
            const start = Date.now();
            await scheduler.wait(1);
            waits.push(Date.now() - start >= 1);
        }
        return Response.json({ moved, still, timers: await timersDuringWork(), coarse: waits.every(Boolean) });
    },
};
