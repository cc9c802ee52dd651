extension HostileGroup {
    /// The tenant's code in places that the runtime itself reaches: getters, conversions, thenables, error reports.
    static let conversions = HostileGroup(
        name: "conversions", flags: ["--cpu-ms", "50"],
        workers: [
            .handler("toString", [.exceededCpu], "new URL({ toString() { for (;;); } });"),
            .handler("toPrimitive", [.exceededCpu], "new URL({ [Symbol.toPrimitive]() { for (;;); } });"),
            .handler("valueOf", [.exceededCpu], "setTimeout(() => {}, { valueOf() { for (;;); } });"),
            .handler("dictionary", [.exceededCpu], "new Response('', { get status() { for (;;); } });"),
            .handler("record", [.exceededCpu], "new Headers({ get a() { for (;;); } });"),
            .handler("record-proxy", [.exceededCpu], "new Headers(new Proxy({}, { ownKeys() { for (;;); } }));"),
            .handler("sequence", [.exceededCpu], "new Headers({ *[Symbol.iterator]() { for (;;); } });"),
            .handler(
                "sequence-endless", [.exceededCpu, .exceededMemory],
                "new URLSearchParams({ *[Symbol.iterator]() { for (;;) yield ['a', 'b']; } });"),
            .handler(
                "request-init", [.exceededCpu],
                "new Request('http://a.example', { get signal() { for (;;); } });"),
            .handler("blob-parts", [.exceededCpu], "new Blob([{ toString() { for (;;); } }]);"),
            .handler("structured-clone", [.exceededCpu], "structuredClone({ get a() { for (;;); } });"),
            .handler("proxy", [.exceededCpu], "Object.keys(new Proxy({}, { ownKeys() { for (;;); } }));"),
            .handler(
                "proxy-prototype", [.exceededCpu],
                "new Proxy({}, { getPrototypeOf() { for (;;); } }) instanceof Response;"),
            .handler("format", [.ok], "console.log('%s', { toString() { for (;;); } });"),
            .handler("format-symbol", [.ok], "console.log({ get [Symbol.toStringTag]() { for (;;); } });"),
            .handler("table", [.ok], "console.table([{ get a() { for (;;); } }]);"),
            .handler("thenable", [.exceededCpu], "return { then() { for (;;); } };"),
            .handler("thenable-getter", [.exceededCpu], "return { get then() { for (;;); } };"),
            .handler("waitUntil-thenable", [.exceededCpu], "ctx.waitUntil({ then() { for (;;); } });"),
            .handler("thrown-stack", [.exception], "throw { get stack() { for (;;); } };"),
            .handler(
                "thrown-message", [.exception, .exceededCpu],
                "throw Object.defineProperty(new Error(), 'message', { get() { for (;;); } });"),
            .handler(
                "thrown-name", [.exception, .exceededCpu],
                """
                const e = new Error('x'); delete e.stack; Object.defineProperty(e, 'name', { get() { for (;;); } });
                throw e;
                """),
            .handler("thrown-text", [.exception], "throw { toString() { for (;;); } };"),
            .handler("thrown-proxy", [.exception], "throw new Proxy({}, { get() { for (;;); } });"),
            .handler(
                "thrown-proxy-error", [.exception, .exceededCpu],
                "throw new Proxy(new Error('x'), { get() { for (;;); }, getPrototypeOf() { for (;;); } });"),
            .handler(
                "thrown-cause", [.exception, .exceededCpu],
                """
                throw new Error('x', { cause: Object.defineProperty(new Error(), 'stack', { get() { for (;;); } }) });
                """),
            .handler(
                "prepareStackTrace", [.exceededCpu],
                "Error.prepareStackTrace = () => { for (;;); }; throw new Error('x');"),
            .handler(
                "prepareStackTrace-late", [.exceededCpu],
                """
                Error.prepareStackTrace = () => { for (;;); }; setTimeout(() => { throw new Error('x'); }, 1);
                await scheduler.wait(9);
                """),
            .handler(
                "stackTraceLimit", [.exception, .exceededCpu, .exceededMemory],
                """
                Error.stackTraceLimit = Infinity;
                const f = (n) => { if (n === 0) throw new Error('deep'); f(n - 1); };
                f(5000);
                """),
            .handler(
                "rejected-stack", [.ok],
                """
                Promise.reject(Object.defineProperty(new Error(), 'stack', { get() { for (;;); } }));
                await scheduler.wait(1);
                """),
            .handler(
                "rejected-waitUntil", [.ok],
                "ctx.waitUntil(Promise.reject(Object.defineProperty(new Error(), 'stack', { get() { for (;;); } })));"),
            .handler(
                "stream-error", [.cut],
                """
                return new Response(new ReadableStream({ async start(controller) {
                  controller.enqueue(new Uint8Array(1));
                  await scheduler.wait(5);
                  controller.error(Object.defineProperty(new Error(), 'stack', { get() { for (;;); } }));
                } }));
                """),
            .handler(
                "chunk", [.cut],
                """
                return new Response(new ReadableStream({ start(c) { c.enqueue({ get length() { for (;;); } }); } }));
                """),
            .handler(
                "size", [.exceededCpu],
                "new ReadableStream({ start(c) { c.enqueue(1); } }, { highWaterMark: 2, size() { for (;;); } });"),
            .handler("strategy", [.exceededCpu], "new ReadableStream({}, { get highWaterMark() { for (;;); } });"),
            .handler("source", [.exceededCpu], "new ReadableStream({ get pull() { for (;;); } });"),
            .handler(
                "abort-reason", [.exceededCpu],
                "const c = new AbortController(); c.signal.onabort = () => { for (;;); }; c.abort();"),
            .handler(
                "species", [.exceededCpu],
                """
                const answer = Promise.resolve(new Response('survived'));
                Object.defineProperty(answer, 'constructor', { get() { for (;;); } });
                return answer;
                """),
            .handler(
                "subclass", [.ok],
                """
                class Evil extends Response {
                  get status() { for (;;); } get headers() { for (;;); } get body() { for (;;); } get ok() { for (;;); }
                }
                return new Evil('survived');
                """),
            .handler(
                "instance-getters", [.ok], text: "survived",
                """
                const answer = new Response('survived');
                for (const name of Reflect.ownKeys(Response.prototype)) {
                  Object.defineProperty(answer, name, { get() { for (;;); } });
                }
                return answer;
                """),
            .handler("json", [.exceededCpu], "return Response.json({ toJSON() { for (;;); } });"),
            .handler(
                "promise-subclass", [.exceededCpu],
                """
                class Late extends Promise { then() { for (;;); } }
                return new Late(() => {});
                """),
            .handler(
                "event-handler", [.exceededCpu],
                """
                const t = new EventTarget(); t.addEventListener('x', { get handleEvent() { for (;;); } });
                t.dispatchEvent(new Event('x'));
                """),
            .handler("file-name", [.exceededCpu], "new File([], { toString() { for (;;); } });"),
            .handler("form-value", [.exceededCpu], "new FormData().append('a', { toString() { for (;;); } });"),
            .handler("base64-options", [.exceededCpu], "new Uint8Array(1).toBase64({ get alphabet() { for (;;); } });"),
            .handler("stack-overflow", [.exception], "const f = () => f(); f();"),
            .handler(
                "stack-overflow-caught", [.exceededCpu],
                "const f = () => { try { f(); } finally { f(); } }; f();"),
            .handler(
                "stack-overflow-runtime", [.exception],
                "const o = { toString() { return new URL(o).href; } }; new URL(o);"),
            .handler(
                "stack-overflow-clone", [.exception],
                "let o = {}; for (let i = 0; i < 2e4; i++) o = { o }; structuredClone(o);"),
            .handler(
                "stack-overflow-json", [.exception],
                "let o = {}; for (let i = 0; i < 2e4; i++) o = { o }; return Response.json(o);"),
            .handler(
                "stack-overflow-log", [.ok],
                "let o = {}; for (let i = 0; i < 2e4; i++) o = { o }; console.log(o); console.log('%o', o);"),
            .handler(
                "stack-overflow-regexp", [.ok, .exceededCpu],
                "return new Response(String(RegExp('(?:'.repeat(5e4) + ')'.repeat(5e4)).test('a')));"),
            .handler(
                "stack-overflow-events", [.exception],
                """
                const t = new EventTarget(); t.onx = 0;
                t.addEventListener('x', () => t.dispatchEvent(new Event('x'))); t.dispatchEvent(new Event('x'));
                throw 1;
                """),
            .handler(
                "stack-overflow-cause", [.exception],
                "let e = new Error('0'); for (let i = 0; i < 1e4; i++) e = new Error('x', { cause: e }); throw e;"),
            .handler(
                "stack-overflow-wasm", [.exception], modules: ["recursive.wasm": WasmModule.recursive],
                "new WebAssembly.Instance(recursive).exports.run(1, 1);"),
        ], isShort: true)
}
