import Glibc

/// A point in time by which something must have happened. Every wait of these tests has one, ten times as long as it
/// should take, so that a test fails rather than hangs.
struct Deadline {
    /// For whatever should take a moment.
    static var soon: Deadline { Deadline(seconds: 10) }
    /// For starts of a process, large bodies, and what may queue behind other tests on few cores.
    static var patient: Deadline { Deadline(seconds: 30) }

    private let time: UInt64

    init(seconds: Double) {
        time = Self.now + UInt64(seconds * 1e9)
    }

    /// For poll(2): 0 if the deadline has passed.
    var milliseconds: Int32 {
        let now = Self.now
        return now >= time ? 0 : Int32(clamping: (time - now + 999_999) / 1_000_000)
    }

    var hasPassed: Bool { Self.now >= time }

    /// Monotonic nanoseconds.
    static var now: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}

/// Time since it was made.
struct Stopwatch {
    private let start = Deadline.now

    var seconds: Double { Double(Deadline.now - start) / 1e9 }
}

/// Repeats `body` until it gives a value: for states that can only be asked for, such as a status page.
func eventually<Value>(
    _ what: String, by deadline: Deadline = .soon, _ body: () throws -> Value?
) throws -> Value {
    while true {
        if let value = try body() { return value }
        guard !deadline.hasPassed else { throw Failure("\(what): not in time") }
        usleep(2_000)
    }
}

/// Repeats a question until the answer is yes.
func wait(until what: String, by deadline: Deadline = .soon, _ isSo: () throws -> Bool) throws {
    try eventually(what, by: deadline) { try isSo() ? () : nil }
}

/// What went wrong, for whoever reads the test's output.
struct Failure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
