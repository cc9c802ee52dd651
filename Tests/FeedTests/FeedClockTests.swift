import Feed
import Foundation
import Model
import Synchronization
import Testing

/// The clocks of the control node and of locations are apart, and jump.
@Suite struct FeedClockTests {
    /// What came, in the order in which it was taken.
    private final class Copy: FeedCopy {
        let instance = "i"
        let taken = Mutex<[FeedPosition]>([])

        func position() throws -> FeedPosition? { taken.withLock { $0.last } }
        func mark() throws -> String? { nil }
        func begin(epoch: String, isFresh: Bool) throws {}
        func lacking(_ records: [FeedRecord], given blobs: [String: [UInt8]]) throws -> Set<String> { [] }
        func apply(
            _ records: [FeedRecord], blobs: [String: [UInt8]], upTo position: FeedPosition?, mark: String?
        ) throws {
            if let position { taken.withLock { $0.append(position) } }
        }
        func add(secretKeys keys: [FeedSecretKey], sealed: [UInt8]) throws {}
        func wantedBlobs(_ limit: Int) throws -> [String] { [] }
        func add(blob bytes: [UInt8], hash: String) throws {}
        func unsentUsage() throws -> UsageBatch? { nil }
        func usageIsCounted(_ batch: UsageBatch) throws {}
        func endedRuns() throws -> [EndedRun] { [] }
        func areKnown(_ runs: [EndedRun]) throws {}
        func deputyState() throws -> DeputyState { DeputyState(isDeputy: false, told: 0, ran: 0) }
        func set(_ state: DeputyState) throws {}
    }

    /// Says what it was given, once, and then nothing.
    private final class Script: FeedConnector, FeedConnection {
        let frames: Mutex<[FeedFrame]>
        let isOver = DispatchSemaphore(value: 0)
        init(_ frames: [FeedFrame]) { self.frames = Mutex(frames) }

        func connect(_ subscribe: FeedSubscribe, mark: String?) throws -> any FeedConnection { self }
        func next(within seconds: Double) throws -> FeedFrame? {
            if let frame = frames.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) { return frame }
            isOver.signal()
            Thread.sleep(forTimeInterval: 3_600)
            return nil
        }
        func call(_ name: String, _ body: [UInt8], within seconds: Double) throws -> [UInt8] { [] }
        func tell(_ name: String, _ body: [UInt8]) {}
        func blob(_ hash: String) throws -> [UInt8] { [] }
        var mark: String? { nil }
        var isCompacted: Bool { true }
        var silence: Double? { nil }
        func close() {}
    }

    @Test func theOrderIsThatOfRevisions() throws {
        let signer = FeedSigner(seed: [UInt8](repeating: 7, count: 32))
        let now = Timestamp.now.milliseconds
        let day: Int64 = 86_400_000
        let times: [(Int64, Int64)] = [(1, now + day), (2, now - 400 * day), (3, 0), (4, .max), (5, now)]
        let heads = try times.map { revision, time in
            let head = FeedHead(
                position: FeedPosition(epoch: "e", revision: revision, digest: FeedDigest()),
                time: Timestamp(milliseconds: time))
            return FeedFrame.head(head, signature: try signer.sign(head))
        }
        let welcome = FeedWelcome(installation: signer.installation, epoch: "e", isFresh: true)
        let script = Script([.welcome(welcome)] + heads)
        let copy = Copy()
        let credentials = LocationCredentials(
            location: "cdg", token: "t", installation: signer.installation, privateKey: LocationKey().hexadecimal,
            accounts: nil)
        let follower = try FeedFollower(
            copy: copy, connector: script, credentials: credentials,
            report: { position in
                LocationReport(
                    epoch: position.epoch, revision: position.revision, version: "", requestRate: 0, isolates: 0,
                    broken: [:])
            }, obey: { _, done in done(0) },
            log: { level, text in if level == "error" { Issue.record("\(text)") } })
        follower.start()
        script.isOver.wait()
        #expect(copy.taken.withLock { $0.map(\.revision) } == [1, 2, 3, 4, 5])
        #expect(follower.now.truthRevision == 5)
    }
}
