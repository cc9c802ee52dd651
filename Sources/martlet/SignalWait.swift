import Glibc

/// Signals, taken by waiting rather than by a handler.
enum SignalWait {
    /// What ends a service.
    static let ends = [SIGTERM, SIGINT]

    private static func set(_ signals: [Int32]) -> sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        for signal in signals { sigaddset(&set, signal) }
        return set
    }

    /// To be called before there is another thread: what all inherit. A thread that did not block them would let them
    /// end the process.
    static func block(_ signals: [Int32] = ends) {
        var set = set(signals)
        pthread_sigmask(SIG_BLOCK, &set, nil)
        signal(SIGPIPE, SIG_IGN)
    }

    /// Waits for the next of those, which are blocked.
    /// - Returns: which it was.
    @discardableResult static func wait(for signals: [Int32] = ends) -> Int32 {
        var set = set(signals)
        var number: Int32 = 0
        sigwait(&set, &number)
        return number
    }
}
