internal import CV8
internal import Glibc
internal import Synchronization

/// Plain POSIX threads with a stack fit for V8.
package enum Thread {
    /// Bytes. V8 takes 800 kB of it, the runtime's own frames little; untouched pages cost nothing.
    static let stackSize = 4 << 20

    /// Starts a detached thread. `name` is what `ps -L` shows: at most 15 bytes.
    /// - Parameter isBatch: it works ahead, and nobody waits for it: lanes go first.
    package static func spawn(name: String, isBatch: Bool = false, _ body: @escaping @Sendable () -> Void) {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        pthread_attr_setstacksize(&attributes, stackSize)
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        var thread = pthread_t()
        let start = Unmanaged.passRetained(Start(name, isBatch, body))
        let result = pthread_create(
            &thread, &attributes,
            { argument in
                let start = Unmanaged<Start>.fromOpaque(argument!).takeRetainedValue()
                start.prepare()
                start.body()
                return nil
            }, start.toOpaque())
        pthread_attr_destroy(&attributes)
        precondition(result == 0, "pthread_create failed: \(String(cString: strerror(result)))")
    }
}

/// What a new thread is given.
private final class Start: Sendable {
    let name: String
    private let isBatch: Bool
    let body: @Sendable () -> Void

    init(_ name: String, _ isBatch: Bool, _ body: @escaping @Sendable () -> Void) {
        self.name = name
        self.isBatch = isBatch
        self.body = body
    }

    /// On the new thread.
    func prepare() {
        cv8_thread_set_name(String(name.prefix(15)))
        if isBatch { cv8_thread_work_ahead() }
    }
}

/// A condition that one thread waits for and any may signal. A ring while nobody waits is kept.
package final class Alarm: @unchecked Sendable {
    // Sound: all state is behind the pthread mutex.
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var isRung = false

    package init() {
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    package func ring() {
        pthread_mutex_lock(mutex)
        isRung = true
        pthread_mutex_unlock(mutex)
        pthread_cond_signal(condition)
    }

    /// Waits for a ring, at most that long if a time is given.
    package func wait(nanoseconds: UInt64? = nil) {
        pthread_mutex_lock(mutex)
        defer {
            isRung = false
            pthread_mutex_unlock(mutex)
        }
        guard let nanoseconds else {
            while !isRung { pthread_cond_wait(condition, mutex) }
            return
        }
        let end = CPUClock.monotonic() &+ nanoseconds
        var deadline = timespec(tv_sec: Int(end / 1_000_000_000), tv_nsec: Int(end % 1_000_000_000))
        while !isRung {
            if pthread_cond_timedwait(condition, mutex, &deadline) != 0 { return }
        }
    }
}
