internal import Feed
internal import Foundation
internal import Model
internal import Synchronization

/// Answers locations that ask by NATS.
final class NATSResponder: Sendable {
    /// The call by which a location says that it is there.
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
    private let queue = OperationQueue()

    init(_ hub: FeedHub, _ link: NATSLink, _ subjects: FeedSubjects) throws {
        self.hub = hub
        self.link = link
        subscription = try link.subscribe(subjects.allCalls)
        queue.maxConcurrentOperationCount = Self.threadCount
    }

    /// On a thread of its own, until the connection ends.
    func start() {
        Foundation.Thread.detachNewThread { [self] in
            do {
                while true {
                    guard let message = try subscription.next(within: Self.glance) else { continue }
                    take(message)
                }
            } catch {
                link.close()
            }
        }
    }

    private func take(_ message: NATSLink.Subscription.Message) {
        do {
            let call = try SignedCall(message.bytes) { try self.hub.truth.secretHash(ofLocation: $0) }
            let isNew = numbers.withLock { numbers in
                numbers["\(call.location)/\(call.instance)", default: CallNumbers()].take(call.number)
            }
            guard isNew else { throw FeedError(.refused, "a call that was answered already") }
            queue.addOperation { [self] in
                do {
                    answer(message, .reply(call: 0, body: try perform(call)))
                } catch {
                    refuse(message, error)
                }
            }
        } catch {
            refuse(message, error)
        }
    }

    private func perform(_ call: SignedCall) throws -> [UInt8] {
        guard let location = try hub.truth.locations().first(where: { $0.id == call.location }) else {
            throw FeedError(.refused, "the control node knows no location '\(call.location)'")
        }
        try hub.registry.join(location.id, instance: call.instance)
        guard call.name == Self.hello else { return try hub.service.answer(call.name, call.body, of: location) }
        guard call.body == Self.version else {
            let theirs = String(decoding: call.body.prefix(8), as: UTF8.self)
            throw FeedError(
                .version,
                "this location speaks version '\(theirs)' of the feed, the control node \(FeedFrame.version)")
        }
        return []
    }

    private func refuse(_ message: NATSLink.Subscription.Message, _ error: any Error) {
        let refusal =
            (error as? StoreError).map(FeedService.refusal) ?? error as? FeedError ?? FeedError(.failed, "\(error)")
        answer(message, .refusal(call: 0, refusal))
    }

    private func answer(_ message: NATSLink.Subscription.Message, _ frame: FeedFrame) {
        if let reply = message.reply { try? link.publish(reply, frame.body) }
    }
}

/// Which calls have come. They come nearly in order: threads that call at the same time overtake each other.
private struct CallNumbers {
    /// How far one may be overtaken.
    private static let window: Int64 = 4_096

    private var highest: Int64 = 0
    private var seen: Set<Int64> = []

    /// Whether it had not come.
    mutating func take(_ number: Int64) -> Bool {
        guard number > highest - Self.window, seen.insert(number).inserted else { return false }
        highest = max(highest, number)
        if seen.count > 2 * Int(Self.window) { seen = seen.filter { $0 > highest - Self.window } }
        return true
    }
}
