extension HostileGroup {
    /// Memory of every kind, taken until there is none.
    static let memory = HostileGroup(
        name: "memory", flags: ["--cpu-ms", "30000", "--memory-mb", "32"],
        workers: [
            .handler("arrays", [.exceededMemory], "const a = []; for (;;) a.push(new Array(1000).fill(1.1));"),
            .handler("objects", [.exceededMemory], "let o = {}; for (;;) o = { o, a: 1, b: 'x' };"),
            .handler("closures", [.exceededMemory], "let f = () => 0; for (;;) { const g = f; f = () => g; }"),
            .handler("map", [.exceededMemory], "const m = new Map(); for (let i = 0; ; i++) m.set(i, { i });"),
            .handler("set", [.exceededMemory], "const s = new Set(); for (let i = 0; ; i++) s.add(i);"),
            .handler(
                "weak-map", [.exceededMemory],
                "const w = new WeakMap(), a = []; for (;;) { const o = {}; a.push(o); w.set(o, o); }"),
            .handler("symbols", [.exceededMemory], "const a = []; for (;;) a.push(Symbol());"),
            .handler("properties", [.exceededMemory], "const o = {}; for (let i = 0; ; i++) o['p' + i] = i;"),
            .handler(
                "strings", [.exceededMemory],
                "const a = []; for (let i = 0; ; i++) a.push('x'.repeat(1000) + i);"),
            .handler(
                "ropes", [.exceededMemory],
                """
                const a = [];
                for (let i = 0; ; i++) { const s = ('x'.repeat(1e6) + i); s.charCodeAt(5); a.push(s); /x/.test(s); }
                """),
            .handler("concatenation", [.exception], "let s = 'x'; for (;;) s = s + s + 'y';"),
            .handler(
                "generators", [.exceededMemory],
                "const a = []; for (;;) { const g = (function* () { yield 1; })(); g.next(); a.push(g); }"),
            .handler(
                "promises", [.exceededMemory],
                "const a = []; for (;;) a.push(new Promise(() => {}).then(() => {}));"),
            .handler("microtasks", [.exceededMemory], "for (;;) queueMicrotask(() => {});"),
            .handler("reactions", [.exceededMemory], "const p = new Promise(() => {}); for (;;) p.then(() => {});"),
            .handler("buffers", [.exceededMemory], "const a = []; for (;;) a.push(new ArrayBuffer(1 << 20));"),
            .handler(
                "buffers-caught", [.exceededMemory],
                "const a = []; for (;;) try { a.push(new ArrayBuffer(1 << 20)); } catch { a.push([]); }"),
            .handler("small-buffers", [.exceededMemory], "const a = []; for (;;) a.push(new Uint8Array(60).buffer);"),
            .handler("empty-buffers", [.exceededMemory], "const a = []; for (;;) a.push(new ArrayBuffer(0));"),
            .handler("one-buffer", [.exception], "new ArrayBuffer(2 ** 33);"),
            .handler("one-array", [.exception], "new Float64Array(2 ** 31);"),
            .handler(
                "transfer", [.exception],
                "let b = new ArrayBuffer(1); for (let n = 2; ; n *= 2) b = b.transfer(n);"),
            .handler(
                "encoder", [.exceededMemory],
                "const a = []; for (;;) a.push(new TextEncoder().encode('x'.repeat(1e6)));"),
            .handler(
                "decoder", [.exceededMemory],
                """
                const a = [], b = new Uint8Array(1e6).fill(65);
                for (;;) a.push(new TextDecoder().decode(b) + a.length);
                """),
            .handler(
                "blobs", [.exceededMemory],
                "const b = new Uint8Array(1 << 20), a = []; for (;;) a.push(new Blob([b, b]));"),
            .handler(
                "blob-parts", [.exception],
                "let b = new Blob(['x'.repeat(1e5)]); for (;;) b = new Blob([b, b]);"),
            .handler(
                "clones", [.exceededMemory],
                "const b = new Uint8Array(1 << 20), a = []; for (;;) a.push(structuredClone(b));"),
            .handler(
                "endless-body", [.exceededMemory],
                """
                const b = new Uint8Array(65536);
                await new Response(new ReadableStream({ pull(c) { c.enqueue(b); } })).arrayBuffer();
                """),
            .handler(
                "endless-text", [.exceededMemory],
                """
                const b = new Uint8Array(65536);
                await new Response(new ReadableStream({ pull(c) { c.enqueue(b); } })).text();
                """),
            .handler(
                "queue", [.exceededMemory],
                "new ReadableStream({ start(c) { for (;;) c.enqueue(new Uint8Array(65536)); } });"),
            .handler(
                "tee", [.exceededMemory, .exception],
                """
                const s = new ReadableStream({ pull(c) { c.enqueue(new Uint8Array(65536)); } });
                const [a, b] = s.tee();
                await a.pipeTo(new WritableStream());
                """),
            .handler(
                "headers", [.exceededMemory],
                "const h = new Headers(); for (let i = 0; ; i++) h.append('a' + i, 'b'.repeat(99));"),
            .handler(
                "search-params", [.exceededMemory],
                "const p = new URLSearchParams(); for (;;) p.append('a', 'b'.repeat(99));"),
            .handler(
                "form-data", [.exceededMemory],
                "const f = new FormData(); for (let i = 0; ; i++) f.append('a' + i, 'b'.repeat(99));"),
            .handler("timers", [.exception], "for (;;) setTimeout(() => {}, 1e6);"),
            .handler(
                "waitUntil", [.exceededMemory],
                "const a = []; for (;;) { const p = new Promise(() => {}); a.push(p); ctx.waitUntil(p); }"),
            .handler(
                "formatters", [.exceededMemory],
                "const a = [Array(3e6).fill(0)]; for (;;) a.push(new Intl.Locale('de'));"),
            .handler(
                "regexps", [.exceededMemory],
                """
                const a = []; for (let i = 0; ; i++) { const r = RegExp('a'.repeat(99) + i); r.test('a'); a.push(r); }
                """),
            .handler(
                "modules", [.exceededMemory],
                """
                const a = [];
                for (let i = 0; ; i++) {
                  await import('./gone' + i + 'x'.repeat(999) + '.js').catch((e) => { a.push(e.stack); });
                }
                """),
            .handler(
                "wasm-memory", [.exceededMemory],
                "const a = []; for (;;) a.push(new WebAssembly.Memory({ initial: 100 }));"),
            .handler(
                "wasm-memories-small", [.exceededMemory, .exception],
                "const a = []; for (let i = 0; i < 1000; i++) a.push(new WebAssembly.Memory({ initial: 1 }));"),
            .handler(
                "wasm-memories-many", [.exception],
                "globalThis.a = []; for (;;) a.push(new WebAssembly.Memory({ initial: 0 }));"),
            .handler(
                "wasm-memory-grown", [.exceededMemory],
                "const m = new WebAssembly.Memory({ initial: 1 }); for (;;) m.grow(16);"),
            .handler(
                "wasm-grown-inside", [.exceededMemory], modules: ["growing.wasm": WasmModule.growing],
                """
                const { run, memory } = new WebAssembly.Instance(growing).exports;
                const kept = [];
                for (;;) {
                  if (run(16) < 0) throw new Error('refused');
                  const bytes = new Uint8Array(memory.buffer);
                  for (let i = 0; i < bytes.length; i += 4096) bytes[i] = 1;
                  kept.push(new Array(1000).fill(1.5));
                }
                """),
            .handler(
                "wasm-memory-large", [.exception], modules: ["large.wasm": WasmModule.large],
                "new WebAssembly.Instance(large);"),
            .handler(
                "wasm-instances", [.exception], modules: ["growing.wasm": WasmModule.growing],
                "const a = []; for (;;) a.push(new WebAssembly.Instance(growing));"),
            .handler(
                "wasm-tables", [.exceededMemory],
                "const a = []; for (;;) a.push(new WebAssembly.Table({ initial: 1e5, element: 'anyfunc' }));"),
        ])

