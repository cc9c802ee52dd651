internal import Dispatch
internal import Glibc
internal import NIOCore
internal import Runtime

/// A lane's loop in the form that SwiftNIO asks for, so that its handlers run on the lane's own thread: between socket
/// and worker there is no other.
final class LaneNIOLoop: NIOCore.EventLoop, @unchecked Sendable {
    // Sound: threads other than the loop's only ask for `thread`, and leave tasks at `remote`.
    private unowned let loop: Runtime.EventLoop
    private let remote: Runtime.EventLoop.Remote
    private let thread = pthread_self()

    /// On the loop's thread.
    init(_ loop: Runtime.EventLoop) {
        self.loop = loop
        remote = loop.remote
    }

    var inEventLoop: Bool { pthread_equal(thread, pthread_self()) != 0 }

    func execute(_ task: @escaping @Sendable () -> Void) {
        if inEventLoop {
            loop.enqueue(task)
        } else {
            remote.execute { _ in task() }
        }
    }

    @discardableResult
    func scheduleTask<T>(
        deadline: NIODeadline, _ task: @escaping @Sendable () throws -> T
    ) -> Scheduled<T> {
        let promise = makePromise(of: T.self)
        let timer = Timer()
        let run: @Sendable () -> Void = { promise.assumeIsolated().completeWith(Result { try task() }) }
        execute { [self] in
            guard !timer.isCancelled else { return }
            timer.token = loop.schedule(at: deadline.uptimeNanoseconds, run)
        }
        return Scheduled(promise: promise) { [self] in
            execute {
                timer.isCancelled = true
                if let token = timer.token { self.loop.cancel(token) }
            }
        }
    }

    @discardableResult
    func scheduleTask<T>(in time: TimeAmount, _ task: @escaping @Sendable () throws -> T) -> Scheduled<T> {
        scheduleTask(deadline: .now() + time, task)
    }

    /// The lane ends its loop itself.
    func shutdownGracefully(queue: DispatchQueue, _ callback: @escaping @Sendable ((any Error)?) -> Void) {
        queue.async { callback(EventLoopError.unsupportedOperation) }
    }

    private final class Timer: @unchecked Sendable {
        // Sound: touched by tasks of the loop only.
        var token: TimerToken?
        var isCancelled = false
    }
}
