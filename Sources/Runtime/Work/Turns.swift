internal import Synchronization

/// Lets isolates take turns with work that others do: so much of it is under way at a time, and one isolate has half
/// of that at most. What may begin begins at once, on the thread that brings it or on the one that ends another.
final class Turns: Sendable {
    /// Begins, and has `ended` called once, on any thread.
    typealias Job = @Sendable (_ ended: @escaping @Sendable () -> Void) -> Void

    private struct Line {
        var jobs: [Job] = []
        var runningCount = 0
    }

    private struct State {
        /// By isolate; those that have jobs waiting or running.
        var lines: [ObjectIdentifier: Line] = [:]
        /// The isolates that have jobs waiting and may begin one, in the order of their turns.
        var turns: [ObjectIdentifier] = []
        var runningCount = 0
        var waitingCount = 0
    }

    private let state = Mutex(State())
    private let most: Int
    private let mostOfOneIsolate: Int

    /// - Parameter most: jobs under way at a time.
    init(most: Int) {
        self.most = most
        mostOfOneIsolate = max(1, most / 2)
    }

    /// Jobs that have not begun.
    var waitingCount: Int { state.withLock { $0.waitingCount } }

    /// Has `job` done when it is the turn of `isolate`, after the jobs it gave before. Any thread.
    func add(_ job: @escaping Job, of isolate: ObjectIdentifier) {
        let begins = state.withLock { state in
            var line = state.lines[isolate] ?? Line()
            defer { state.lines[isolate] = line }
            if line.jobs.isEmpty, line.runningCount < mostOfOneIsolate, state.runningCount < most {
                line.runningCount += 1
                state.runningCount += 1
                return true
            }
            line.jobs.append(job)
            state.waitingCount += 1
            if line.jobs.count == 1, line.runningCount < mostOfOneIsolate { state.turns.append(isolate) }
            return false
        }
        if begins { begin(job, of: isolate) }
    }

    private func begin(_ job: Job, of isolate: ObjectIdentifier) { job { [self] in ended(isolate) } }

    private func ended(_ isolate: ObjectIdentifier) {
        let next = state.withLock { state -> (Job, ObjectIdentifier)? in
            state.runningCount -= 1
            if var line = state.lines[isolate] {
                line.runningCount -= 1
                // It was kept from its turn by its own jobs.
                if !line.jobs.isEmpty, line.runningCount == mostOfOneIsolate - 1 { state.turns.append(isolate) }
                state.lines[isolate] = line.jobs.isEmpty && line.runningCount == 0 ? nil : line
            }
            return takeTurn(&state)
        }
        if let (job, isolate) = next { begin(job, of: isolate) }
    }

    private func takeTurn(_ state: inout State) -> (Job, ObjectIdentifier)? {
        guard !state.turns.isEmpty else { return nil }
        let isolate = state.turns.removeFirst()
        var line = state.lines[isolate]!
        let job = line.jobs.removeFirst()
        line.runningCount += 1
        state.runningCount += 1
        state.waitingCount -= 1
        if !line.jobs.isEmpty, line.runningCount < mostOfOneIsolate { state.turns.append(isolate) }
        state.lines[isolate] = line
        return (job, isolate)
    }
}
