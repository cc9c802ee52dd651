// The main module of each test's worker: evaluates testharness.js and the test, and answers with what came of it.
// Before this text the runner puts: TEST, the test's URL; TIMEOUT in ms; RESOURCES, a map from URLs to functions that
// import a file's bytes. Behind it: evaluateTest(), and what makes answer() the handler of requests.

// The test may replace any of these.
const { Blob, Request, Response, URL, fetch: fetchFromNetwork, setTimeout } = globalThis;
const { stringify } = JSON;

/** Defines what WPT's own wrapper of worker tests defines, and a location. */
function prepareGlobals() {
    const isTrue = () => true;
    const isFalse = () => false;
    const { href, origin, protocol, host, hostname, port, pathname, search, hash } = new URL(TEST);
    const values = {
        fetch: fetchOrResource,
        location: {
            href, origin, protocol, host, hostname, port, pathname, search, hash,
            toString: () => href,
        },
        GLOBAL: { isWindow: isFalse, isWorker: isTrue, isShadowRealm: isFalse },
    };
    for (const [name, value] of Object.entries(values)) {
        Object.defineProperty(globalThis, name, { value, writable: true, configurable: true });
    }
}

/** fetch(), with the files that WPT's server would serve in place of that server. */
async function fetchOrResource(input, init) {
    const url = typeof input === "string" && URL.canParse(input, TEST) ? new URL(input, TEST) : null;
    if (url?.host !== new URL(TEST).host) return fetchFromNetwork(input, init);
    const load = RESOURCES.get(url.href);
    if (load === undefined) {
        new Request(input, init);
        return new Response("Not found", { status: 404 });
    }
    return fetchFromNetwork(URL.createObjectURL(new Blob([(await load()).default])), init);
}

/** Evaluates testharness.js as in a plain shell: a service worker's reports to a page, and there is none. */
async function loadTestHarness() {
    const hidden = ["ServiceWorkerGlobalScope", "WorkerGlobalScope"];
    const scopes = hidden.map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)]);
    for (const name of hidden) delete globalThis[name];
    await import("./testharness.js");
    for (const [name, descriptor] of scopes) Object.defineProperty(globalThis, name, descriptor);
}

function report(tests, status) {
    const results = [];
    for (let i = 0; i < tests.length; i++) {
        results[i] = { name: tests[i].name, status: tests[i].status, message: tests[i].message };
    }
    return stringify({ status: status.status, message: status.message, results });
}

async function answer() {
    prepareGlobals();
    await loadTestHarness();
    const { add_completion_callback, done, setup, timeout } = globalThis;
    setup({ explicit_done: true });
    return new Promise((resolve) => {
        add_completion_callback((tests, status) => resolve(new Response(report(tests, status))));
        setTimeout(timeout, TIMEOUT);
        evaluateTest().then(done, (error) => {
            const message = `${error?.stack ?? error}`;
            resolve(new Response(stringify({ status: 1, message, results: [] })));
        });
    });
}
