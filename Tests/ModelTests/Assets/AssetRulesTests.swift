import Model
import Testing

@Suite("_headers and _redirects") struct AssetRulesTests {
    private static func site(headers: String = "", redirects: String = "", _ files: [String] = ["/a.txt"]) -> AssetSite
    {
        AssetSite(
            AssetSiteTests.set(files) {
                $0.headers = AssetRules.headers(headers).rules
                $0.redirects = AssetRules.redirects(redirects, htmlHandling: $0.htmlHandling).rules
            }, hasWorker: false)
    }

    @Test func headersAddUpReplaceAndGo() {
        let site = Self.site(
            headers: """
                # what all get
                /*
                  X-All: yes
                  Cache-Control: no-store
                /a.*
                  X-All: more
                  X-Splat: <:splat>
                  ! ETag
                https://:sub.example.com/*
                  X-Sub: :sub :none
                /other
                  X-Other: 1
                """)
        let response = site.response(to: AssetSiteTests.request("/a.txt", host: "www.example.com"))
        #expect(response["x-all"] == "yes, more")
        #expect(response["cache-control"] == "no-store")
        #expect(response["x-splat"] == "<txt>")
        #expect(response["etag"] == nil)
        #expect(response["x-sub"] == "www :none")
        #expect(response["x-other"] == nil)
        #expect(site.response(to: AssetSiteTests.request("/a.txt", host: "a.b.example.com"))["x-sub"] == nil)
        #expect(site.response(to: AssetSiteTests.request("/none"))["x-all"] == "yes")
    }

    @Test func whatHeadersCannotBeIsNamed() {
        let text = """
            X-Early: 1
            /a
              no colon
              bad name: 1
              empty:
              good: 1
            ftp://x/
              good: 2
            /b
            /:a:b
              good: 3
            /*/*
              good: 4
            \("/" + String(repeating: "x", count: 2_001))
            """
        let parsed = AssetRules.headers(text)
        #expect(parsed.rules.map(\.pattern) == ["/a"])
        #expect(parsed.findings.map(\.line).sorted() == [1, 3, 4, 5, 7, 9, 10, 12, 14])
        let many = (0..<102).map { "/\($0)\n  a: b\n" }.joined()
        #expect(AssetRules.headers(many).rules.count == 100)
        #expect(AssetRules.headers(many).complaint?.contains("more than 100 rules") == true)
        // No field can end its line.
        #expect(AssetRules.headers("/a\n  x: a\rset-cookie: b").rules.isEmpty)
    }

    @Test(arguments: [
        ("/old", "301 /new?q=1"), ("/old/", "404"), ("/blog/a/b", "302 /posts/a/b?q=1"),
        ("/u/7/x", "302 /7-x.html?q=1"),
        ("/out", "308 https://example.org/p?q=1"), ("/own", "302 /n?own#h"), ("/rewritten", "200 /a.txt"),
        ("/dead", "404"), ("/twice//evil.example", "302 /evil.example?q=1"), ("/late", "303 /fixed?q=1"),
    ])
    func redirects(_ path: String, _ expected: String) {
        let site = Self.site(
            redirects: """
                /old /new 301   # moved
                /out https://example.org/p 308
                /own /n?own#h
                /rewritten /a.txt 200
                /dead /nothing 200
                /blog/* /posts/:splat
                /twice/* /:splat
                /u/:id/:name /:id-:name.html
                /late /fixed 303
                """)
        let response = site.response(to: AssetSiteTests.request(path + "?q=1"))
        let text = [String(response.status), response.file?.hash ?? response["location"]].compactMap { $0 }
        #expect(text.joined(separator: " ") == expected)
    }

