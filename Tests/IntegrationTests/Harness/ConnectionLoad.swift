import Foundation
import Synchronization

/// Connections that ask again and again, each request on one of its own.
final class ConnectionLoad: Sendable {
    struct Result {
        var answers = 0
        /// Accepted, and ended before an answer was there.
        var cuts = 0
        var refusals: [String] = []
        var wrong: [String] = []
    }

    static let connections = 4

    private let port: Int
    private let host: String
    private let result = Mutex(Result())
    private let isOver = Atomic<Bool>(false)
    private let left = Atomic<Int>(ConnectionLoad.connections)

    init(_ port: Int, host: String = "a.localhost") {
        self.port = port
        self.host = host
        for _ in 0..<Self.connections { Thread.detachNewThread { [self] in run() } }
    }

    func awaitAnswers(_ count: Int) throws {
        let before = result.withLock { $0.answers }
        try wait(until: "\(count) answers", by: .patient) { result.withLock { $0.answers } >= before + count }
    }

    func stop() -> Result {
        isOver.store(true, ordering: .relaxed)
        while left.load(ordering: .acquiring) > 0 { usleep(1_000) }
        return result.withLock { $0 }
    }

    private func run() {
        while !isOver.load(ordering: .relaxed) {
            do {
                ask(try Client(port: port, host: host))
            } catch {
                result.withLock { $0.refusals.append("\(error)") }
            }
        }
        left.subtract(1, ordering: .releasing)
    }

    private func ask(_ client: Client) {
        do {
            let answer = try client.get(by: .patient)
            result.withLock { result in
                if answer.text == "got " { result.answers += 1 } else { result.wrong.append(answer.summary) }
            }
        } catch {
            result.withLock { $0.cuts += 1 }
        }
    }
}
