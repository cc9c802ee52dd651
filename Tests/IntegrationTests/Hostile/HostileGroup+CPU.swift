extension HostileGroup {
    /// Loops of every kind: in JavaScript, in regular expressions, in built-ins, in Wasm.
    static let loops = HostileGroup(
        name: "loops", flags: ["--cpu-ms", "50"],
        workers: [
            .handler("for", [.exceededCpu], "for (;;);"),
            .handler("catch-finally", [.exceededCpu], "for (;;) try { for (;;); } catch {} finally { for (;;); }"),
            .handler("after-await", [.exceededCpu], "await null; for (;;);"),
            .handler("after-timer", [.exceededCpu], "await scheduler.wait(1); for (;;);"),
            .handler("generator", [.exceededCpu], "for (const x of (function* () { for (;;) yield 1; })()) x;"),
            .handler(
                "async-iterator", [.exceededCpu],
                "for await (const x of (async function* () { for (;;) yield; })());"),
            .handler("regexp", [.exceededCpu], "/(a+)+$/.test('a'.repeat(60) + 'b');"),
            .handler("regexp-backreference", [.exceededCpu], #"/(x+x+)+\1y/u.exec('x'.repeat(100));"#),
            .handler("regexp-replace", [.exceededCpu], "('a'.repeat(60) + 'b').replace(/(a|a)*$/g, '');"),
            .handler("regexp-split", [.exceededCpu], "('a'.repeat(60) + 'b').split(/(?:a+)+$/);"),
            .handler("regexp-lookbehind", [.exceededCpu], "/(?<=^(a+)+)b/.test('x' + 'a'.repeat(40) + 'b');"),
            .handler("forEach", [.exceededCpu], "[].forEach.call({ length: 2 ** 53 - 1 }, () => {});"),
            .handler("reverse", [.exceededCpu], "Array.prototype.reverse.call({ length: 2 ** 53 - 1 });"),
            .handler("lastIndexOf", [.exceededCpu], "Array.prototype.lastIndexOf.call({ length: 2 ** 53 - 1 }, 1);"),
            .handler("reduceRight", [.exceededCpu], "[].reduceRight.call({ length: 2 ** 53 - 1, 0: 0 }, () => 0);"),
            .handler("copyWithin", [.exceededCpu], "[].copyWithin.call({ length: 2 ** 53 - 1 }, 1, 2);"),
            .handler("unshift", [.exceededCpu], "[].unshift.call({ length: 2 ** 53 - 2 }, 1);"),
            .handler("splice", [.exceededCpu], "[].splice.call({ length: 2 ** 53 - 1 }, 0, 1);"),
            .handler("sort-comparator", [.exceededCpu], "[3, 1, 2].sort(() => { for (;;); });"),
            .handler("toSorted-comparator", [.exceededCpu], "[3, 1, 2].toSorted(() => { for (;;); });"),
            .handler("with-of-array-like", [.exceededCpu], "[].with.call({ length: 2 ** 32 - 1 }, 0, 1);"),
            .handler(
                "iterator-helper", [.exceededCpu],
                "(function* () { for (;;) yield 1; })().filter(() => false).next();"),
            .handler(
                "fromAsync", [.exceededCpu, .exceededMemory],
                "await Array.fromAsync((function* () { for (;;) yield 1; })());"),
            .handler(
                "set-like", [.exceededCpu, .exceededMemory],
                """
                new Set([1]).union({ size: 1, has() {}, keys: () => ({ next: () => ({ done: false, value: {} }) }) });
                """),
            .handler(
                "groupBy", [.exceededCpu, .exceededMemory],
                "Object.groupBy((function* () { for (;;) yield 1; })(), () => 'x');"),
            .handler("stringify", [.exceededCpu], "const a = Array(1e5).fill({ a: 'b' }); for (;;) JSON.stringify(a);"),
            .handler("bigint", [.exceededCpu, .exceededMemory], "(2n ** 40000n) ** 400n;"),
            .handler("random", [.exceededCpu], "const b = new Uint8Array(65536); for (;;) crypto.getRandomValues(b);"),
            .handler("idna", [.exceededCpu], "for (let i = 0; ; i++) URL.canParse('http://ä' + i + '.example');"),
            .handler(
                "encode", [.exceededCpu, .exceededMemory],
                "const s = 'ä'.repeat(1e6); for (;;) new TextEncoder().encode(s);"),
            .handler(
                "clone", [.exceededCpu],
                "const a = Array.from({ length: 1e4 }, (_, i) => ({ i })); for (;;) structuredClone(a);"),
            .handler(
                "wasm", [.exceededCpu], modules: ["endless.wasm": WasmModule.endless],
                "new WebAssembly.Instance(endless).exports.run(0, 0);"),
        ], isShort: true)

    /// What V8 does in C++ looks at nothing until it is done, and cannot be jumped out of: a lane is lost, unless it
    /// is over before that.
    static let lanes = HostileGroup(
        name: "lanes", flags: ["--cpu-ms", "50", "--memory-mb", "512"],
        workers: [
            .builtin("lastIndexOf", "'a'.repeat(1e5).lastIndexOf('a'.repeat(5e4) + 'b');"),
            .builtin("parse", "JSON.parse('[' + '{},'.repeat(3e6) + '1]');"),
            .builtin("parse-text", #"JSON.parse('"' + "x".repeat(5e7) + '"');"#),
            .builtin("sort", "Array.from({ length: 3e5 }, (_, i) => String(i * 7919 % 1000003)).sort();"),
            .builtin("split", "'x'.repeat(3e7).split('');"),
            .builtin("replaceAll", "'ab'.repeat(5e6).replaceAll('a', 'cc');"),
            .builtin("includes", "Array(3e7).fill(0).includes(1);"),
            .builtin("join", "Array(3e6).fill('abc').join('xyz');"),
            .builtin("freeze", "Object.freeze(Array(1e7).fill({}));"),
            .builtin("keys", "Object.fromEntries(Array.from({ length: 3e5 }, (_, i) => ['k' + i, i]));"),
            .builtin("normalize", #""\u1e9b\u0323".repeat(1e6).normalize("NFKD");"#),
            .builtin("compare", "const a = 'a'.repeat(2e7); a.localeCompare(a + 'b');"),
            .builtin("intl", "for (;;) new Intl.DateTimeFormat('de', { dateStyle: 'full' }).format(0);"),
            .builtin("sort-again", "for (;;) Array.from({ length: 2e4 }, (_, i) => String(i * 7919 % 20011)).sort();"),
            .builtin("parse-again", "for (;;) JSON.parse('[' + '1,'.repeat(2e4) + '1]');"),
            .builtin("split-again", "for (;;) 'x'.repeat(1e5).split('');"),
            .builtin("bigint-text", "for (;;) (3n ** 400000n).toString();"),
            .builtin("normalize-again", #"for (;;) "\ufdfa".repeat(1e5).normalize("NFKD");"#),
            .builtin("compare-again", #"const s = "\u00e4".repeat(1e4); for (;;) s.localeCompare(s + "b");"#),
            .builtin("segmenter", "for (const s of new Intl.Segmenter('th').segment('ก'.repeat(1e6))) s;"),
            .builtin("large-response", "return new Response('x'.repeat(2 ** 29 - 24));"),
        ])

    /// Many small turns, none of which is long.
    static let floods = HostileGroup(
        name: "floods", flags: ["--cpu-ms", "50"],
        workers: [
            .handler("await", [.exceededCpu], "for (;;) await 0;"),
            .handler(
                "microtasks", [.exceededCpu],
                "await new Promise(() => (function f() { Promise.resolve().then(f); })());"),
            .handler(
                "queueMicrotask", [.exceededCpu],
                "await new Promise(() => (function f() { queueMicrotask(f); })());"),
            .handler("async-recursion", [.exception], "const f = async () => { await f(); }; await f();"),
            .handler(
                "timers", [.exceededCpu],
                "setInterval(() => { for (let i = 0; i < 2e5; i++); }, 1); await new Promise(() => {});"),
            .handler(
                "timers-that-loop", [.exceededCpu],
                "for (let i = 0; i < 100; i++) setTimeout(() => { for (;;); }, 1); await scheduler.wait(1e4);"),
            .handler(
                "timer-chain", [.exceededCpu],
                "(function f() { setTimeout(f, 0); })(); await new Promise(() => {});"),
            .handler(
                "timer-tree", [.exceededCpu, .exceededMemory, .exception],
                "const f = () => { setTimeout(f, 0); setTimeout(f, 0); }; f(); await new Promise(() => {});"),
            .handler(
                "message-ports", [.exceededCpu],
                """
                const { port1, port2 } = new MessageChannel();
                port1.onmessage = () => port2.postMessage(0);
                port2.onmessage = () => port1.postMessage(0);
                port1.postMessage(0);
                await new Promise(() => {});
                """),
            .handler(
                "rejections", [.exceededCpu, .exceededMemory],
                "for (;;) Promise.reject(new Error('x')).catch(() => {});"),
            .handler(
                "unhandled-rejections", [.exceededCpu, .exceededMemory],
                "for (;;) { Promise.reject(1); await 0; }"),
            .handler(
                "rejection-listener", [.exceededCpu],
                """
                addEventListener('unhandledrejection', () => Promise.reject(1)); Promise.reject(1);
                await scheduler.wait(1e5);
                """),
            .handler(
                "error-listener", [.exceededCpu],
                "addEventListener('error', () => { throw 1; }); reportError(1); for (;;) reportError(1);"),
            .handler("log", [.exceededCpu], "for (;;) console.log('x'.repeat(10_000));"),
            .handler(
                "log-objects", [.exceededCpu, .exceededMemory],
                """
                const o = { a: Array(100).fill({ b: Array(100).fill({ c: 'd'.repeat(100) }) }) };
                for (;;) console.log(o);
                """),
            .handler(
                "signals", [.exceededCpu, .exceededMemory, .exception],
                "for (;;) AbortSignal.any([AbortSignal.timeout(1e6), request.signal]);"),
            .handler(
                "events", [.exceededCpu],
                """
                const t = new EventTarget();
                for (let i = 0; ; i++) { t.addEventListener('x', () => i); t.dispatchEvent(new Event('x')); }
                """),
            .handler(
                "pulls", [.exceededCpu],
                "const s = new ReadableStream({ pull(c) { c.enqueue(1); } }); for await (const x of s) x;"),
            .handler(
                "pipes", [.exceededCpu],
                """
                const s = new ReadableStream({ pull(c) { c.enqueue(1); } });
                await s.pipeThrough(new TransformStream()).pipeTo(new WritableStream());
                """),
            .handler(
                "waitUntil", [.condemnedLater],
                """
                ctx.waitUntil((async () => { await scheduler.wait(1); for (;;); })());
                return new Response('answered');
                """),
            .handler(
                "waitUntil-flood", [.condemnedLater],
                """
                ctx.waitUntil((async () => { for (;;) await scheduler.wait(0); })()); return new Response('answered');
                """),
            .handler(
                "after-the-answer", [.condemnedLater],
                """
                const flood = () => { queueMicrotask(flood); };
                ctx.waitUntil(new Promise((resolve) => setTimeout(flood, 1)));
                return new Response('answered');
                """),
            .handler(
                "stream", [.cutAndCondemned],
                """
                const piece = new Uint8Array(10);
                return new Response(new ReadableStream({
                  start(controller) { controller.enqueue(piece); },
                  async pull() { await scheduler.wait(5); for (;;); },
                }));
                """),
            .handler(
                "stream-flood", [.cutAndCondemned],
                """
                const piece = new Uint8Array(1);
                return new Response(new ReadableStream({ pull(controller) { controller.enqueue(piece); } }));
                """),
        ])

    /// With time enough to collect what is to be finalized.
    static let finalizers = HostileGroup(
        name: "finalizers", flags: ["--cpu-ms", "1000"],
        workers: [
            .handler(
                "finalizers", [.exceededCpu], log: "in the finalizer",
                """
                const registry = new FinalizationRegistry(() => { console.log("in the finalizer"); for (;;); });
                (() => { for (let i = 0; i < 100; i++) registry.register({}, 0); })();
                for (let i = 0; i < 20; i++) {
                  new ArrayBuffer(16 << 20);
                  await scheduler.wait(1);
                }
                """)
        ])
}