    @Test func whatRedirectsCannotBeIsNamed() {
        let text = """
            /a
            /b /c 404
            https://x/y /z
            /c relative
            /d https://example.org 200
            /* /index.html 200
            / /index
            /e /f
            /e /g
            /h /i 301 extra
            /ok /fine
            /j https://example.org/\r\u{0}x
            """
        let parsed = AssetRules.redirects(text, htmlHandling: .autoTrailingSlash)
        #expect(parsed.rules.map(\.pattern) == ["/e", "/ok"])
        #expect(parsed.findings.map(\.line) == [1, 2, 3, 4, 5, 6, 7, 9, 10, 12])
        #expect(AssetRules.redirects("/ /index.html", htmlHandling: .none).rules.count == 1)
        let fromWindows = AssetRules.redirects("/a /b\r\n/c /d 301\r\n", htmlHandling: .none)
        #expect(fromWindows.rules.map(\.target) == ["/b", "/d"] && fromWindows.findings.isEmpty)
        let many = (0..<2_001).map { "/\($0) /x\n" }.joined() + (0..<101).map { "/\($0)/* /y\n" }.joined()
        #expect(AssetRules.redirects(many, htmlHandling: .none).rules.count == 2_100)
    }

    /// Rules that would take a backtracking matcher for ever.
    @Test(.timeLimit(.minutes(1))) func hostilePatternsEnd() throws {
        let pattern = try AssetPattern("/" + (0..<10).map { ":p\($0)-" }.joined() + "*x")
        let path = "/" + String(repeating: "-", count: 2_000)
        #expect(pattern.match(host: "", path: path) == nil)
        #expect(pattern.match(host: "", path: path + "x")?["p0"] == String(repeating: "-", count: 1_981))
        let rule = "/" + String(repeating: "*-", count: 40) + "x"
        let site = AssetSite(AssetSiteTests.set(["/a"]) { $0.workerFirst = .patterns([rule]) }, hasWorker: true)
        #expect(site.route(AssetSiteTests.request(path)) == nil)
        #expect(throws: AssetRuleError.self) { _ = try AssetPattern((0..<13).map { "/:p\($0)" }.joined()) }
        // Long paths are taken by what is at the end only.
        let long = "/" + String(repeating: "a", count: 10_000)
        #expect(try AssetPattern("/a*").match(host: "", path: long)?["splat"]?.utf8.count == 9_999)
        #expect(try AssetPattern("/:a").match(host: "", path: long) == nil)
        #expect(try AssetPattern("/:a").match(host: "", path: "/b") == ["a": "b"])
        #expect(try AssetPattern("/*/end").match(host: "", path: "/a/end/end") == ["splat": "a/end"])
        #expect(try AssetPattern("/:a.:b").match(host: "", path: "/x.y.z") == ["a": "x.y", "b": "z"])
        #expect(try AssetPattern("/:a/x").match(host: "", path: "//x") == nil)
    }

    /// Texts that nearly fit everywhere: matching them once took the product of both lengths.
    @Test(.timeLimit(.minutes(1))) func longTextsAreSearchedInOneGo() throws {
        let pattern = try AssetPattern("/*" + String(repeating: "a", count: 1_000) + "b:c")
        let path = "/" + String(repeating: "a", count: 2_000) + "c"
        for _ in 0..<50_000 { #expect(pattern.match(host: "", path: path) == nil) }
        let fitting = "/" + String(repeating: "a", count: 1_500) + "bc"
        #expect(pattern.match(host: "", path: fitting) == ["splat": String(repeating: "a", count: 500), "c": "c"])
        #expect(try AssetPattern("/*aab:x").match(host: "", path: "/aaab") == nil)
        #expect(try AssetPattern("/*aab:x").match(host: "", path: "/aaabaabz") == ["splat": "aaab", "x": "z"])
    }

    @Test(arguments: [
        ("/a*", "/abc", true), ("/a*", "/b", false), ("*", "", true), ("**", "/x", true), ("/a", "/a", true),
        ("/a", "/ab", false), ("/*/c", "/a/b/c", true), ("/*/c", "/c", false), ("/a*a", "/a", false),
        ("/a*a", "/aa", true), ("/*ab*ab", "/abab", true), ("/*ab*ab", "/ab", false), ("/*aab*c*", "/aaabxc", true),
        ("/*b*a*", "/ab", false),
    ])
    func globs(pattern: String, path: String, takes: Bool) {
        #expect(AssetPattern.glob(pattern[...], takes: path) == takes)
    }
}
