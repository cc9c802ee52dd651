internal import Feed
internal import Foundation
internal import Model
internal import Synchronization

/// Answers locations that ask by NATS.
final class NATSResponder: Sendable {
    /// The call by which a location says that it is there. The answer is the highest number of its calls so far: its
    /// clock may have been set back.
    static let hello = "hello"
    /// What it brings: which version of the feed it speaks.
    static let version = Array(String(FeedFrame.version).utf8)

    private static let glance = 0.5
    private static let threadCount = 4

    private let hub: FeedHub
    private let link: NATSLink
    private let subscription: NATSLink.Subscription
    /// Of the calls of each instance: one that comes again is not done again.
    private let numbers = Mutex<[String: CallNumbers]>([:])
    private let parts = Mutex(PartedCalls())
    private let queue = OperationQueue()

    init(_ hub: FeedHub, _ link: NATSLink, _ subjects: FeedSubjects) throws {
        self.hub = hub
        self.link = link
        subscription = try link.subscribe(subjects.allCalls)
        queue.maxConcurrentOperationCount = Self.threadCount
    }

    /// On a thread of its own, until the connection ends.
    /// - Parameter ended: called then.
    func start(ended: @escaping @Sendable () -> Void) {
        Foundation.Thread.detachNewThread { [self] in
            do {
                while true {
                    guard let message = try subscription.next(within: Self.glance) else { continue }
                    take(message)
                }
            } catch {
                link.close()
                ended()
            }
        }
    }

    private func take(_ message: NATSLink.Subscription.Message) {
        var key: [UInt8]?
        do {
            let call = try SignedCall(message.bytes) { location in
                key = try hub.truth.secretHash(ofLocation: location)
                return key
            }
            // To say hello twice does nothing.
            let isNew = numbers.withLock { numbers in
                call.name == Self.hello || numbers[Self.name(call), default: CallNumbers()].take(call.number)
            }
            guard isNew else { throw FeedError(.refused, "a call that was answered already") }
            queue.addOperation { [self, key] in
                do {
                    answer(message, .reply(call: call.number, body: try perform(call)), key)
                } catch {
                    refuse(message, call.number, error, key)
                }
            }
        } catch {
            refuse(message, 0, error, nil)
        }
    }

    private static func name(_ call: SignedCall) -> String { "\(call.location)/\(call.instance)" }

    private func perform(_ call: SignedCall) throws -> [UInt8] {
        guard let location = try hub.truth.location(call.location) else {
            throw FeedError(.refused, "the control node knows no location '\(call.location)'")
        }
        try hub.registry.join(location.id, instance: call.instance)
        switch call.name {
        case Self.hello:
            guard call.body == Self.version else {
                let theirs = String(decoding: call.body.prefix(8), as: UTF8.self)
                throw FeedError(
                    .version,
                    "this location speaks version '\(theirs)' of the feed, the control node \(FeedFrame.version)")
            }
            var writer = FeedWriter()
            writer.number(numbers.withLock { $0[Self.name(call)]?.highest ?? 0 })
            return writer.bytes
        case CallPart.name:
            let part = try CallPart(call.body)
            let body = try parts.withLock { parts throws(FeedError) in try parts.take(part, of: location.id) }
            return try body.map { try hub.service.answer(part.call, $0, of: location) } ?? []
        default: return try hub.service.answer(call.name, call.body, of: location)
        }
    }

    private func refuse(
        _ message: NATSLink.Subscription.Message, _ call: Int64, _ error: any Error, _ key: [UInt8]?
    ) {
        let refusal =
            (error as? StoreError).map(FeedService.refusal) ?? error as? FeedError ?? FeedError(.failed, "\(error)")
        answer(message, .refusal(call: call, refusal), key)
    }

    /// - Parameter key: of who asks; nil if that is not known.
    private func answer(_ message: NATSLink.Subscription.Message, _ frame: FeedFrame, _ key: [UInt8]?) {
        guard let reply = message.reply else { return }
        try? link.publish(reply, Seal.around(frame.body, with: key ?? []))
    }
}

/// Which calls have come. They come nearly in order: threads that call at the same time overtake each other.
private struct CallNumbers {
    /// How far one may be overtaken.
    private static let window: Int64 = 4_096

    private(set) var highest: Int64 = 0
    private var seen: Set<Int64> = []

    /// Whether it had not come.
    mutating func take(_ number: Int64) -> Bool {
        guard number > highest - Self.window, seen.insert(number).inserted else { return false }
        highest = max(highest, number)
        if seen.count > 2 * Int(Self.window) { seen = seen.filter { $0 > highest - Self.window } }
        return true
    }
}
