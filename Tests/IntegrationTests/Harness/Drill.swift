import Foundation
import Glibc
import Synchronization

/// `make drills` runs the drills for longer than `make test`, and keeps what they find.
enum Drill {
    /// The file that findings go to; nil in an ordinary run.
    private static let file = ProcessInfo.processInfo.environment["MARTLET_DRILLS"]

    static func length(_ ordinary: Double, long: Double) -> Double { file == nil ? ordinary : long }

    /// A line of docs/drills.md.
    static func found(_ what: String, _ result: String) throws {
        guard let file else { return }
        let descriptor = open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw Failure("\(file) cannot be written") }
        defer { close(descriptor) }
        let line = Array("| \(what) | \(result) |\n".utf8)
        guard write(descriptor, line, line.count) == line.count else { throw Failure("\(file) cannot be written") }
    }

    static func seconds(_ value: Double) -> String { "\((value * 10).rounded() / 10) s" }
}

/// Asks a location for a Worker again and again, whose answer is a number that never gets less.
final class Visitor: Sendable {
    private struct State {
        var count = 0
        var highest = -1
        var complaint: String?
        var isOver = false
    }

    private let state = Mutex(State())
    private let done = DispatchSemaphore(value: 0)

    init(_ edge: EdgeNode, _ name: String) {
        let port = edge.martlet.ports[1]
        Thread.detachNewThread { [self] in
            while state.withLock({ !$0.isOver && $0.complaint == nil }) {
                visit(port, name)
                usleep(10_000)
            }
            done.signal()
        }
    }

    private func visit(_ port: Int, _ name: String) {
        do {
            let client = try Client(port: port)
            try client.send("GET", "/", fields: [("Host", "\(name).main.localhost")])
            let answer = try client.answer(by: .patient)
            let number = Int(answer.text)
            state.withLock { state in
                state.count += 1
                if let number, answer.status == 200, number >= state.highest {
                    state.highest = number
                } else {
                    state.complaint = "\(answer.summary) after \(state.highest)"
                }
            }
        } catch {
            state.withLock { $0.complaint = "\(error)" }
        }
    }

    /// Waits for that answer.
    func wait(for number: Int, by deadline: Deadline = .patient) throws {
        try IntegrationTests.wait(until: "the location answers \(number)", by: deadline) {
            try state.withLock { state in
                if let complaint = state.complaint { throw Failure("the location did not go on serving: \(complaint)") }
                return state.highest >= number
            }
        }
    }

    /// How often it was answered.
    /// - Throws: if it was not, or with something older than before.
    func leave() throws -> Int {
        state.withLock { $0.isOver = true }
        done.wait()
        return try state.withLock { state in
            if let complaint = state.complaint { throw Failure("the location did not go on serving: \(complaint)") }
            return state.count
        }
    }
}

extension Platform {
    /// A new version of a Worker that is there already.
    func change(_ name: String, to code: String) throws {
        let envelope = try upload(code, as: name)
        guard envelope.status == 200 else { throw Failure("upload of \(name): \(envelope.summary)") }
    }

    /// What all requests were counted as.
    func counted() throws -> Int { try done("GET", "/accounts/{A}/usage")["totals"]["requests"].int ?? 0 }

    /// Megabytes of memory that the processes of it have.
    func memory() throws -> Double {
        var waiting = [martlet.id]
        var kilobytes = 0
        while let id = waiting.popLast() {
            let tasks = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(id)/task")) ?? []
            for task in tasks {
                let text = (try? String(contentsOfFile: "/proc/\(id)/task/\(task)/children", encoding: .utf8)) ?? ""
                waiting += text.split(separator: " ").compactMap { pid_t($0) }
            }
            let status = (try? String(contentsOfFile: "/proc/\(id)/status", encoding: .utf8)) ?? ""
            kilobytes += status.firstMatch(of: #/VmRSS:\s+(\d+)/#).flatMap { Int($0.1) } ?? 0
        }
        return Double(kilobytes) / 1_000
    }

    /// How a location is, as the control node sees it.
    func location(_ id: String) throws -> JSON {
        guard case .array(let list) = try done("GET", "/locations"),
            let found = list.first(where: { $0["id"].string == id })
        else { throw Failure("there is no location \(id)") }
        return found
    }
}
