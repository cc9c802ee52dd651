import Foundation
import Model
import Sandbox
import Supervisor
import Testing

private let log = LogEvent(worker: "a", request: 7, level: "warn", text: "two\nlines \u{1F426}")
private let request = RequestEvent(
    worker: "a", method: "GET", url: "http://a.localhost/", status: 200, outcome: .exceededCpu, wallTime: 5,
    cpuTime: .max, isColdStart: true)

private var status: RuntimeStatus {
    var status = RuntimeStatus()
    status.isolates = 3
    status.memoryMappings = 400
    for name in ["a", "b"] {
        var worker = RuntimeStatus.Worker()
        worker.requests = 12
        worker.memoryBytes = 1 << 40
        status.workers[name] = worker
    }
    return status
}

private let fromHost: [FromHost] = [
    .locked(version: FromHost.version, refusals: ["own user namespace: Operation not permitted", ""]), .serving,
    .failed("no"),
    .log(log), .requestEnded(request), .status(id: 3, status), .pulse(id: 4, taint: 2),
    .drained, .trace(trace),
    .applied(revision: 5),
    .call(id: 1, .definition(version: "v", ScriptKey(account: "a", name: "s"))),
    .call(id: 2, .asset(blob: "b", offset: 3, count: 4)), .call(id: 3, .value(.entries(["k", ""], namespace: "n"))),
    .call(id: 4, .value(.put(key: "k", KVEntry(value: [1, 2], metadata: "{}", expiration: 9), namespace: "n"))),
    .call(id: 5, .value(.delete(key: "k", namespace: "n"))),
    .call(id: 6, .value(.keys(namespace: "n", prefix: "", after: nil, limit: 1_000))),
    .call(id: 7, .addUsage([Usage(script: ScriptKey(account: "a", name: "s"), hour: 1, amounts: .init())], batch: "x")),
    .call(id: 8, .usage(account: "a", hours: 1..<2)), .ran(id: 9, EventResult(outcome: .ok, mayRetry: true)),
    .checked(id: 1, StartupReport(failure: nil, exports: WorkerExports(), milliseconds: 1), isTainted: true),
    .sign(id: 1, certificate: 2, algorithm: 0x403, [1, 2]), .closed, .taken, .following(id: 3),
    .handBack(listener: 1, [7]), .counted(status), .service(id: 1, [.end]),
]

private var trace: Trace {
    var trace = Trace(
        worker: "a", version: "v", entrypoint: nil, event: .rpc(RPCCall(method: "m", isCall: true)),
        head: RequestHead(method: "GET", url: "http://a/", headers: [("b", "c")]),
        properties: RequestProperties(location: EdgeLocation(), httpProtocol: "HTTP/2"))
    trace.log("warn", "careful")
    trace.fail("TypeError: no\n    at a.js:1:1")
    trace.status = 500
    trace.outcome = .exception
    return trace
}

private func number(_ value: UInt64) -> [UInt8] { withUnsafeBytes(of: value.littleEndian, Array.init) }
private func text(_ value: String) -> [UInt8] { number(UInt64(value.utf8.count)) + Array(value.utf8) }

@Suite("Frames") struct FrameTests {
    @Test func whatHappenedElsewhereArrives() throws {
        let batch = TraceBatch(traces: [trace, trace], dropped: ["a": 3])
        #expect(try TraceBatch(batch.bytes) == batch)
        for count in 0..<batch.bytes.count {
            #expect(throws: WireError.self) { try TraceBatch(Array(batch.bytes.prefix(count))) }
        }
    }

    @Test(arguments: fromHost)
    func whatAHostSaysArrives(_ frame: FromHost) throws {
        #expect(try FromHost(frame.bytes[...]) == frame)
    }

    @Test func routesArrive() throws {
        var paused = RoutedScript(
            key: ScriptKey(account: "a", name: "s"), isOnSubdomain: true,
            shares: [.init(version: "v", percentage: 12.5), .init(version: "w", percentage: 87.5)], cordon: "paid")
        paused.isPaused = true
        let plain = RoutedScript(key: ScriptKey(account: "a", name: "t"), isOnSubdomain: false, shares: [])
        let routes = RoutingSnapshot(
            revision: 7,
            items: [
                .script(paused), .account(RoutedAccount(id: "a", subdomain: nil, isSuspended: true)), .script(plain),
                .zone(RoutedZone(zone: Zone(id: "z", account: "a", name: "z.example"), routes: [])),
                .removed(.domain("d")),
            ])
        guard case .routes(let told, let isWhole) = try ToHost(ToHost.routes(routes, isWhole: true).bytes[...]) else {
            throw WireError("not routes")
        }
        #expect(told == routes)
        #expect(isWhole)
    }

