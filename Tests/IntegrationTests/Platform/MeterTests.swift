import Foundation
import Testing

/// The ledger against the kernel's own count of CPU time.
@Suite("The meter") struct MeterTests {
    /// CPU time of the threads that run tenants' code and their crypto, in microseconds, as the kernel counts it.
    private static func kernelTime(_ martlet: Martlet) throws -> Double {
        let tasks = "/proc/\(martlet.id)/task"
        return try FileManager.default.contentsOfDirectory(atPath: tasks).reduce(0) { sum, task in
            let name = try String(contentsOfFile: "\(tasks)/\(task)/comm", encoding: .utf8)
            guard ["front-", "back-", "work-"].contains(where: name.hasPrefix) else { return sum }
            let times = try String(contentsOfFile: "\(tasks)/\(task)/schedstat", encoding: .utf8)
            return sum + (times.split(separator: " ").first.flatMap { Double($0) } ?? 0) / 1_000
        }
    }

    private static func billed(_ platform: Platform) throws -> (time: Double, requests: Int) {
        let totals = try platform.done("GET", "/accounts/{A}/usage")["totals"]
        return (Double(totals["cpu_us"].int ?? 0), totals["requests"].int ?? 0)
    }

    /// What the ledger has when it has that many requests, and all that they used: a meter's tick later.
    private static func billed(_ platform: Platform, requests: Int) throws -> Double {
        var last = -1.0
        var sameReadings = 0
        return try eventually("the ledger's end", by: .patient) {
            let (time, count) = try billed(platform)
            guard count == requests else { return nil }
            sameReadings = time == last ? sameReadings + 1 : 0
            last = time
            // The meter reads once a second; here, every few milliseconds.
            usleep(100_000)
            return sameReadings >= 15 ? time : nil
        }
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
          const x = burn(40000000);
          if (pathname === "/wait") await scheduler.wait(500);
          return new Response(`${x}`);
        } };
        """

    /// Under load that computes, nearly all that the kernel counts is billed, and nothing that it does not.
    @Test func theLedgerHasWhatTheKernelCounts() throws {
        let platform = try Platform(["--cpu-ms", "5000"])
        try platform.deploy(Self.code, as: "w")
        _ = try platform.get("w")
        let ledger = try Self.billed(platform, requests: 1)
        let kernel = try Self.kernelTime(platform.martlet)
        let client = try platform.martlet.client("w.main.localhost")
        for number in 0..<40 {
            #expect(try client.get(number % 4 == 0 ? "/derive" : "/", by: .patient).status == 200)
        }
        let used = try Self.kernelTime(platform.martlet) - kernel
        let billed = try Self.billed(platform, requests: 41) - ledger
        print("The ledger has \(billed / used) of what the kernel counts, \(Int(used)) us.")
        #expect(billed > 0.8 * used)
        #expect(billed < 1.1 * used)
    }

    /// A request that computes and then waits is billed what one is that only computes.
    @Test func waitingCostsNothing() throws {
        let platform = try Platform(["--cpu-ms", "5000"])
        try platform.deploy(Self.code, as: "w")
        var ledger: [Double] = [0]
        for (number, path) in ["/", "/", "/wait"].enumerated() {
            let client = try platform.martlet.client("w.main.localhost")
            #expect(try client.get(path, by: .patient).status == 200)
            ledger.append(try Self.billed(platform, requests: number + 1))
        }
        let (computing, waiting) = (ledger[2] - ledger[1], ledger[3] - ledger[2])
        print("Computing is billed \(Int(computing)) us, with a wait of 500 ms \(Int(waiting)) us.")
        #expect(waiting > computing / 3)
        // Caches and a neighbour's load make a difference, half a second would be another.
        #expect(waiting < 3 * computing + 100_000)
    }
}
