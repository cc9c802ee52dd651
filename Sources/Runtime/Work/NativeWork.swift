internal import Isolates
internal import Synchronization

/// Threads for native work that takes long, such as deriving a key from a password, so that no lane waits for it.
/// One for the process, and for as long as it.
///
/// Isolates take turns, one job each: one that has a thousand waiting delays another's by the jobs under way only.
final class NativeWork: Sendable {
    /// What is done on one of the threads.
    typealias Job = @Sendable () -> Void

    /// The waiting jobs of one isolate.
    private struct Line {
        var jobs: [Job] = []
        var next = 0
        var runningCount = 0

        var isEmpty: Bool { next == jobs.count }
        var count: Int { jobs.count - next }

        mutating func take() -> Job {
            defer {
                next += 1
                // Those taken go once they are the greater part.
                if 2 * next > jobs.count {
                    jobs.removeFirst(next)
                    next = 0
                }
            }
            return jobs[next]
        }
    }

    private struct State {
        /// By isolate; those that have jobs waiting or running.
        var lines: [ObjectIdentifier: Line] = [:]
        /// The isolates whose next job may begin, in the order of their turns.
        var turns: [ObjectIdentifier] = []
        /// Threads that sleep.
        var idle: [Alarm] = []
    }

    private let state = Mutex(State())
    /// How many jobs of one isolate may run at a time: half of the threads, so that two isolates cannot keep out a
    /// third.
    private let mostOfOneIsolate: Int

    init(_ name: String = "work", threads: Int) {
        mostOfOneIsolate = max(1, threads / 2)
        for number in 0..<threads { Thread.spawn(name: "\(name)-\(number)") { [self] in serve() } }
    }

    /// Has `job` done when it is the turn of `isolate`, after the jobs it gave before. Any thread.
    func add(_ job: @escaping Job, of isolate: ObjectIdentifier) {
        let sleeper = state.withLock { state -> Alarm? in
            var line = state.lines[isolate] ?? Line()
            line.jobs.append(job)
            state.lines[isolate] = line
            takeTurn(isolate, &state)
            return state.turns.isEmpty ? nil : state.idle.popLast()
        }
        sleeper?.ring()
    }

    /// Puts the isolate at the end of the turns if a job of it may begin and it is not there.
    private func takeTurn(_ isolate: ObjectIdentifier, _ state: inout State) {
        guard let line = state.lines[isolate], !line.isEmpty, line.runningCount < mostOfOneIsolate,
            !state.turns.contains(isolate)
        else { return }
        state.turns.append(isolate)
    }

    /// Jobs that have not begun.
    var waitingCount: Int { state.withLock { $0.lines.values.reduce(0) { $0 + $1.count } } }

    /// A thread's life.
    private func serve() {
        let alarm = Alarm()
        while true {
            guard let (job, isolate) = next(orSleepWith: alarm) else {
                alarm.wait()
                continue
            }
            job()
            state.withLock { ended(isolate, &$0) }
        }
    }

    private func next(orSleepWith alarm: Alarm) -> (job: Job, isolate: ObjectIdentifier)? {
        state.withLock { state in
            guard !state.turns.isEmpty else {
                state.idle.append(alarm)
                return nil
            }
            let isolate = state.turns.removeFirst()
            let job = state.lines[isolate]!.take()
            state.lines[isolate]!.runningCount += 1
            takeTurn(isolate, &state)
            return (job, isolate)
        }
    }

    private func ended(_ isolate: ObjectIdentifier, _ state: inout State) {
        state.lines[isolate]!.runningCount -= 1
        takeTurn(isolate, &state)
        if let line = state.lines[isolate], line.isEmpty, line.runningCount == 0 { state.lines[isolate] = nil }
    }
}
