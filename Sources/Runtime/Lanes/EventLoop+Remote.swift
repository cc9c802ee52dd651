internal import CLinux
internal import Glibc
internal import Synchronization

extension EventLoop {
    /// A loop as other threads see it: a place to leave tasks, and a pulse to feel.
    package final class Remote: Sendable {
        /// A task, called with the loop on the loop's thread.
        package typealias Task = @Sendable (EventLoop) -> Void

        private struct Queue {
            var tasks: [Task] = []
            var isClosed = false
        }

        /// What a watchdog reads.
        package let heartbeat = Heartbeat()
        /// The connections that the loop serves, for the thread that has to end them when the loop is lost.
        package let acceptedSockets = AcceptedSockets()

        /// An eventfd; it lives as long as anybody who could write to it.
        let wakeDescriptor: Int32
        private let queue = Mutex(Queue())
        /// Tasks that the loop has not taken yet; changed under the lock, read without it.
        private let waitingTasks = Atomic<Int>(0)
        /// Whether the loop sleeps, or is about to: whoever turns it to false has to wake it.
        private let isAsleep = Atomic<Bool>(false)

        init() throws(SystemCallError) {
            wakeDescriptor = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
            guard wakeDescriptor >= 0 else { throw SystemCallError("eventfd") }
        }

        deinit {
            close(wakeDescriptor)
        }

        /// Leaves a task for the loop. Tasks run in the order they came; one wake-up serves all that came since the
        /// last. False if the loop has ended: the task will never run.
        @discardableResult
        package func execute(_ task: @escaping Task) -> Bool {
            let isTaken = queue.withLock { queue in
                guard !queue.isClosed else { return false }
                queue.tasks.append(task)
                waitingTasks.store(queue.tasks.count, ordering: .sequentiallyConsistent)
                return true
            }
            if isTaken { wake() }
            return isTaken
        }

        /// Ends `EventLoop.run` after the turn under way.
        package func stop() {
            execute { loop in loop.stop() }
        }

        private func wake() {
            // Only a loop that sleeps needs the call: an awake one looks at the queue before it goes to sleep.
            if isAsleep.exchange(false, ordering: .sequentiallyConsistent) {
                eventfd_write(wakeDescriptor, 1)
            }
        }

        // MARK: The loop's side

        var hasTasks: Bool { waitingTasks.load(ordering: .sequentiallyConsistent) > 0 }

        /// False if a task slipped in, so that the loop must not sleep.
        func fallAsleep() -> Bool {
            isAsleep.store(true, ordering: .sequentiallyConsistent)
            guard hasTasks else { return true }
            isAsleep.store(false, ordering: .relaxed)
            return false
        }

        func awaken() {
            isAsleep.store(false, ordering: .relaxed)
        }

        func takeTasks() -> [Task] {
            queue.withLock { queue in
                waitingTasks.store(0, ordering: .relaxed)
                defer { queue.tasks = [] }
                return queue.tasks
            }
        }

        /// No more tasks are taken; those that wait are dropped.
        func end() {
            let dropped = queue.withLock { queue in
                queue.isClosed = true
                defer { queue.tasks = [] }
                return queue.tasks
            }
            _ = dropped
        }
    }
}
