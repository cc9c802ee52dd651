import Feed
import Foundation
import Model
import Synchronization
import Testing

@Suite("What a location takes of the feed") struct FeedFollowerTests {
    private struct Taken: Equatable {
        var position: FeedPosition
        var records: [Int64]
        var mark: String?
    }

    /// What came, in the order in which it was taken.
    private final class Copy: FeedCopy {
        let instance = "i"
        let taken = Mutex<[Taken]>([])

        func position() throws -> FeedPosition? { taken.withLock { $0.last?.position } }
        func mark() throws -> String? { nil }
        func begin(epoch: String, isFresh: Bool) throws {}
        func lacking(_ records: [FeedRecord], given blobs: [String: [UInt8]]) throws -> Set<String> { [] }
        func apply(
            _ records: [FeedRecord], blobs: [String: [UInt8]], upTo position: FeedPosition?, mark: String?
        ) throws {
            guard let position else { return }
            taken.withLock { $0.append(Taken(position: position, records: records.map(\.revision), mark: mark)) }
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

    /// Says what it was given, once, and then nothing. At a nil nothing lies ready.
    private final class Script: FeedConnector, FeedConnection {
        let frames: Mutex<[FeedFrame?]>
        private let all: Int
        let isOver = DispatchSemaphore(value: 0)
        init(_ frames: [FeedFrame?]) {
            self.frames = Mutex(frames)
            all = frames.count
        }

        func connect(_ subscribe: FeedSubscribe, mark: String?) throws -> any FeedConnection { self }
        func next(within seconds: Double) throws -> FeedFrame? {
            while let frame = frames.withLock({ $0.isEmpty ? nil : Optional($0.removeFirst()) }) {
                if frame != nil || seconds == 0 { return frame }
            }
            guard seconds > 0 else { return nil }
            isOver.signal()
            Thread.sleep(forTimeInterval: 3_600)
            return nil
        }
        func call(_ name: String, _ body: [UInt8], within seconds: Double) throws -> [UInt8] { [] }
        func tell(_ name: String, _ body: [UInt8]) {}
        func blob(_ hash: String) throws -> [UInt8] { [] }
        /// How much of the script was said.
        var mark: String? { "\(all - frames.withLock { $0.count })" }
        var isCompacted: Bool { true }
        var silence: Double? { nil }
        func close() {}
    }

    private static let signer = FeedSigner(seed: [UInt8](repeating: 7, count: 32))

    private static func head(_ revision: Int64, at time: Int64 = 0) throws -> FeedFrame {
        let head = FeedHead(
            position: FeedPosition(epoch: "e", revision: revision, digest: FeedDigest()),
            time: Timestamp(milliseconds: time))
        return .head(head, signature: try signer.sign(head))
    }

    private static func record(_ revision: Int64) throws -> FeedFrame {
        let record = FeedRecord(key: FeedKey(.account, "a"), account: "a", revision: revision, body: .value([1]))
        let tree = HashTree([HashTree.Node(leaf: record.encoded)])
        return .records([record], signature: try signer.sign(tree, epoch: "e"))
    }

    /// What a follower has taken when all has been said.
    private static func taken(_ frames: [FeedFrame?]) throws -> [Taken] {
        let welcome = FeedWelcome(installation: signer.installation, epoch: "e", isFresh: true)
        let script = Script([.welcome(welcome)] + frames)
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
        let taken = copy.taken.withLock { $0 }
        #expect(follower.now.truthRevision == taken.last?.position.revision)
        return taken
    }

    /// The clocks of the control node and of locations are apart, and jump.
    @Test func theOrderIsThatOfRevisions() throws {
        let now = Timestamp.now.milliseconds
        let day: Int64 = 86_400_000
        let times: [(Int64, Int64)] = [(1, now + day), (2, now - 400 * day), (3, 0), (4, .max), (5, now)]
        let taken = try Self.taken(times.flatMap { [try Self.head($0, at: $1), nil] })
        #expect(taken.map(\.position.revision) == [1, 2, 3, 4, 5])
    }

    /// Who is behind takes what lies ready as one. What belongs to a head that is still to come waits for it, and the
    /// mark is that of the head which was reached.
    @Test func whatLiesReadyIsTakenAsOne() throws {
        let taken = try Self.taken([
            try Self.record(1), try Self.head(1), try Self.record(2), try Self.head(2), try Self.record(3), nil,
            try Self.head(3), nil,
        ])
        #expect(taken.map(\.position.revision) == [2, 3])
        #expect(taken.map(\.records) == [[1, 2], [3]])
        #expect(taken.map(\.mark) == ["5", "8"])
    }
}
