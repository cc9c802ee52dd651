import Isolates
import Synchronization

/// A thread that does one thing after the other, in the order in which they came.
final class OrderedWork: Sendable {
    private let jobs = Mutex<[@Sendable () -> Void]>([])
    private let alarm = Alarm()

    init(name: String) {
        Thread.spawn(name: name) { [self] in
            while true {
                let jobs = jobs.withLock { jobs in
                    defer { jobs = [] }
                    return jobs
                }
                for job in jobs { job() }
                if jobs.isEmpty { alarm.wait() }
            }
        }
    }

    func add(_ job: @escaping @Sendable () -> Void) {
        jobs.withLock { $0.append(job) }
        alarm.ring()
    }
}
