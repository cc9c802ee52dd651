import Glibc

/// SIGTERM and SIGINT, taken by waiting rather than by a handler.
enum SignalWait {
    private static var set: sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, SIGTERM)
        sigaddset(&set, SIGINT)
        return set
    }

    /// To be called before there is another thread: what all inherit. A thread that did not block them would let them
    /// end the process.
    static func block() {
        var set = set
        pthread_sigmask(SIG_BLOCK, &set, nil)
        signal(SIGPIPE, SIG_IGN)
    }

    /// Waits for the next one.
    static func wait() {
        var set = set
        var number: Int32 = 0
        sigwait(&set, &number)
    }
}
