import Isolates
import Testing

/// One line that breaks something, and what must come of it.
struct Bomb: Sendable, CustomTestStringConvertible {
    let code: String
    let outcomes: Set<String>
    var testDescription: String { code }

    static let cpu = [
        "for(;;);", "while(true) try { for(;;); } catch {} finally { for(;;); }",
        "[].forEach.call({ length: 2 ** 53 - 1 }, () => {})", "Array.prototype.reverse.call({ length: 2 ** 53 - 1 })",
        "Array.prototype.lastIndexOf.call({ length: 2 ** 53 - 1 }, 1)", "/(a+)+$/.test('a'.repeat(60) + 'b')",
        "(async () => { for (;;) await 0; })()", "const o = { get x() { return o.x2; }, get x2() { for (;;); } }; o.x",
        "new Proxy({}, { get() { for (;;); } }).x", "JSON.stringify({ toJSON() { for (;;); } })",
        "[3, 1, 2].sort(() => { for (;;); })", "(2n ** 40000n) ** 400n",
    ].map { Bomb(code: $0, outcomes: ["cpu", "memory"]) }

    static let memory = [
        "const a = []; for (;;) a.push(new Array(1000).fill(1.1))", "new Array(2 ** 29).fill(0)",
        "const s = new Set(); for (let i = 0;; i++) s.add(i)",
        "const m = new Map(); for (let i = 0;; i++) m.set(i, { i })",
        "let s = 'x'; for (;;) s = s + s + 'y'", "'x'.repeat(2 ** 27 + 1).split('')",
        "JSON.stringify(Array.from({ length: 3e6 }, (_, i) => 'abcdefgh' + i)).repeat(50).split('')",
        "const a = []; for (;;) a.push(new ArrayBuffer(1 << 20))", "const a = []; for (;;) a.push(new Uint8Array(60))",
        "'a'.repeat(2 ** 20).replace(/a/g, 'b'.repeat(4096))", "Array.from({ length: 2 ** 32 - 2 }, (_, i) => i)",
        "const a = []; for (let i = 0;; i++) a.push('x'.repeat(1000) + i)",
        "const a = []; for (;;) a.push(new WebAssembly.Memory({ initial: 100 }))",
    ].map { Bomb(code: $0, outcomes: ["memory", "cpu", "exception"]) }
}

@Suite("Limits: CPU, memory, V8's own crashes", .serialized)
struct LimitTests {
    private static func outcome(of body: () throws -> Void) -> String {
        do {
            try body()
            return "ok"
        } catch let failure as CallFailure {
            switch failure {
            case .exception: return "exception"
            case .exceededCPU: return "cpu"
            case .exceededMemory: return "memory"
            case .fatal(let message): return "fatal: \(message)"
            }
        } catch {
            return "\(error)"
        }
    }

    /// What any isolate must be able to do after another was condemned: nothing process-wide is left locked or broken.
    private static let health = """
        export default { async check() {
          const q = []; for (let i = 0; i < 200000; i++) q.push({ i, s: "a" + i });
          if (q[77].s !== "a77") return "heap";
          let kept = 0; for (let i = 0; i < 32; i++) kept += new Uint8Array(1 << 20).fill(i)[5];
          if (!/^a+b?(c|d)*$/u.test("aaabcdcd")) return "regexp";
          if (new Intl.NumberFormat("de").format(1234.5) !== "1.234,5") return "intl";
          return "healthy";
        } };
        """

    private static func isHealthy(_ thread: IsolateThread) throws -> String? {
        let subject = Subject(thread)
        defer { subject.close() }
        try subject.load([.script("index.js", health)])
        return try subject.result("check", budget: 10_000_000_000)
    }

    @Test(arguments: Bomb.cpu + Bomb.memory)
    func bombsEndAloneAndNeighboursLive(_ bomb: Bomb) async throws {
        let (outcome, neighbour, fresh) = try await Fixture.onLane { thread in
            let neighbour = Subject(thread)
            defer { neighbour.close() }
            try neighbour.load([.script("index.js", Self.health)])
            let subject = Subject(thread)
            defer { subject.close() }
            try subject.load("export default { run() { \(bomb.code) } }")
            let isMemory = Bomb.memory.contains { $0.code == bomb.code }
            let outcome = Self.outcome {
                try subject.invoke("run", budget: isMemory ? 5_000_000_000 : Subject.cpu)
            }
            return (outcome, try neighbour.result("check", budget: 10_000_000_000), try Self.isHealthy(thread))
        }
        #expect(bomb.outcomes.contains(outcome), "\(bomb.code) ended with \(outcome)")
        #expect(neighbour == "healthy")
        #expect(fresh == "healthy")
    }

    @Test func cpuTimeIsMeasured() async throws {
        let time = try await Fixture.onLane { thread in
            let subject = Subject(thread)
            defer { subject.close() }
            try subject.load("export default { run() { for (let i = 0; i < 2e7; i++); } }")
            try subject.invoke("run", budget: 10_000_000_000)
            return subject.isolate.lastCallCPUTime
        }
        #expect(time > 1_000_000)
    }

    @Test func terminationDoesNotStrikeAnOp() async throws {
        let outcome = try await Fixture.onLane { thread in
            let subject = Subject(thread)
            defer { subject.close() }
            try subject.load("export default { run() { ops.spin(); ops.record('after'); for (;;); } }")
            return Self.outcome { try subject.invoke("run", budget: 1_000_000) }
        }
        #expect(outcome == "cpu")
    }

    @Test func stackOverflowIsARangeError() async throws {
        let result = try await Fixture.onLane { thread in
            let subject = Subject(thread)
            defer { subject.close() }
            try subject.load(
                "export default { run() { const f = () => f(); try { f(); } catch (e) { return e.name; } } }")
            return try subject.result("run")
        }
        #expect(result == "RangeError")
    }

