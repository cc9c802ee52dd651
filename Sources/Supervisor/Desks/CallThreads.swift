internal import Foundation
internal import Synchronization

/// Threads that wait for the disk in the hosts' place; what comes first is done first.
package final class CallThreads: Sendable {
    private let calls = Mutex<(waiting: [@Sendable () -> Void], next: Int)>(([], 0))
    private let isThere = DispatchSemaphore(value: 0)

    package init(_ count: Int) {
        for _ in 0..<count { Thread.detachNewThread { [self] in serve() } }
    }

    func add(_ call: @escaping @Sendable () -> Void) {
        calls.withLock { $0.waiting.append(call) }
        isThere.signal()
    }

    private func serve() {
        while true {
            isThere.wait()
            take()()
        }
    }

    private func take() -> @Sendable () -> Void {
        calls.withLock { calls in
            let call = calls.waiting[calls.next]
            calls.next += 1
            // Those that were taken go once they are the greater part.
            if 2 * calls.next > calls.waiting.count {
                calls.waiting.removeFirst(calls.next)
                calls.next = 0
            }
            return call
        }
    }
}
