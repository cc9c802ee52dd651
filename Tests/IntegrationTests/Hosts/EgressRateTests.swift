import Foundation
import Testing

/// What an account may use of the way out in a second, from all its hosts together.
@Suite("Egress rates") struct EgressRateTests {
    private static func platform(_ origin: Origin, _ flags: [String]) throws -> Platform {
        let platform = try Platform(["--egress-allow", "127.0.0.1:\(origin.port)", "--subrequests", "1000"] + flags)
        let code = """
            export default { async fetch(request) {
              const count = Number(new URL(request.url).searchParams.get("n"));
              const all = Array.from({ length: count }, () => fetch("\(origin.url)/").then((r) => r.arrayBuffer()));
              const results = await Promise.allSettled(all);
              const failed = results.filter((r) => r.status === "rejected");
              const bytes = results.reduce((sum, r) => sum + (r.value?.byteLength ?? 0), 0);
              return Response.json([count - failed.length, bytes, String(failed[0]?.reason)]);
            } };
            """
        for name in ["a", "b"] { try platform.deploy(code, as: name) }
        return platform
    }

    @Test func subrequestsInASecond() throws {
        let origin = try Origin.answering { _ in .text("") }
        let platform = try Self.platform(origin, ["--account-egress-rate", "20"])
        // In different processes, which share what the account has.
        try platform.setCordon("paid", of: "b")
        var made = 0
        let start = ContinuousClock.now
        for name in ["a", "b", "a", "b"] {
            let answer = try platform.martlet.client("\(name).main.localhost").get("/?n=100", by: .patient).json()
            made += try #require(answer[0].int)
            #expect(answer[2].string?.contains("20 subrequests a second") ?? false, "\(answer)")
        }
        let seconds = start.duration(to: .now) / .seconds(1)
        #expect(made >= 40)
        #expect(Double(made) <= 40 + 20 * seconds + 1)
        #expect(origin.requests.count == made)
    }

    @Test func bytesInASecond() throws {
        let size = 4 << 20
        let origin = try Origin.answering { _ in .text(String(repeating: "x", count: size)) }
        let platform = try Self.platform(origin, ["--account-egress-mb", "1"])
        let start = ContinuousClock.now
        let answer = try platform.martlet.client("a.main.localhost").get("/?n=1", by: .patient).json()
        #expect(answer[1].int == size, "\(answer)")
        // Two seconds' worth comes at once, and some may be on its way.
        #expect(start.duration(to: .now) > .seconds(1))
    }
}
