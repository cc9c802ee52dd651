internal import CLinux

/// What a descriptor is watched for, and what has happened to it. The bits are epoll's.
package struct Readiness: OptionSet, Sendable {
    package let rawValue: UInt32

    @inlinable
    package init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// There are bytes, a connection or an end of file to read.
    @inlinable package static var readable: Readiness { Readiness(rawValue: 0x1) }
    /// There is room to write.
    @inlinable package static var writable: Readiness { Readiness(rawValue: 0x4) }
    /// The descriptor failed, as after a reset. Reported whether asked for or not.
    @inlinable package static var failed: Readiness { Readiness(rawValue: 0x8) }
    /// Both halves are closed. Reported whether asked for or not.
    @inlinable package static var hungUp: Readiness { Readiness(rawValue: 0x10) }
    /// The peer will send no more: it closed the connection, or its half of it.
    @inlinable package static var peerClosed: Readiness { Readiness(rawValue: 0x2000) }
    /// Of the loops that wait for the same descriptor, wake one rather than all. Only at registration.
    @inlinable package static var exclusive: Readiness { Readiness(rawValue: 1 << 28) }
    /// Report what has changed, once, instead of what is the case, in each turn.
    @inlinable package static var onChange: Readiness { Readiness(rawValue: 1 << 31) }

    /// Whether any of the bits is set.
    @inlinable
    package func isAny(of others: Readiness) -> Bool { rawValue & others.rawValue != 0 }

    /// The bits are spelled out, so that they can be inlined where epoll's header is not known: this says if they are
    /// right.
    static let areEpolls =
        readable.rawValue == EPOLLIN.rawValue && writable.rawValue == EPOLLOUT.rawValue
        && failed.rawValue == EPOLLERR.rawValue && hungUp.rawValue == EPOLLHUP.rawValue
        && peerClosed.rawValue == EPOLLRDHUP.rawValue && exclusive.rawValue == EPOLLEXCLUSIVE.rawValue
        && onChange.rawValue == EPOLLET.rawValue
}

/// Who hears that a descriptor is ready. Called on the loop's thread.
package protocol EventHandler: AnyObject {
    /// What is not dealt with is reported again in the next turn, unless the descriptor is registered as `onChange`.
    func ready(_ readiness: Readiness)
}

/// Who has work left for the end of a turn, such as writing out what the turn has gathered.
package protocol TurnHandler: AnyObject {
    /// Called once for each call of `EventLoop.callAtEndOfTurn`, on the loop's thread.
    func endOfTurn()
}
