import Testing

/// SIGKILL at any point of a deploy: what was acknowledged is served afterwards, what was not is wholly old or wholly
/// new.
@Suite("kill -9 during deploys") struct CrashTests {
    @Test func nothingAcknowledgedIsLostAndNothingIsHalf() throws {
        let platform = try Platform()
        try platform.deploy(Self.code(0), as: "hello", metadata: Self.metadata(0))
        var acknowledged = 0
        var random = SystemRandomNumberGenerator()
        for round in 1...Self.rounds {
            let number = round * 10
            // A deploy that is waited for, then one that the kill falls into.
            #expect(
                try platform.upload(Self.code(number), as: "hello", metadata: Self.metadata(number)).status == 200)
            acknowledged = number
            let client = try Client(port: platform.martlet.ports[1])
            let form = Self.form(number + 1)
            try client.send(
                "PUT", "/client/v4/accounts/\(platform.account)/workers/scripts/hello",
                fields: [("Authorization", "Bearer \(platform.token)"), form.contentType], body: form.bytes)
            let delay = UInt64.random(in: 0...30_000_000, using: &random)
            let isDone = try Self.isAnswered(client, within: delay)
            try platform.killAndStart()
            let answer = try platform.get("hello").text
            let new = "code \(number + 1), variable \(number + 1)"
            let old = "code \(acknowledged), variable \(acknowledged)"
            #expect(isDone ? answer == new : answer == old || answer == new, "round \(round) after \(delay) ns")
        }
    }

    private static let rounds = 200

    private static func code(_ number: Int) -> String {
        "export default { fetch: (r, env) => new Response(`code \(number), variable ${env.N}`) };"
    }

    private static func metadata(_ number: Int) -> String {
        #","bindings":[{"type":"plain_text","name":"N","text":"\#(number)"}]"#
    }

    private static func form(_ number: Int) -> Form {
        var form = Form()
        form.add("metadata", #"{"main_module":"index.js"\#(metadata(number))}"#)
        form.add("index.js", code(number), filename: "index.js", type: "application/javascript+module")
        return form
    }

    /// Waits so long, or until there is an answer.
    private static func isAnswered(_ client: Client, within nanoseconds: UInt64) throws -> Bool {
        let deadline = Deadline(seconds: Double(nanoseconds) / 1e9)
        guard client.socket.wait(for: .readable, by: deadline) else { return false }
        return try client.answer().status == 200
    }
}
