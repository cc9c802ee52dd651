internal import Feed
internal import Foundation
internal import Model
internal import Synchronization

/// Sees to it that the servers of regions, leaf nodes with JetStream domains of their own, have mirrors of the streams:
/// locations that are connected there get the feed from these.
final class MirrorKeeper: Sendable {
    /// Between two looks, in seconds.
    private static let pause = 5.0
    /// Looks between two for blobs that are in a mirror only: what is removed from a stream stays in its mirrors.
    private static let roundsOfSweep = 6

    private let link: NATSLink
    private let domains: [String]
    private let log: @Sendable (_ level: String, _ text: String) -> Void
    private let streams = Mutex<[FeedSubjects]?>(nil)

    init(
        _ link: NATSLink, _ domains: [String],
        log: @escaping @Sendable (_ level: String, _ text: String) -> Void
    ) {
        self.link = link
        self.domains = domains
        self.log = log
    }

    /// Does so from now on, on a thread of its own, until the connection ends.
    /// - Parameter streams: all that there are now.
    func keep(_ streams: [FeedSubjects]) {
        let begins = self.streams.withLock { known in
            defer { known = streams }
            return known == nil && !domains.isEmpty
        }
        if begins { Foundation.Thread.detachNewThread { [self] in run() } }
    }

    private func run() {
        var failures: [String: FeedError] = [:]
        var round = 0
        while !link.isClosed {
            for domain in domains {
                do throws(FeedError) {
                    for stream in streams.withLock({ $0 ?? [] }) {
                        try keep(stream, in: domain, sweeps: round % Self.roundsOfSweep == Self.roundsOfSweep - 1)
                    }
                    failures[domain] = nil
                } catch {
                    // A region that is away is mended when it is back.
                    if failures[domain] != error { log("warn", "feed: the mirror in domain '\(domain)': \(error)") }
                    failures[domain] = error
                }
            }
            round += 1
            Foundation.Thread.sleep(forTimeInterval: Self.pause)
        }
    }

    private func keep(_ subjects: FeedSubjects, in domain: String, sweeps: Bool) throws(FeedError) {
        let near = StreamAPI(link)
        let far = StreamAPI(link, domain: domain)
        let stream = subjects.stream
        if try far.exists(stream) {
            let birth = try far.last(subjects.birth, of: stream)
            // One that has just begun has none yet.
            guard let birth, try birth != near.last(subjects.birth, of: stream) else {
                if sweeps { try sweep(subjects, near, far) }
                return
            }
            // A mirror goes on from the number that it is at, which a stream that was made anew may never reach.
            try far.delete(stream)
        }
        guard let own = try near.ownDomain() else {
            throw FeedError(.failed, "the server that is published to has no JetStream domain: give it one")
        }
        try far.createMirror(of: stream, in: own)
        log("info", "feed: mirrored in domain '\(domain)'")
    }

    private func sweep(_ subjects: FeedSubjects, _ near: StreamAPI, _ far: StreamAPI) throws(FeedError) {
        // In this order: what comes meanwhile is in the second.
        let there = try far.subjects(of: subjects.stream, under: subjects.allPieces)
        let here = try near.subjects(of: subjects.stream, under: subjects.allPieces)
        for piece in there.subtracting(here) { try far.removeLast(piece, of: subjects.stream) }
    }
}
