internal import Foundation
internal import Synchronization

/// The thread that starts hosts. It never ends: the kernel ends a host with the thread that started it.
final class Launcher: Sendable {
    private struct Launch {
        let time: Date
        let body: @Sendable () -> Void
    }

    private let condition = NSCondition()
    private let launches = Mutex<[Launch]>([])

    init() {
        Thread.detachNewThread { [self] in run() }
    }

    func launch(after seconds: Double, _ body: @escaping @Sendable () -> Void) {
        condition.lock()
        launches.withLock { $0.append(Launch(time: Date(timeIntervalSinceNow: seconds), body: body)) }
        condition.signal()
        condition.unlock()
    }

    private func run() {
        while true { next()() }
    }

    private func next() -> @Sendable () -> Void {
        condition.lock()
        defer { condition.unlock() }
        while true {
            let (due, soonest) = launches.withLock { launches -> (Launch?, Date?) in
                let now = Date()
                if let index = launches.firstIndex(where: { $0.time <= now }) {
                    return (launches.remove(at: index), now)
                }
                return (nil, launches.map(\.time).min())
            }
            if let due { return due.body }
            if let soonest { _ = condition.wait(until: soonest) } else { condition.wait() }
        }
    }
}
