import Foundation
import Testing

/// Workers that crash their hosts.
@Suite("Suspects") struct SuspectTests {
    private static let busy = """
        export default { async fetch(request) {
          if (new URL(request.url).pathname === "/") return new Response("well");
          for (const end = Math.random() + 1e12, begin = 0; ;) { if (begin > end) break; }
        } };
        """

    /// CPU time of a host's lanes, in clock ticks, by their thread ids.
    private static func lanes(of host: Int) throws -> [pid_t: Int] {
        let tasks = "/proc/\(host)/task"
        var times: [pid_t: Int] = [:]
        for task in try FileManager.default.contentsOfDirectory(atPath: tasks) {
            let name = try String(contentsOfFile: "\(tasks)/\(task)/comm", encoding: .utf8)
            guard name.hasPrefix("front-") || name.hasPrefix("back-"), let id = pid_t(task) else { continue }
            let stat = try String(contentsOfFile: "\(tasks)/\(task)/stat", encoding: .utf8)
            // Behind the name, which may hold anything: the state is field 3, the time of the user's code 14.
            let fields = stat[(stat.lastIndex(of: ")") ?? stat.startIndex)...].split(separator: " ")
            times[id] = fields.count > 12 ? Int(fields[12]) : nil
        }
        return times
    }

    /// tgkill(2), which Swift's Glibc module leaves out: by Python, which has it as a raw call.
    private static func signal(_ number: Int32, thread: pid_t, of process: pid_t) throws {
        #if arch(arm64)
            let call = 131
        #else
            let call = 234
        #endif
        let python = Process()
        python.executableURL = URL(filePath: "/usr/bin/python3")
        python.arguments = [
            "-c",
            "import ctypes; raise SystemExit(ctypes.CDLL(None).syscall(\(call), \(process), \(thread), \(number)))",
        ]
        try python.run()
        python.waitUntilExit()
        #expect(python.terminationStatus == 0)
    }

    /// Has a Worker compute, and a signal sent to the thread that does it.
    private static func crash(_ platform: Platform, cordon: String) throws {
        let host = try eventually("a host", by: .patient) {
            let rows = try platform.martlet.serverStatus()["hosts"].array ?? []
            return rows.first { $0["cordon"].string == cordon }?["pid"].int
        }
        let client = try platform.martlet.client("w.main.localhost")
        let before = try lanes(of: host)
        try client.send("GET", "/busy")
        // More than it takes a lane to get as far as the Worker's code.
        let thread = try eventually("a busy lane", by: .patient) {
            try lanes(of: host).first { $0.value - before[$0.key, default: 0] >= 30 }?.key
        }
        try Self.signal(SIGSEGV, thread: thread, of: pid_t(host))
        #expect(try client.isCut(by: .patient))
    }

    @Test func whoCrashesAgainAndAgainIsSetApartAndThenRests() throws {
        let platform = try Platform(["--cpu-ms", "60000", "--front-lanes", "1", "--back-lanes", "0"])
        try platform.deploy(Self.busy, as: "w")
        try platform.deploy(Platform.answering("neighbour"), as: "n")
        #expect(try platform.get("w").text == "well")
        try Self.crash(platform, cordon: "free")
        try platform.martlet.logLine(by: .patient) { $0.contains("\(platform.account)/w") && $0.contains("runs on") }
        // What the dying host had accepted is cut.
        try wait(until: "it is well", by: .patient) { (try? platform.get("w").text) == "well" }
        try Self.crash(platform, cordon: "free")
        try platform.martlet.logLine(containing: "a process of its own", by: .patient)
        let own = "private:\(platform.account)/w"
        try Self.crash(platform, cordon: own)
        try platform.martlet.logLine(containing: "suspended for 10 s", by: .patient)
        try wait(until: "it rests", by: .patient) { (try? platform.get("w").status) == 503 }
        #expect(try platform.get("w")["Retry-After"] != nil)
        #expect(try platform.martlet.get(host: "n.main.localhost", by: .patient).text == "neighbour")
        // And comes back.
        try wait(until: "it runs again", by: .patient) { (try? platform.get("w").text) == "well" }
    }
}
