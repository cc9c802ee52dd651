import Foundation
import Testing

/// The ledger against the kernel's own count of CPU time.
@Suite("The meter") struct MeterTests {
    /// CPU time of the threads that run tenants' code and their crypto, in microseconds, as the kernel counts it.
    private static func kernelTime(_ martlet: Martlet) throws -> Double {
        let host = try #require(try martlet.serverStatus()["hosts"][0]["pid"].int)
        let tasks = "/proc/\(host)/task"
        return try FileManager.default.contentsOfDirectory(atPath: tasks).reduce(0) { sum, task in
            let name = try String(contentsOfFile: "\(tasks)/\(task)/comm", encoding: .utf8)
            guard ["front-", "back-", "work-"].contains(where: name.hasPrefix) else { return sum }
            let times = try String(contentsOfFile: "\(tasks)/\(task)/schedstat", encoding: .utf8)
            return sum + (times.split(separator: " ").first.flatMap { Double($0) } ?? 0) / 1_000
        }
    }

    /// What the ledger says of a platform on whose only lane one request follows the other.
    private final class Ledger {
        let platform: Platform
        private var requests = 0

        init(_ platform: Platform) { self.platform = platform }

        func ask(_ path: String) throws {
            #expect(try platform.martlet.client("w.main.localhost").get(path, by: .patient).status == 200)
            requests += 1
        }

        /// All that was used so far, in microseconds. A batch that has the first of two more requests may have been
        /// read while that was counted; the one that has the second is a later one, and has all before the first.
        func billed() throws -> Double {
            var time = 0.0
            for _ in 0..<2 {
                try ask("/mark")
                time = try eventually("the request in the ledger", by: .patient) {
                    let totals = try platform.done("GET", "/accounts/{A}/usage")["totals"]
                    return totals["requests"].int == requests ? Double(totals["cpu_us"].int ?? 0) : nil
                }
            }
            return time
        }
    }

    private static func ledger() throws -> Ledger {
        let platform = try Platform(["--cpu-ms", "5000", "--front-lanes", "1", "--back-lanes", "0"])
        try platform.deploy(code, as: "w")
        return Ledger(platform)
    }

    private static let code = """
        function burn(rounds) { let x = 1; for (let i = 0; i < rounds; i++) x = (x * 31 + i) | 0; return x; }
        export default { async fetch(request) {
          const { pathname } = new URL(request.url);
          if (pathname === "/derive") {
            const secret = await crypto.subtle.importKey("raw", new Uint8Array(8), "PBKDF2", false, ["deriveBits"]);
            await crypto.subtle.deriveBits(
              { name: "PBKDF2", hash: "SHA-256", salt: new Uint8Array(8), iterations: 100000 }, secret, 256);
            return new Response("derived");
          }
          if (pathname === "/mark") return new Response();
          const x = burn(pathname === "/" ? 40000000 : 4000000);
          if (pathname === "/wait") await scheduler.wait(2000);
          return new Response(`${x}`);
        } };
        """

    /// Under load that computes, nearly all that the kernel counts is billed, and nothing that it does not.
    @Test func theLedgerHasWhatTheKernelCounts() throws {
        let ledger = try Self.ledger()
        try ledger.ask("/")
        let before = try ledger.billed()
        let kernel = try Self.kernelTime(ledger.platform.martlet)
        for number in 0..<40 { try ledger.ask(number % 4 == 0 ? "/derive" : "/") }
        let used = try Self.kernelTime(ledger.platform.martlet) - kernel
        let billed = try ledger.billed() - before
        print("The ledger has \(billed / used) of what the kernel counts, \(Int(used)) us.")
        #expect(billed > 0.8 * used)
        #expect(billed < 1.1 * used)
    }

    /// A request that computes and then waits is billed what one is that only computes.
    @Test func waitingCostsNothing() throws {
        let ledger = try Self.ledger()
        var readings: [Double] = []
        for path in ["/", "/short", "/wait"] {
            try ledger.ask(path)
            readings.append(try ledger.billed())
        }
        let (computing, waiting) = (readings[1] - readings[0], readings[2] - readings[1])
        print("Computing is billed \(Int(computing)) us, with a wait of 2 s \(Int(waiting)) us.")
        #expect(waiting > computing / 10)
        // Caches and a neighbour's load make a difference; two seconds would be another.
        #expect(waiting < computing + 1_000_000)
    }
}
