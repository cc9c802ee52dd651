import Foundation
import Testing

/// What a process tells of itself: metrics, health, its log.
@Suite("Metrics and logs") struct MetricsTests {
    private static let code = """
        export default { fetch(request) {
          console.log("a \\"line\\"");
          if (request.url.endsWith("/throw")) throw new Error("x");
          return new Response("ok");
        } };
        """

    /// Samples by their names and labels.
    private static func samples(_ text: String) throws -> [String: Double] {
        var samples: [String: Double] = [:]
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            guard let space = line.lastIndex(of: " "), let value = Double(line[line.index(after: space)...]) else {
                throw Failure("not a sample: \(line)")
            }
            samples[String(line[..<space])] = value
        }
        return samples
    }

    private static func metrics(_ platform: Platform) throws -> [String: Double] {
        let answer = try Client(port: platform.martlet.ports[1]).get("/metrics")
        #expect(answer.values(of: "content-type") == ["text/plain; version=0.0.4; charset=utf-8"])
        return try samples(answer.text)
    }

    /// Counters of a host that has ended are still counted.
    @Test func nothingGoesBackWithAHost() throws {
        let platform = try Platform()
        try platform.deploy(Self.code, as: "w")
        for _ in 0..<5 { _ = try platform.get("w") }
        let counters = [
            #"martlet_requests_total{outcome="ok"}"#, "martlet_request_duration_seconds_count",
            "martlet_worker_requests_total{worker=\"\(platform.account)/w\"}",
        ]
        let before = try eventually("all are counted", by: .patient) {
            let samples = try Self.metrics(platform)
            return counters.allSatisfy { samples[$0] == 5 } ? samples : nil
        }
        let hosts = try platform.martlet.serverStatus()["hosts"].array ?? []
        kill(pid_t(try #require(hosts.first?["pid"].int)), SIGKILL)
        let client = try platform.martlet.client("w.main.localhost")
        _ = try? client.get(by: .patient)
        try wait(until: "the next host counts on", by: .patient) {
            let samples = try Self.metrics(platform)
            for name in counters { #expect(samples[name] ?? 0 >= 5, "\(name)") }
            #expect(samples["martlet_cpu_seconds_total"] ?? 0 >= before["martlet_cpu_seconds_total"] ?? 0)
            _ = try? platform.get("w")
            return counters.allSatisfy { samples[$0] ?? 0 > 5 }
        }
        // A deploy takes no version's counts away either.
        let counted = try Self.metrics(platform)
        try platform.deploy(Platform.answering("new"), as: "w")
        _ = try platform.get("w")
        let after = try Self.metrics(platform)
        for name in counters { #expect(after[name] ?? 0 >= counted[name] ?? 0, "\(name)") }
    }

    @Test func aPlatformCounts() throws {
        let platform = try Platform()
        try platform.deploy(Self.code, as: "w")
        for _ in 0..<5 { _ = try platform.get("w") }
        _ = try platform.get("w", "/throw")
        // A request may be counted a moment after its answer, where another lane has made it.
        let samples = try eventually("all are counted") {
            let samples = try Self.metrics(platform)
            return samples["martlet_request_duration_seconds_count"] == 6 ? samples : nil
        }
        #expect(samples[#"martlet_requests_total{outcome="ok"}"#] == 5)
        #expect(samples[#"martlet_requests_total{outcome="exception"}"#] == 1)
        #expect(samples["martlet_request_duration_seconds_count"] == 6)
        #expect(samples[#"martlet_request_cpu_seconds_bucket{le="+Inf"}"#] == 6)
        #expect(samples["martlet_request_cpu_seconds_sum"] ?? 0 > 0)
        #expect(samples["martlet_cold_starts_total"] ?? 0 >= 1)
        #expect(samples["martlet_isolates"] ?? 0 >= 1)
        #expect(samples["martlet_condemned_isolates_total"] == 0)
        #expect(samples["martlet_evictions_total"] == 0)
        #expect(samples[#"martlet_queue_depth{queue="storage"}"#] == 0)
        #expect(samples["martlet_cpu_seconds_total"] ?? 0 > 0)
        let worker = "{worker=\"\(platform.account)/w\"}"
        #expect(samples["martlet_worker_requests_total\(worker)"] == 6)
        #expect(samples["martlet_worker_errors_total\(worker)"] == 1)
        let revision = try #require(samples["martlet_store_revision"])
        try platform.deploy(Platform.answering("new"), as: "w")
        #expect(try Self.metrics(platform)["martlet_store_revision"] ?? 0 > revision)
        // A class holds all those before it.
        let buckets = samples.filter { $0.key.hasPrefix("martlet_request_duration_seconds_bucket") }
        #expect(buckets.count == 16)
        #expect(buckets.values.allSatisfy { $0 <= 6 })
    }

    /// However many Workers there are, so many have series of their own.
    @Test func seriesAreBounded() throws {
        let folder = try ScratchFolder()
        for number in 0..<230 { try folder.write("w\(number).js", "export default { fetch() {} };") }
        let martlet = try Martlet.serve(folder.path)
        let samples = try Self.samples(try Client(port: martlet.ports[1]).get("/metrics").text)
        #expect(samples.keys.count { $0.hasPrefix("martlet_worker_requests_total{") } == 200)
        #expect(samples["martlet_workers"] == 230)
    }

    /// Beyond this machine only health is for everybody.
    @Test func whoMaySeeWhat() throws {
        let platform = try Platform(["--admin-host", "0.0.0.0"])
        func status(_ path: String, token: String = "") throws -> Int {
            let fields = token.isEmpty ? [] : [("Authorization", "Bearer \(token)")]
            return try Client(port: platform.martlet.ports[1]).get(path, fields: fields).status
        }
        for path in ["/healthz", "/readyz"] { #expect(try status(path) == 200) }
        for path in ["/metrics", "/__martlet/status"] {
            #expect([401, 403].contains(try status(path)))
            #expect(try status(path, token: "mlt_wrong") == 401)
            #expect(try status(path, token: platform.token) == 200)
        }
        let made = try platform.done(
            "POST", "/accounts/{A}/tokens", json: #"{"name":"reader","scope":"read"}"#)
        #expect(try status("/metrics", token: try #require(made["value"].string)) == 403)
        let folder = try ScratchFolder()
        try folder.write("w.js", Self.code)
        let martlet = try Martlet.serve(folder.path, ["--admin-host", "0.0.0.0"])
        for (path, expected) in [("/healthz", 200), ("/readyz", 200), ("/metrics", 403), ("/__martlet/status", 403)] {
            #expect(try Client(port: martlet.ports[1]).get(path).status == expected)
        }
    }

    @Test func logsHaveAForm() throws {
        let folder = try ScratchFolder()
        try folder.write("index.js", Self.code)
        let json = try Martlet.dev(folder.path, ["--log-format", "json"])
        let answer = try json.get()
        #expect(answer.text == "ok")
        let line = try JSON(try json.logLine { $0.contains("line") }.utf8)
        #expect(line["message"].string == "a \"line\"")
        #expect(line["ray"].string.map { answer.values(of: "cf-ray") == [$0] } == true)
        #expect(try JSON(try json.logLine { $0.contains("GET") }.utf8)["level"].string == "info")
        try folder.write("w.js", Self.code)
        let text = try Martlet.serve(folder.path, ["--log-format", "text"])
        _ = try text.get(host: "w.localhost")
        #expect(try text.logLine(containing: "line") == "  w: a \"line\"")
    }

    @Test func devTellsWhatAnswersCost() throws {
        let folder = try ScratchFolder()
        try folder.write("index.js", Self.code)
        let martlet = try Martlet.dev(folder.path)
        let first = try martlet.get().values(of: "server-timing")
        #expect(first.count == 1)
        #expect(first.first?.wholeMatch(of: #/cpu;dur=\d+\.\d\d, total;dur=\d+\.\d\d, start;dur=\d+\.\d\d/#) != nil)
        #expect(try martlet.get().values(of: "server-timing").first?.contains("start") == false)
        try folder.write("w.js", Self.code)
        let served = try Martlet.serve(folder.path)
        #expect(try served.get(host: "w.localhost").values(of: "server-timing").isEmpty)
    }
}
