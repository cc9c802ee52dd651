internal import Foundation
internal import Model

/// What the control node wants of the locations just now. It holds while they are in contact, and is not kept.
package struct FeedOrders: Sendable, Codable, Equatable {
    /// Grows with each change, over restarts too.
    package var number: Int64
    /// Workers whose events are to be told, as "account/name".
    package var followed: [String] = []
    /// The location that runs the schedules when the control node is not heard of.
    package var deputy: String?
    /// The control node runs the schedules of all minutes up to this one, as far as the deputy has not.
    package var minute: Int64?

    /// - Parameter number: 0 where nobody orders anything.
    package init(number: Int64 = 0) { self.number = number }

    package var isNone: Bool { number == 0 }

    /// What a location of some accounts is told of it.
    package func of(_ accounts: Set<String>?) -> FeedOrders {
        guard let accounts else { return self }
        var own = self
        own.followed.removeAll { !accounts.contains(String($0.prefix { $0 != "/" })) }
        return own
    }

    var encoded: [UInt8] {
        guard let body = try? JSONEncoder().encode(self) else { preconditionFailure("orders that are no JSON") }
        return Array(body)
    }

    init(encoded: [UInt8]) throws(FeedError) {
        guard let orders = try? JSONDecoder().decode(FeedOrders.self, from: Data(encoded)) else {
            throw FeedError(.malformed, "orders are not of their form")
        }
        self = orders
    }
}