    @Test func whatASupervisorSaysArrives() throws {
        var settings = HostSettings()
        settings.frontLanes = 9
        settings.engineFlags = "--stress"
        settings.sandbox = .required
        settings.ingress.countsLoopback = true
        settings.ingress.bodyBytes = 77
        var limits = Limits()
        limits.cpuMilliseconds = 11
        let definition = WorkerDefinition(
            name: "a",
            modules: [
                .init(name: "index.js", kind: .javaScript, bytes: Array("export {}".utf8)),
                .init(name: "lib/m.wasm", kind: .wasm, bytes: Array(0...255)),
            ], bindings: [.init(name: "N", text: "\u{0} v")], limits: limits)
        let frames: [ToHost] = [
            .hello(settings), .put(definition), .broken(name: "b", why: "it is"), .remove(name: "c"), .open,
            .status(id: 4), .pulse(id: 5), .drain,
        ]
        for frame in frames { #expect(try ToHost(frame.bytes[...]).bytes == frame.bytes) }
    }

    @Test(
        arguments: [
            ("nothing", []), ("no such kind", [0]), ("no such kind", [99]), ("too long", [2, 0]),
            ("a number cut off", [6, 1, 0]), ("an endless text", [3] + number(.max)),
            ("a text longer than the frame", [3] + number(5) + Array("four".utf8)),
            ("a negative length", [3] + number(1 << 63) + [0]), ("not UTF-8", [3] + number(2) + [0xC3, 0x28]),
            ("an endless list", [1] + number(1) + number(1 << 60)),
            ("a list longer than the frame", [1] + number(1) + number(2) + text("one")),
            ("no such level", [4] + text("a") + number(0) + text("loud") + text("x") + [0]),
            ("a negative request", [4] + text("a") + number(.max) + text("log") + text("x") + [0]),
            (
                "a line too long",
                [4] + text("a") + number(0) + text("log")
                    + text(String(repeating: "x", count: FromHost.longestText + 1)) + [0]
            ),
            ("no such outcome", [5] + text("a") + text("GET") + text("/") + text("fine") + number(200)),
            (
                "no such status",
                [5] + text("a") + text("GET") + text("/") + text("ok") + number(1_000) + number(0) + number(0) + [0, 0]
            ),
            (
                "not a flag",
                [5] + text("a") + text("GET") + text("/") + text("ok") + number(200) + number(0) + number(0) + [2, 0]
            ),
            ("a status that is none", [6] + number(1) + text("{}")),
            ("more of an asset than may be", [10] + number(1) + [2] + text("b") + number(0) + number(3 << 20)),
            ("hours that end before they begin", [10] + number(1) + [5] + text("a") + number(2) + number(1)),
            ("too much to sign", [14] + number(1) + number(1) + number(1) + text(String(repeating: "x", count: 2_000))),
        ] as [(String, [UInt8])])
    func malformedFramesAreErrors(what: String, bytes: [UInt8]) {
        #expect(throws: WireError.self, "\(what)") { try FromHost(bytes[...]) }
    }

    @Test(arguments: fromHost)
    func aFrameCutOffAnywhereIsAnError(_ frame: FromHost) {
        let bytes = frame.bytes
        for length in 0..<bytes.count {
            #expect(throws: WireError.self, "\(length) of \(bytes.count)") { try FromHost(bytes[..<length]) }
        }
        #expect(throws: WireError.self) { try FromHost((bytes + [0])[...]) }
    }

    /// Any byte may be anything: what comes of it is a frame or an error, and nothing else.
    @Test(arguments: fromHost)
    func noByteTraps(_ frame: FromHost) {
        for index in frame.bytes.indices.prefix(400) {
            for value in [0, 1, 0x7F, 0x80, 0xFF] as [UInt8] {
                var bytes = frame.bytes
                bytes[index] = value
                _ = try? FromHost(bytes[...])
            }
        }
    }
}

@Suite("Frame channels") struct FrameChannelTests {
    /// What a channel makes of these bytes and the end.
    private func receive(_ bytes: [UInt8]) throws -> Result<[UInt8]?, WireError> {
        let ends = try #require(FrameChannel.pair())
        let channel = FrameChannel(ends.ours, longestFrame: 16)
        #expect(write(ends.theirs, bytes, bytes.count) == bytes.count)
        close(ends.theirs)
        do throws(WireError) {
            return .success(try channel.receive())
        } catch {
            return .failure(error)
        }
    }

