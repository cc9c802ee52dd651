extension HostileGroup {
    /// Attacks from the top level of a module, before there is a request.
    static let start = HostileGroup(
        name: "start", flags: ["--startup-cpu-ms", "60", "--memory-mb", "64"],
        workers: [
            .start("loop", [.exceededCpu], "for (;;);"),
            .start("regexp", [.exceededCpu], "/(a+)+$/.test('a'.repeat(60) + 'b');"),
            .start("builtin", [.exceededCpu], "[].forEach.call({ length: 2 ** 53 - 1 }, () => {});"),
            .start("microtasks", [.exceededCpu], "(function f() { Promise.resolve().then(f); })();"),
            .start("await", [.exceededCpu], "for (;;) await 0;"),
            .start("never", [.exception], "await new Promise(() => {});"),
            .start("import-loop", [.exceededCpu], modules: ["loop.js": Array("for (;;);".utf8)], "import './loop.js';"),
            .start("throws-thenable", [.exception], "throw { then() { for (;;); } };"),
            .start(
                "throws-getter", [.exceededCpu],
                "throw Object.defineProperty(new Error('x'), 'stack', { get() { for (;;); } });"),
            .start(
                "prepareStackTrace", [.exceededCpu],
                "Error.prepareStackTrace = () => { for (;;); }; throw new Error('x');"),
            .start(
                "rejections", [.exceededCpu],
                "addEventListener('unhandledrejection', () => { for (;;); }); Promise.reject(1);"),
            .start(
                "wasm", [.exceededCpu], modules: ["endless.wasm": WasmModule.endless],
                "import endless from './endless.wasm'; new WebAssembly.Instance(endless).exports.run(0, 0);"),
            .start("text", [.exception], modules: ["big.json": Array("[".utf8)], "import big from './big.json';"),
            HostileWorker(
                name: "fetch-getter", endings: [.exceededCpu], source: "export default { get fetch() { for (;;); } };",
                failsAtStart: true),
            HostileWorker(
                name: "proxy", endings: [.exceededCpu],
                source: "export default new Proxy({}, { get() { for (;;); } });", failsAtStart: true),
            HostileWorker(
                name: "fetch-is-no-function", endings: [.exception], source: "export default { fetch: 'no' };",
                failsAtStart: true),
            HostileWorker(
                name: "service-worker", endings: [.exceededCpu],
                source: "addEventListener('fetch', () => {}); for (;;);", failsAtStart: true),
        ])

    /// The same, at limits that let memory run out first.
    static let startMemory = HostileGroup(
        name: "start, memory", flags: ["--startup-cpu-ms", "10000", "--memory-mb", "32"],
        workers: [
            .start("heap", [.exceededMemory], "const a = []; for (;;) a.push(new Array(1000).fill(1.1));"),
            .start("buffers", [.exceededMemory], "const a = []; for (;;) a.push(new ArrayBuffer(1 << 20));"),
            .start("fatal", [.exceededMemory], "'x'.repeat(2 ** 27 + 1).split('');"),
            .start("fill", [.exceededMemory], "new Array(2 ** 29).fill(0);").leaking(),
            .start(
                "data-module", [.exception], modules: ["data.bin": [UInt8](repeating: 1, count: 40 << 20)],
                "import data from './data.bin'; if (data.byteLength) globalThis.data = data;"),
            .start(
                "text-module", [.exceededMemory],
                modules: ["big.txt": [UInt8](repeating: 97, count: 20 << 20)],
                "import t from './big.txt'; const a = []; for (let i = 0; ; i++) a.push((t + i).slice(1).split('b'));"),
        ])

    /// Condemned in the middle of what V8 holds locks for: compiling Wasm and JavaScript, collecting, linking.
    static let middle = HostileGroup(
        name: "in the middle", flags: ["--startup-cpu-ms", "30", "--cpu-ms", "30", "--memory-mb", "512"],
        workers: [
            .start(
                "wasm-compile", [.exceededCpu],
                modules: ["large.wasm": WasmModule.laborious(functions: 2_000, operations: 500)],
                "import large from './large.wasm'; globalThis.large = large;"
            ).losingLanes(),
            .start("script-compile", [.exceededCpu, .ok], modules: ["long.js": longScript], "import './long.js';")
                .losingLanes(),
            .start("link", [.exceededCpu], modules: chain(of: 2_000), "import './m0.js'; for (;;);"),
            .start(
                "cyclic-evaluation", [.exceededCpu],
                modules: ["b.js": Array("import './index.js'; for (;;) await 0;".utf8)], "import './b.js';"),
            .handler("collection", [.exceededCpu], "const a = []; for (;;) a.push(new Array(1000).fill({}));"),
            .handler("collection-of-young", [.exceededCpu], "for (;;) new Array(1e4).fill({});"),
            .handler("collection-of-buffers", [.exceededCpu], "for (;;) new ArrayBuffer(1 << 16);").losingLanes(),
            .handler(
                "collection-of-wasm", [.exceededCpu], modules: ["growing.wasm": WasmModule.growing],
                "for (;;) new WebAssembly.Instance(growing);"
            ).losingLanes(),
            .handler(
                "compile-lazily", [.exceededCpu], modules: ["long.js": longFunctions],
                "const m = await import('./long.js'); for (;;) for (const f of Object.values(m)) f(1);"),
            .handler(
                "regexp-compile", [.exceededCpu, .exceededMemory],
                "for (let i = 0; ; i++) RegExp('[a-z]{1,99}(?:x|y|z' + i + '){2,50}').test('abcxyz'.repeat(9));"),
            .handler(
                "tier-up", [.exceededCpu],
                modules: ["laborious.wasm": WasmModule.laborious(functions: 20, operations: 500)],
                "const { run } = new WebAssembly.Instance(laborious).exports; for (let i = 0; ; i++) run(i, i);"),
            .handler(
                "optimize", [.exceededCpu],
                """
                for (let i = 0; ; i++) {
                  const f = (a) => { let s = 0; for (let j = 0; j < 2e4; j++) s += a * j; return s; };
                  f(i);
                }
                """),
            .handler(
                "import", [.exceededCpu], modules: ["loop.js": Array("for (;;);".utf8)],
                "await import('./loop.js');"),
        ])

    /// Much to parse, and nothing to do.
    private static let longScript = Array(String(repeating: "f => ((a, b) => [a, b, { c: f }]);\n", count: 60_000).utf8)

    /// Many functions, each compiled when it is first called.
    private static let longFunctions = Array(
        (0..<20_000).map { "export const f\($0) = (a) => { let b = a + \($0); b *= a; return [b, a]; };\n" }
            .joined().utf8)

    /// Modules that import one another in a row.
    private static func chain(of count: Int) -> [String: [UInt8]] {
        var modules: [String: [UInt8]] = [:]
        for number in 0..<count {
            let text = number + 1 < count ? "import './m\(number + 1).js';" : ""
            modules["m\(number).js"] = Array(text.utf8)
        }
        return modules
    }
}
