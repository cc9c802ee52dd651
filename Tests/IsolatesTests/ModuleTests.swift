import Isolates
import Testing

@Suite("Modules and code caches")
struct ModuleTests {
    /// (module (func (export "add") (param i32 i32) (result i32) local.get 0 local.get 1 i32.add))
    static let adder: [UInt8] = [
        0, 97, 115, 109, 1, 0, 0, 0, 1, 7, 1, 96, 2, 127, 127, 1, 127, 3, 2, 1, 0, 7, 7, 1, 3, 97, 100, 100, 0, 0, 10,
        9, 1, 7,
        0, 32, 0, 32, 1, 106, 11,
    ]

    static let graph: [WorkerSource.Module] = [
        .script(
            "index.js",
            """
            import { b } from "./lib/b.js";
            import text from "./note.txt";
            import data from "./blob.bin";
            import json from "./config.json";
            import wasm from "./add.wasm";
            const late = await Promise.resolve(5);
            export default {
              run() { return [b, late, text, new Uint8Array(data).join("+"), json.a.b,
                new WebAssembly.Instance(wasm).exports.add(40, 2), import.meta.url].join(); },
              async lazy() { return (await import("./lib/lazy.js")).z; },
              async missing() { return import("./nope.js").catch((e) => e.name + ": " + e.message); },
              async failing() { return import("./lib/failing.js").catch((e) => e.message); },
            };
            """),
        .script("lib/b.js", "import { c } from \"../c.js\"; export const b = c + 1;"),
        .script("c.js", "export const c = 6;"),
        .script("lib/lazy.js", "export const z = 9;"),
        .script("lib/failing.js", "throw new Error('not today');"),
        WorkerSource.Module(name: "note.txt", kind: .text, bytes: Array("gr\u{fc}n".utf8)),
        WorkerSource.Module(name: "blob.bin", kind: .data, bytes: [1, 2, 255]),
        WorkerSource.Module(name: "config.json", kind: .json, bytes: Array(#"{"a":{"b":"c"}}"#.utf8)),
        WorkerSource.Module(name: "add.wasm", kind: .wasm, bytes: adder),
    ]

    @Test func allKindsOfModules() async throws {
        let results = try await Fixture.onLane { thread in
            let subject = Subject(thread)
            defer { subject.close() }
            try subject.load(Self.graph)
            return [
                try subject.result("run"), try subject.result("lazy"), try subject.result("missing"),
                try subject.result("failing"),
            ]
        }
        #expect(
            results == [
                "7,5,gr\u{fc}n,1+2+255,c,42,file:///index.js", "9",
                #"TypeError: No such module "./nope.js", imported from "index.js""#, "not today",
            ])
    }

    @Test(arguments: [
        ("export default {\n  x: let\n};", "Unexpected strict mode reserved word", 2),
        ("\n\nimport x from './gone.js';", "No such module \"./gone.js\", imported from \"index.js\"", 0),
        ("const a = 1;\nthrow new RangeError('at the top');", "at the top", 2),
        ("await new Promise(() => {});", "never settles", 0),
    ])
    func errorsAtLoadNameTheirPlace(source: String, message: String, line: Int) async throws {
        let error = try await Fixture.onLane { thread -> ScriptError? in
            let subject = Subject(thread)
            defer { subject.close() }
            do {
                try subject.load(source)
                return nil
            } catch CallFailure.exception(let error) {
                return error
            }
        }
        let found = try #require(error)
        #expect(found.message.contains(message), "\(found.message)")
        if line > 0 { #expect(found.line == line && found.resource == "index.js", "\(found)") }
    }

    @Test func startUpHasItsOwnLimits() async throws {
        for (source, expected) in [("for (;;);", "cpu"), ("const a = []; for (;;) a.push([1.5, 2.5]);", "memory")] {
            let outcome = try await Fixture.onLane { thread -> String in
                let subject = Subject(thread)
                defer { subject.close() }
                do {
                    try subject.load(
                        [.script("index.js", source)], budget: expected == "cpu" ? 20_000_000 : 9_000_000_000)
                    return "ok"
                } catch CallFailure.exceededCPU {
                    return "cpu"
                } catch CallFailure.exceededMemory {
                    return "memory"
                }
            }
            #expect(outcome == expected)
        }
    }

    @Test func compiledCodeIsSharedBetweenIsolates() async throws {
        let results = try await Fixture.onLane { thread in
            let source = WorkerSource(name: "test", modules: Self.graph)
            return try (0..<3).map { round in
                let subject = Subject(thread)
                defer { subject.close() }
                try subject.isolate.load(source, loaded: Fixture.Entry.loaded.entry, on: thread, budget: 1_000_000_000)
                let result = try subject.result("run")
                #expect(source.wantsCompiledCode == (round == 0))
                if round == 0 { try subject.isolate.shareCompiledCode(on: thread, budget: 1_000_000_000) }
                return result
            }
        }
        #expect(Set(results).count == 1 && results[0]?.contains(",42,") == true)
    }
}
