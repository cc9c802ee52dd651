import Testing

/// SIGKILL of a location at any point of taking changes in: it comes back with what it had, or newer, and with what was
/// acknowledged in the end.
@Suite("kill -9 of locations") struct EdgeCrashTests {
    private static let rounds = 100

    @Test func nothingOldComesBackAndAllThatWasAcknowledgedArrives() throws {
        let platform = try Platform()
        try platform.deploy(Platform.answering("0"), as: "hello")
        let edge = try EdgeNode("cdg", of: platform)
        let client = try Client(port: platform.martlet.ports[1])
        var seen = 0
        for round in 1...Self.rounds {
            var form = Form()
            form.add("metadata", #"{"main_module":"index.js"}"#)
            form.add(
                "index.js", Platform.answering("\(round)"), filename: "index.js", type: "application/javascript+module")
            try client.send(
                "PUT", "/client/v4/accounts/\(platform.account)/workers/scripts/hello",
                fields: [("Authorization", "Bearer \(platform.token)"), form.contentType], body: form.bytes)
            let answer = try edge.get("hello").text
            seen = max(seen, Int(answer) ?? 0)
            // At some point of the deploy and its way to the location.
            let moment = Deadline(seconds: Double.random(in: 0...0.03))
            while !moment.hasPassed { seen = max(seen, Int(try edge.get("hello").text) ?? 0) }
            try edge.martlet.kill9()
            #expect(try client.answer(by: .patient).status == 200)
            try edge.start()
            let first = Int(try edge.get("hello").text) ?? -1
            #expect(first >= seen && first <= round, "round \(round): \(first) after \(seen)")
            try edge.wait(for: "\(round)", of: "hello")
            seen = round
        }
        #expect(try edge.readiness()["failure"] == .null)
    }
}
