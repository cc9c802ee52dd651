import Model
import Supervisor
import Testing

@Suite("Rates of the way out") struct EgressRateTests {
    private static func rates(requests: Int = 10, bytes: Int = 1_000) -> EgressRates {
        var limits = EgressLimits()
        limits.accountRequestsPerSecond = requests
        limits.accountBytesPerSecond = bytes
        return EgressRates(limits)
    }

    @Test func requestsComeBackWithTime() {
        let rates = Self.rates()
        let now = ContinuousClock.now
        func taken(_ account: String, after seconds: Int) -> Int {
            (0..<100).count { _ in rates.takeRequest(account, now: now.advanced(by: .seconds(seconds))) }
        }
        #expect(taken("a", after: 0) == 20)
        // Another account has its own; where there are none, nobody is held.
        #expect(taken("b", after: 0) == 20)
        #expect(taken("", after: 0) == 100)
        #expect(taken("a", after: 1) == 10)
        #expect(taken("a", after: 3_600) == 20)
    }

    @Test func bytesArePaidForLater() {
        let rates = Self.rates()
        let now = ContinuousClock.now
        #expect(rates.take(2_000, of: "a", now: now) == 0)
        #expect(rates.take(500, of: "a", now: now) == 0.5)
        #expect(rates.take(500, of: "a", now: now) == 1)
        #expect(rates.take(0, of: "a", now: now.advanced(by: .seconds(2))) == 0)
        #expect(rates.take(9_000, of: "", now: now) == 0)
    }

    @Test func manyAccountsAreForgotten() {
        let rates = Self.rates()
        let now = ContinuousClock.now
        for account in 0..<5_000 { #expect(rates.takeRequest("\(account)", now: now)) }
        for _ in 0..<19 { _ = rates.takeRequest("0", now: now) }
        for account in 0..<5_000 { _ = rates.takeRequest("x\(account)", now: now) }
        // Who has used its own up is not.
        let again = rates.takeRequest("0", now: now)
        #expect(!again)
    }
}

@Suite("What hosts have counted") struct CountBookTests {
    private static func status(_ requests: Int, _ workers: [String: Int] = [:], isolates: Int = 0) -> RuntimeStatus {
        var status = RuntimeStatus()
        status.requests.outcomes["ok"] = UInt64(requests)
        status.isolates = isolates
        for (name, count) in workers {
            var row = RuntimeStatus.Worker()
            row.requests = count
            row.isolates = isolates
            status.workers[name] = row
        }
        return status
    }

    @Test func nothingIsLostWithAHost() {
        let book = CountBook()
        book.note(Self.status(5, ["a/b v1": 5], isolates: 2), of: 1)
        book.note(Self.status(3, ["a/b v1": 3], isolates: 1), of: 2)
        #expect(book.total.requests.count == 8)
        #expect(book.total.isolates == 3)
        book.hasEnded(1)
        let total = book.total
        #expect(total.requests.count == 8)
        #expect(total.isolates == 1)
        #expect(total.workers["a/b"]?.requests == 5)
        #expect(total.workers["a/b"]?.isolates == 0)
        #expect(total.workers["a/b v1"]?.requests == 3)
        // A version that a host has no more is the Worker's still.
        book.note(Self.status(4, ["a/b v2": 1]), of: 2)
        #expect(book.total.workers.values.reduce(0) { $0 + $1.requests } == 9)
        // What comes late says nothing.
        book.note(Self.status(1), of: 2)
        #expect(book.total.requests.count == 9)
    }
}
