import Foundation
import Synchronization
import Testing

/// Deploys while clients ask without a pause.
@Suite("Deploys under load") struct DeployTests {
    @Test func noRequestFailsAndNoneMeetsAnOldVersion() throws {
        let platform = try Platform()
        try platform.deploy(Platform.answering("0"), as: "hello")
        let load = Load(port: platform.martlet.port, host: "hello.main.localhost", clients: 3)
        for number in 1...Self.deploys {
            let answered = load.answered
            #expect(try platform.upload(Platform.answering("\(number)"), as: "hello").status == 200)
            load.expect(atLeast: number)
            try wait(until: "every client has asked again", by: .patient) { load.answered > answered + 30 }
        }
        load.stop()
        #expect(load.failures == [])
        #expect(try platform.get("hello").text == "\(Self.deploys)")
    }

    private static let deploys = 25
}

/// Clients on connections of their own, whose answers are the number of a version.
private final class Load: Sendable {
    private struct State {
        var answered = 0
        var expected = 0
        var failures: [String] = []
        var isStopped = false
    }

    private let state = Mutex(State())
    private let group = DispatchGroup()

    init(port: Int, host: String, clients: Int) {
        for _ in 0..<clients {
            group.enter()
            Thread.detachNewThread { [self] in
                defer { group.leave() }
                do {
                    let client = try Client(port: port, host: host)
                    while !state.withLock({ $0.isStopped }) { try ask(client) }
                } catch {
                    state.withLock { $0.failures.append("\(error)") }
                }
            }
        }
    }

    private func ask(_ client: Client) throws {
        let expected = state.withLock { $0.expected }
        let answer = try client.get(by: .patient)
        state.withLock { state in
            state.answered += 1
            // An answer may be newer than what was acknowledged when it was asked for, never older.
            guard answer.status == 200, let number = Int(answer.text), number >= expected else {
                return state.failures.append("expected \(expected), not \(answer.summary)")
            }
        }
    }

    var answered: Int { state.withLock { $0.answered } }
    var failures: [String] { state.withLock { $0.failures } }

    /// That version has been acknowledged.
    func expect(atLeast number: Int) { state.withLock { $0.expected = number } }

    func stop() {
        state.withLock { $0.isStopped = true }
        group.wait()
    }
}
