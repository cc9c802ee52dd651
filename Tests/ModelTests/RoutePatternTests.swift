import Model
import Testing

@Suite struct RoutePatternTests {
    struct Case: CustomStringConvertible {
        let pattern: String
        let url: String
        let matches: Bool
        var description: String { "\(pattern) \(matches ? "takes" : "leaves") \(url)" }
        init(_ pattern: String, _ url: String, _ matches: Bool) {
            self.pattern = pattern
            self.url = url
            self.matches = matches
        }
    }

    @Test(arguments: [
        Case("example.com/*", "https://example.com/", true),
        Case("example.com/*", "http://example.com/a?b", true),
        Case("example.com/*", "https://www.example.com/", false),
        Case("*.example.com/*", "https://www.example.com/", true),
        Case("*.example.com/*", "https://a.b.example.com/", true),
        Case("*.example.com/*", "https://example.com/", false),
        Case("*example.com/*", "https://example.com/", true),
        Case("*example.com/*", "https://www.example.com/", true),
        Case("*example.com/*", "https://badexample.com/", false),
        Case("example.com", "https://example.com/", true),
        Case("example.com", "https://example.com/a", false),
        Case("example.com/a", "https://example.com/a", true),
        Case("example.com/a", "https://example.com/a?q=1", false),
        Case("example.com/a", "https://example.com/A", false),
        Case("EXAMPLE.com/a*", "https://example.com/a?q=1", true),
        Case("example.com/a*", "https://example.com/abc/d", true),
        Case("example.com/a/*", "https://example.com/a", false),
        Case("https://example.com/*", "http://example.com/", false),
        Case("https://example.com/*", "https://example.com/", true),
    ])
    func takes(_ test: Case) throws {
        let pattern = try RoutePattern(test.pattern)
        let match = try #require(test.url.wholeMatch(of: #/(https?)://([^/]+)(/.*)/#))
        let isMatch = pattern.matches(scheme: String(match.1), host: String(match.2), target: String(match.3))
        #expect(isMatch == test.matches)
    }

    @Test(arguments: [
        "", "*", "/a", "exa mple.com/", "a.*.example.com/", "example.com/*/b", "example.com/a?b", "ftp://example.com/",
        "example.com:8080/", "-a.example.com/", "example..com/", "ex*ample.com/", "example.com/a#b", "*.*.example.com/",
    ])
    func refuses(_ text: String) {
        #expect(throws: RoutePattern.Invalid.self) { try RoutePattern(text) }
    }

    @Test func theMostSpecificComesFirst() throws {
        let ordered = [
            "https://a.example.com/x", "a.example.com/x", "a.example.com/xy*", "a.example.com/x*", "a.example.com/*",
            "*.a.example.com/long/path/*", "*.example.com/a", "*.example.com/*", "*example.com/a",
        ]
        let patterns = try ordered.map { try RoutePattern($0) }
        for (index, pattern) in patterns.enumerated() {
            for later in patterns[(index + 1)...] {
                #expect(pattern.isMoreSpecific(than: later), "\(pattern) before \(later)")
                #expect(!later.isMoreSpecific(than: pattern), "\(later) behind \(pattern)")
            }
        }
    }
}
