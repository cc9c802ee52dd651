import ArgumentParser
import Foundation
import Model

/// Flags for waiting until a change has come to the locations.
struct RolloutOptions: ParsableArguments {
    @Option(help: "Wait until that part of the locations that are in contact has the change; 0% does not wait.")
    var wait = "95%"
    @Option(help: "For how long, in seconds.")
    var waitS = 60

    private static let pauseMicroseconds: UInt32 = 50_000

    func validate() throws {
        guard share != nil else { throw ValidationError("--wait takes a percentage, as 95%, not '\(wait)'.") }
        guard (1...86_400).contains(waitS) else { throw ValidationError("--wait-s takes 1 to 86400, not \(waitS).") }
    }

    /// Of 1.
    private var share: Double? {
        guard wait.hasSuffix("%"), let number = Double(wait.dropLast()), (0...100).contains(number) else { return nil }
        return number / 100
    }

    /// Waits, and tells how it went. Says nothing if there are no locations.
    /// - Throws: if too few have it in time. The change stands.
    func waitForLocations(_ connection: Connection, _ script: String) throws {
        guard let share, share > 0 else { return }
        let clock = ContinuousClock()
        let end = clock.now + .seconds(waitS)
        let bar = RolloutBar()
        while true {
            let rollout = Rollout(try connection.call("GET", script + "/rollout"))
            guard rollout.count > 0 else { return }
            bar.show(rollout)
            let isEnough = rollout.isEnough(share)
            guard isEnough || clock.now >= end else {
                usleep(Self.pauseMicroseconds)
                continue
            }
            bar.end()
            rollout.tell()
            guard isEnough else {
                throw CleanFailure(
                    "the change stands, but only \(rollout.times.count) of \(rollout.present) locations have it after"
                        + " \(waitS) s; not yet: \(rollout.missing.joined(separator: " "))")
            }
            guard rollout.broken.isEmpty else {
                throw CleanFailure("the change stands, but \(rollout.broken.count) locations cannot load it")
            }
            return
        }
    }
}

/// How far a change has come.
private struct Rollout {
    /// Locations that should have it.
    let count: Int
    /// Milliseconds that it took to those that have it.
    let times: [Int]
    let missing: [String]
    let absent: [String]
    let broken: [String: String]

    init(_ json: JSONValue) {
        count = json["locations"]?.int ?? 0
        times = (json["reached"]?.object ?? [:]).values.compactMap(\.int).sorted()
        missing = json["missing"]?.strings ?? []
        absent = json["absent"]?.strings ?? []
        broken = (json["broken"]?.object ?? [:]).compactMapValues(\.string)
    }

    /// Locations in contact.
    var present: Int { times.count + missing.count }

    func isEnough(_ share: Double) -> Bool { Double(times.count) >= (Double(present) * share).rounded(.up) }

    func tell() {
        if let first = times.first, let last = times.last {
            let median = times[times.count / 2]
            print(
                "  in \(times.count) of \(present) locations: the first after \(first) ms,"
                    + " the median after \(median) ms, the last after \(last) ms")
        }
        if !absent.isEmpty { print("  absent: \(absent.joined(separator: " "))") }
        for (location, why) in broken.sorted(by: { $0.key < $1.key }) {
            print(Terminal.coloured("  \(location) cannot load it: \(why)", .red, on: STDOUT_FILENO))
        }
    }
}

/// A line that grows, on a terminal.
private struct RolloutBar {
    private static let width = 40
    private let isShown = isatty(STDERR_FILENO) == 1

    func show(_ rollout: Rollout) {
        guard isShown, rollout.present > 0 else { return }
        let filled = Self.width * rollout.times.count / rollout.present
        let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: Self.width - filled)
        write("\r[\(bar)] \(rollout.times.count)/\(rollout.present)")
    }

    func end() { if isShown { write("\r\u{1b}[K") } }

    private func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}
