import Isolates
import Synchronization

/// What the test bundle's ops record, and what its tickets are settled with.
final class Recorder {
    var texts: [String] = []
    var bytes: [UInt8] = []
    var tickets: [Int] = []
}

/// The one engine of the test process: a bundle of a few lines instead of the web platform.
enum Fixture {
    enum Entry: Int, CaseIterable {
        case loaded, invoke, settle, queue

        var entry: Isolate.Entry { Isolate.Entry(rawValue) }
    }

    private static let bundle = """
        (function (ops, engine) {
          "use strict";
          let worker;
          const waiting = new Map();
          const rejected = new Map();
          globalThis.ops = ops;
          globalThis.engine = engine;
          globalThis.ticketPromise = (ticket) =>
            new Promise((resolve, reject) => waiting.set(ticket, { resolve, reject }));
          return {
            loaded(namespace) { worker = namespace && namespace.default; },
            invoke(name, ...rest) {
              const result = worker[name](...rest);
              if (result instanceof Promise) result.then((value) => ops.record(String(value)));
              else ops.record(String(result));
            },
            settle(ticket, isError, value) {
              const { resolve, reject } = waiting.get(ticket);
              (isError ? reject : resolve)(value);
            },
            queue(text) { Promise.resolve().then(() => ops.record(text)); },
            makeDOMException(message, name) { const error = new Error(message); error.name = name; return error; },
            promiseRejected(event, promise, reason) {
              if (event === 0) rejected.set(promise, reason); else rejected.delete(promise);
            },
            settleRejections() {
              for (const reason of rejected.values()) ops.record("unhandled " + reason);
              rejected.clear();
            },
          };
        })
        """

    static let ops: [Op] = [
        Op("record") { host, call in unsafeDowncast(host, to: Recorder.self).texts.append(call.string(0)) },
        Op("recordBytes") { host, call in
            unsafeDowncast(host, to: Recorder.self).bytes = call.bytes(0).map { Array($0) } ?? []
        },
        Op("fill") { _, call in call.bytes(0)?.initializeMemory(as: UInt8.self, repeating: 7) },
        Op("fail") { _, call throws(OpError) in throw OpError(call.string(0), call.string(1)) },
        Op("echo") { _, call in call.returns(.string(call.string(0))) },
        Op("list") { _, call in
            call.returns(.list([.null, .bool(true), .number(1.5), .string("\u{1F426}"), .bytes([1, 2])]))
        },
        Op("count") { _, call in call.returns(call.strings(0).count) },
        Op("ticket") { host, call in
            let recorder = unsafeDowncast(host, to: Recorder.self)
            recorder.tickets.append(recorder.tickets.count + 1)
            call.returns(recorder.tickets.count)
        },
        Op("spin") { _, _ in
            // An op that takes long: neither termination nor ejection may strike while it runs.
            var value = 1.0
            for index in 0..<40_000_000 { value += Double(index).squareRoot() }
            blackHole(value)
        },
    ]

    static let engine: Engine = {
        let source = Array(bundle.utf8)
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: source.count, alignment: 1)
        memory.copyBytes(from: source)
        let description = Engine.Bundle(
            source: UnsafeRawBufferPointer(memory), ops: ops, entries: Entry.allCases.map { "\($0)" }, warmUp: nil)
        do {
            return try Engine(bundle: description, warmUpHost: Recorder())
        } catch {
            fatalError("The test bundle failed: \(error)")
        }
    }()

    static let watchdog = Watchdog()
    static let reaper = Reaper()

    /// Runs `body` on a thread that may run isolates, and waits for it.
    static func onLane<Result: Sendable>(_ body: @escaping @Sendable (IsolateThread) throws -> Result) async throws
        -> Result
    {
        _ = engine
        return try await withCheckedThrowingContinuation { continuation in
            Thread.spawn(name: "test-lane") {
                let thread = IsolateThread(watchdog: watchdog) {}
                let result = Swift.Result { try body(thread) }
                thread.close()
                continuation.resume(with: result)
            }
        }
    }

    /// Waits until the reaper has disposed of all it was given.
    static func reaped() async {
        await withCheckedContinuation { continuation in reaper.whenIdle { continuation.resume() } }
    }
}

@inline(never)
func blackHole(_ value: Double) { if value == .infinity { print(value) } }

/// An isolate with a worker in it, for one test on one thread.
final class Subject {
    static let cpu: UInt64 = 50_000_000
    static let memory = 128 << 20

    let isolate: Isolate
    let recorder = Recorder()
    let thread: IsolateThread

    init(_ thread: IsolateThread, memory: Int = Subject.memory) {
        self.thread = thread
        isolate = Isolate(engine: Fixture.engine, memoryLimit: memory)!
        isolate.setHost(recorder)
    }

    func load(_ modules: [WorkerSource.Module], budget: UInt64 = 1_000_000_000) throws {
        try isolate.load(
            WorkerSource(name: "test", modules: modules), loaded: Fixture.Entry.loaded.entry, on: thread,
            budget: budget)
    }

    func load(_ source: String) throws { try load([.script("index.js", source)]) }

    func invoke(_ name: String, _ argument: FlatValue = .undefined, budget: UInt64 = Subject.cpu) throws {
        try isolate.call(Fixture.Entry.invoke.entry, .string(name), argument, on: thread, budget: budget)
    }

    /// What `invoke` made the worker record.
    func result(_ name: String, _ argument: FlatValue = .undefined, budget: UInt64 = Subject.cpu) throws -> String? {
        recorder.texts.removeAll()
        try invoke(name, argument, budget: budget)
        return recorder.texts.last
    }

    func close() { Fixture.reaper.take(isolate) }
}

extension WorkerSource.Module {
    static func script(_ name: String, _ source: String) -> Self {
        Self(name: name, kind: .javaScript, bytes: Array(source.utf8))
    }
}