    /// What V8 answers with the end of the process, if it is let.
    static let fatal = HostileGroup(
        name: "fatal", flags: ["--cpu-ms", "30000", "--memory-mb", "32"],
        workers: [
            .handler("invalid-size", [.exceededMemory], "'x'.repeat(2 ** 27 + 1).split('');"),
            .handler("invalid-size-pieces", [.exceededMemory], "const s = 'x'.repeat(2 ** 28); [...s.matchAll(/x/g)];"),
            .handler("fill", [.exceededMemory], "new Array(2 ** 29).fill(0);").leaking(),
            .handler("from", [.exceededMemory], "Array.from({ length: 2 ** 32 - 2 }, (_, i) => i);"),
            .handler(
                "stringify", [.exceededMemory, .exception],
                "const s = 'x'.repeat(2 ** 28); JSON.stringify([s, s, s, s]);"),
            .handler("replace-growth", [.exception], "'a'.repeat(2 ** 20).replace(/a/g, 'b'.repeat(4096));"),
            .handler("join", [.ok], "Array(2 ** 23).join('x'.repeat(36));"),
            .handler("spread", [.exceededMemory], "Math.max(...Array(2 ** 27));"),
            .handler("concat", [.exceededMemory], "let a = Array(1e6).fill(0); for (;;) a = a.concat(a);"),
            .handler(
                "flat", [.exceededMemory],
                "let a = [0]; for (let i = 0; i < 40; i++) a = [a, a, a, a]; a.flat(Infinity);"),
            .handler("typed-from", [.exception], "Uint8Array.from({ length: 2 ** 32 });"),
            .handler("parse", [.exceededMemory, .exception, .ok], "JSON.parse('[' + '{},'.repeat(5e5) + '{}]');"),
            .handler(
                "first-large-object", [.exceededMemory],
                "const a = new Array(2 ** 25 - 8); for (let i = 0; i < a.length; i++) a[i] = { i };"),
            .handler("bigint", [.exceededMemory, .exception], "let n = 2n ** 900000000n; for (;;) n *= n;"),
            .handler(
                "regexp-compile", [.exceededMemory, .exception],
                "RegExp('(?:a{0,1000}){0,1000}{0,1000}'.repeat(1000)).test('b');"),
            .handler("regexp-captures", [.exception], "new RegExp('()'.repeat(60000)).exec('a'.repeat(100));"),
            .handler("bound-functions", [.exceededMemory], "let f = () => {}; for (;;) f = f.bind(null, Array(99));"),
            .handler("localize", [.exceededMemory], "'i'.repeat(2 ** 27).toLocaleUpperCase('lt').normalize('NFD');"),
            .handler("base64", [.exception], "btoa('x'.repeat(2 ** 28));"),
            .handler("largest-response", [.exceededMemory], "return new Response('x'.repeat(2 ** 29 - 24));"),
            .handler("response", [.exceededMemory], "return new Response('ä'.repeat(2 ** 27));"),
        ])
}