    @Test func framesComeInOrder() throws {
        let ends = try #require(FrameChannel.pair())
        let (here, there) = (FrameChannel(ends.ours, longestFrame: 1 << 20), FrameChannel(ends.theirs, longestFrame: 1))
        there.startWriting()
        for size in [1, 70_000, 3] { there.send(Array(repeating: UInt8(size & 0xff), count: size)) }
        there.flush()
        for size in [1, 70_000, 3] { #expect(try here.receive()?.count == size) }
        there.close()
        #expect(try here.receive() == nil)
    }

    @Test func aFrameThatIsTooLongIsAnErrorBeforeItIsThere() throws {
        #expect(try receive([17, 0, 0, 0]) == .failure(WireError("a frame of 17 bytes")))
        #expect(try receive([255, 255, 255, 255]) == .failure(WireError("a frame of 4294967295 bytes")))
    }

    @Test func anEmptyFrameIsAnError() throws {
        #expect(try receive([0, 0, 0, 0]) == .failure(WireError("an empty frame")))
    }

    @Test(arguments: [[1, 0], [2, 0, 0, 0, 9]] as [[UInt8]])
    func aFrameThatIsCutOffIsAnError(_ bytes: [UInt8]) throws {
        #expect(try receive(bytes) == .failure(WireError("a frame is cut off")))
    }

    @Test func theEndIsNoError() throws { #expect(try receive([]) == .success(nil)) }

    @Test func whatNobodyTakesIsDroppedAndCounted() throws {
        let ends = try #require(FrameChannel.pair())
        defer { close(ends.theirs) }
        let channel = FrameChannel(ends.ours, longestFrame: 1)
        for _ in 0..<6 { channel.sendIfPossible(Array(repeating: 1, count: 1 << 20)) }
        #expect(channel.takeDropped() == 2)
        #expect(channel.takeDropped() == 0)
    }
}

@Suite("What a host may say when") struct HostRulesTests {
    private func rules(after frames: [FromHost] = [.locked(version: FromHost.version, refusals: [])]) throws
        -> HostRules
    {
        var rules = HostRules()
        rules.hasWorker("a")
        for frame in frames { try rules.check(frame) }
        return rules
    }

    @Test func theUsualOrder() throws {
        var rules = try rules()
        try rules.check(.log(log))
        try rules.check(.serving)
        try rules.check(.requestEnded(request))
        rules.hasWorker("b")
        let question = rules.ask()
        try rules.check(.status(id: question, status))
        try rules.check(.drained)
    }

    @Test(
        arguments: [.log(log), .requestEnded(request), .serving, .drained, .locked(version: 99, refusals: [])]
            as [FromHost])
    func notBeforeTheLock(_ frame: FromHost) throws {
        var rules = try rules(after: [])
        #expect(throws: WireError.self) { try rules.check(frame) }
    }

    @Test func nothingTwice() throws {
        var rules = try rules()
        #expect(throws: WireError.self) { try rules.check(.locked(version: FromHost.version, refusals: [])) }
        try rules.check(.serving)
        #expect(throws: WireError.self) { try rules.check(.serving) }
        #expect(throws: WireError.self) { try rules.check(.failed("late")) }
    }

    @Test func nothingOfOtherWorkers() throws {
        var rules = try rules()
        var other = log
        other.worker = "b"
        #expect(throws: WireError.self) { try rules.check(.log(other)) }
        let question = rules.ask()
        #expect(throws: WireError.self) { try rules.check(.status(id: question, status)) }
    }

    @Test func anAnswerToEachQuestionAndNoOther() throws {
        var rules = try rules()
        let answer = RuntimeStatus()
        #expect(throws: WireError.self) { try rules.check(.status(id: 1, answer)) }
        let question = rules.ask()
        try rules.check(.status(id: question, answer))
        #expect(throws: WireError.self) { try rules.check(.status(id: question, answer)) }
    }

    @Test func shortLivesInARowArePaidWithPauses() {
        #expect((0...3).map(Backoff.pause) == [0, 0, 0, 0])
        #expect((4...6).map(Backoff.pause) == [0.1, 0.2, 0.4])
        #expect(Backoff.pause(afterStreak: 1_000) == Backoff.longest)
    }
}
