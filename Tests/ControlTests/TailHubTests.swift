import Control
import Model
import Testing

@Suite struct TailHubTests {
    /// Its filters, up to 64 KB, were kept by its timers for up to a day.
    @Test func aTailThatWasDeletedIsGone() async throws {
        let hub = TailHub(lifetime: 86_400, colo: "LOC")
        let key = ScriptKey(account: "a", name: "w")
        weak var tail: Tail?
        do {
            let added = try hub.add([.text("x")], to: key)
            tail = added
            hub.remove(added.id)
        }
        let clock = ContinuousClock()
        let deadline = clock.now + .seconds(60)
        // Timers are taken back on a thread of the hub's.
        while tail != nil, clock.now < deadline { try await Task.sleep(for: .milliseconds(5)) }
        #expect(tail == nil)
    }
}
