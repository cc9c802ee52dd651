internal import CLinux
internal import Glibc

/// What a descriptor is watched for, and what has happened to it. The bits are epoll's.
package struct Readiness: OptionSet, Sendable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// There are bytes, a connection or an end of file to read.
    package static let readable = Readiness(rawValue: EPOLLIN.rawValue)
    /// There is room to write.
    package static let writable = Readiness(rawValue: EPOLLOUT.rawValue)
    /// The peer will send no more: it closed the connection, or its half of it.
    package static let peerClosed = Readiness(rawValue: EPOLLRDHUP.rawValue)
    /// Both halves are closed. Reported whether asked for or not.
    package static let hungUp = Readiness(rawValue: EPOLLHUP.rawValue)
    /// The descriptor failed, as after a reset. Reported whether asked for or not.
    package static let failed = Readiness(rawValue: EPOLLERR.rawValue)
    /// Of the loops that wait for the same descriptor, wake one rather than all. Only at registration.
    package static let exclusive = Readiness(rawValue: EPOLLEXCLUSIVE.rawValue)
}

/// Who hears that a descriptor is ready. Called on the loop's thread.
package protocol EventHandler: AnyObject {
    /// Level-triggered: what is not dealt with is reported again in the next turn.
    func ready(_ readiness: Readiness)
}

/// Who has work left for the end of a turn, such as writing out what the turn has gathered.
package protocol TurnHandler: AnyObject {
    /// Called once for each call of `EventLoop.callAtEndOfTurn`, on the loop's thread.
    func endOfTurn()
}
