internal import Dispatch
internal import Synchronization

/// Calls back once, on a thread that may wait: when all that were asked have answered, or when time is over.
final class Gathering: Sendable {
    private struct State {
        var asked = 0
        var answered = 0
        /// Nobody else will be asked.
        var isClosed = false
        var done: (@Sendable () -> Void)?
    }

    private let state: Mutex<State>

    init(within seconds: Double, done: @escaping @Sendable () -> Void) {
        state = Mutex(State(done: done))
        DispatchQueue.global().asyncAfter(deadline: .now() + seconds) { [self] in finish(isLate: true) }
    }

    /// - Parameter count: of those that are asked now. Some may answer before it is told.
    func expect(_ count: Int) { state.withLock { $0.asked += count } }

    @Sendable func step() {
        state.withLock { $0.answered += 1 }
        finish(isLate: false)
    }

    func close() {
        state.withLock { $0.isClosed = true }
        finish(isLate: false)
    }

    private func finish(isLate: Bool) {
        let done = state.withLock { state -> (@Sendable () -> Void)? in
            guard isLate || (state.isClosed && state.answered == state.asked) else { return nil }
            defer { state.done = nil }
            return state.done
        }
        if let done { DispatchQueue.global().async(execute: done) }
    }
}
