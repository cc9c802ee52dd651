import Testing

/// Cron triggers that fire.
@Suite("Schedules") struct ScheduleTests {
    /// A Worker that counts in KV how often it was called for each time.
    private static func platform() throws -> (Platform, namespace: String) {
        let platform = try Platform()
        let namespace = try #require(
            try platform.done("POST", "/accounts/{A}/storage/kv/namespaces", json: #"{"title":"n"}"#)["id"].string)
        let code = """
            export default {
              async scheduled(controller, { KV }) {
                const key = `${controller.cron} ${controller.scheduledTime}`;
                await KV.put(key, String(Number(await KV.get(key) ?? 0) + 1));
                if (controller.cron === "*/1 * * * *") throw new Error("on purpose");
              },
              fetch: () => new Response("here"),
            };
            """
        try platform.deploy(
            code, as: "hello",
            metadata: #","bindings":[{"type":"kv_namespace","name":"KV","namespace_id":"\#(namespace)"}]"#)
        return (platform, namespace)
    }

    private static let path = "/accounts/{A}/workers/scripts/hello/schedules"

    private static func runs(_ platform: Platform) throws -> [String: JSON] {
        guard case .array(let list) = try platform.done("GET", path)["schedules"] else { throw Failure("no list") }
        return Dictionary(uniqueKeysWithValues: list.map { ($0["cron"].string ?? "", $0["last_run"]) })
    }

    /// A start makes up for the minute that it falls into, so that nobody has to wait for the next.
    @Test func eachTimeFiresOnceEvenOverRestarts() throws {
        let (platform, namespace) = try Self.platform()
        let crons = ["* * * * *", "*/1 * * * *", "0 0 30 2 *"].map { #"{"cron":"\#($0)"}"# }
        try platform.done("PUT", Self.path, json: "[\(crons.joined(separator: ","))]")
        try platform.killAndStart()
        try wait(until: "both have run", by: .patient) {
            let runs = try Self.runs(platform)
            return runs["* * * * *"]?["outcome"].string == "ok"
                && runs["*/1 * * * *"]?["outcome"].string == "exception"
        }
        #expect(try Self.runs(platform)["0 0 30 2 *"] == .null)
        for _ in 0..<3 {
            try platform.killAndStart()
            #expect(try platform.get("hello").text == "here")
        }
        let keys = "/accounts/{A}/storage/kv/namespaces/\(namespace)"
        guard case .array(let list) = try platform.done("GET", keys + "/keys") else { throw Failure("no keys") }
        #expect(list.count >= 2)
        for key in list {
            let name = try #require(key["name"].string)
            #expect(name.hasSuffix("0000"), "the time is a whole minute")
            let path = name.map { $0 == " " ? "%20" : $0 == "/" ? "%2F" : String($0) }.joined()
            #expect(try platform.raw("GET", keys + "/values/\(path)").text == "1", "\(name)")
        }
    }

    @Test func nothingRunsForASuspendedAccount() throws {
        let (platform, namespace) = try Self.platform()
        try platform.done("PUT", Self.path, json: #"[{"cron":"* * * * *"}]"#)
        try platform.done("PUT", "/accounts/{A}", json: #"{"suspended":true}"#)
        try platform.killAndStart()
        try wait(until: "the run has ended", by: .patient) {
            try Self.runs(platform)["* * * * *"]?["outcome"].string == "scriptNotFound"
        }
        #expect(try platform.done("GET", "/accounts/{A}/storage/kv/namespaces/\(namespace)/keys") == .array([]))
    }
}