    @Test func codeFromStringsAndSharedMemoryAreRefused() async throws {
        let results = try await Fixture.onLane { thread in
            let subject = Subject(thread)
            defer { subject.close() }
            try subject.load(
                """
                const attempt = (f) => { try { return String(f()); } catch (e) { return e.name; } };
                export default {
                  run() { return [
                    attempt(() => eval("1")), attempt(() => new Function("return 1")),
                    attempt(() => (async () => {}).constructor("return 1")), typeof SharedArrayBuffer, typeof Atomics,
                    attempt(() => new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]))),
                    attempt(() => new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }).buffer),
                  ].join(); },
                };
                """)
            return try subject.result("run")
        }
        #expect(results == "EvalError,EvalError,EvalError,undefined,undefined,CompileError,[object ArrayBuffer]")
    }

    /// A jump out of a finalizer must not leave V8 waiting for its task when the isolate is disposed of.
    @Test func finalizersThatSpinEndWithTheirIsolate() async throws {
        let lostBefore = Fixture.reaper.counts.lost
        let outcome = try await Fixture.onLane { thread in
            let subject = Subject(thread)
            defer { subject.close() }
            try subject.load(
                """
                const registry = new FinalizationRegistry(() => {
                  for (;;) [].forEach.call({ length: 2 ** 53 - 1 }, () => {});
                });
                export default { run() { for (let i = 0; i < 1000; i++) registry.register({ i }, i); } }
                """)
            try subject.invoke("run")
            return Self.outcome { try subject.isolate.collectGarbage(on: thread, budget: Subject.cpu) }
        }
        #expect(outcome == "cpu")
        await Fixture.reaped()
        #expect(Fixture.reaper.counts.lost == lostBefore)
    }

    /// Calls that are the runtime's own run nothing of the tenant's, whatever waits in the isolate.
    @Test func calledByTheRuntimeNothingOfTheTenantRuns() async throws {
        let texts = try await Fixture.onLane { thread in
            let subject = Subject(thread)
            defer { subject.close() }
            try subject.load("export default { run() {} }")
            try subject.isolate.tell(
                Fixture.Entry.queue.entry, .string("microtask"), on: thread, budget: Subject.cpu)
            try subject.isolate.shareCompiledCode(on: thread, budget: 1_000_000_000)
            let before = subject.recorder.texts
            try subject.invoke("run")
            return [before, subject.recorder.texts]
        }
        #expect(texts == [[], ["microtask", "undefined"]] || texts == [[], ["undefined", "microtask"]])
    }

    @Test(arguments: [
        "ops.echo('x'.repeat(2 ** 29 - 24))", "ops.count(new Array(200).fill('\u{e9}x'.repeat(2 ** 20)))",
    ])
    func longStringsAreNotCopiedBeyondTheLimit(_ code: String) async throws {
        let before = residentBytes()
        let (outcome, after) = try await Fixture.onLane { thread in
            let subject = Subject(thread)
            defer { subject.close() }
            try subject.load("export default { run() { \(code) } }")
            let outcome = Self.outcome { try subject.invoke("run", budget: 5_000_000_000) }
            return (outcome, residentBytes())
        }
        #expect(outcome == "memory")
        #expect(after < before + (256 << 20), "\(before >> 20) MB before, \(after >> 20) MB after")
    }

    @Test func wasmMemoriesAreCounted() async throws {
        let result = try await Fixture.onLane { thread in
            let subject = Subject(thread)
            defer { subject.close() }
            try subject.load(
                """
                export default { run() {
                  const kept = [];
                  try { for (let i = 0; i < 10000; i++) kept.push(new WebAssembly.Memory({ initial: 1 })); }
                  catch (error) { return error.name + (kept.length >= 16 && kept.length < 100); }
                } }
                """)
            let refused = try subject.result("run", budget: 5_000_000_000)
            // They are garbage now: there is room again.
            return [refused, try subject.result("run", budget: 5_000_000_000)]
        }
        #expect(result == ["RangeErrortrue", "RangeErrortrue"])
    }

    @Test func bytesOverTheLimitAreAnException() async throws {
        let outcomes = try await Fixture.onLane { thread in
            let subject = Subject(thread, memory: 32 << 20)
            defer { subject.close() }
            try subject.load("export default { run(bytes) { return bytes?.length; } }")
            let tooMany = FlatValue.bytes([UInt8](repeating: 1, count: 64 << 20))
            return [Self.outcome { try subject.invoke("run", tooMany) }, Self.outcome { try subject.invoke("run") }]
        }
        #expect(outcomes == ["exception", "ok"])
    }

    @Test func memoryOfCondemnedIsolatesComesBack() async throws {
        let bombs = [
            "'x'.repeat(2 ** 27 + 1).split('')", "const a = []; for (;;) a.push(new Array(1000).fill(1.1))",
            "const a = []; for (;;) a.push(new ArrayBuffer(8 << 20))",
            "[].forEach.call({ length: 2 ** 53 - 1 }, () => {})",
        ]
        func round() async throws {
            try await Fixture.onLane { thread in
                for bomb in bombs {
                    let subject = Subject(thread)
                    try subject.load("export default { run() { \(bomb) } }")
                    #expect(throws: CallFailure.self) { try subject.invoke("run", budget: Subject.cpu) }
                    subject.close()
                }
            }
            await Fixture.reaped()
        }
        try await round()
        let before = residentBytes()
        for _ in 0..<25 { try await round() }
        let after = residentBytes()
        #expect(after < before + before / 10 + (16 << 20), "\(before >> 20) MB before, \(after >> 20) MB after")
        #expect(Fixture.reaper.counts.lost == 0)
    }
}
