import Model
import Testing

@Suite("Assets that answer") struct AssetSiteTests {
    /// Files whose hash is their path.
    static func set(_ paths: [String], _ change: (inout AssetConfiguration) -> Void = { _ in }) -> AssetSet {
        var configuration = AssetConfiguration()
        change(&configuration)
        let files = paths.map { path in
            (path, AssetFile(hash: path, blob: path, size: 1, contentType: ContentTypes.type(ofFile: path)))
        }
        return AssetSet(files: Dictionary(files) { first, _ in first }, configuration: configuration)
    }

    static func request(
        _ target: String, _ method: String = "GET", host: String = "example.com", ifNoneMatch: String? = nil,
        isNavigation: Bool = false
    ) -> AssetSite.Request {
        AssetSite.Request(
            method: method, host: host, path: AssetPath(target.utf8), ifNoneMatch: ifNoneMatch,
            isNavigation: isNavigation)
    }

    /// What a request comes to: "200 /file", "307 /there", "404".
    private static func outcome(
        _ target: String, of paths: [String], _ change: (inout AssetConfiguration) -> Void = { _ in }
    ) -> String {
        let response = AssetSite(set(paths, change), hasWorker: false).response(to: request(target))
        return [String(response.status), response.file?.hash ?? response["location"]].compactMap { $0 }
            .joined(separator: " ")
    }

    struct Case: Sendable, CustomStringConvertible {
        let files: String
        let target: String
        let auto: String
        let force: String
        let drop: String
        var description: String { "\(target) of \(files)" }
        init(_ files: String, _ target: String, auto: String, force: String, drop: String) {
            self.files = files
            self.target = target
            self.auto = auto
            self.force = force
            self.drop = drop
        }
    }

    /// The table of Cloudflare's documentation (Workers, Static Assets, HTML handling), and the corners beyond it.
    @Test(arguments: [
        Case("/index.html", "/", auto: "200 /index.html", force: "200 /index.html", drop: "200 /index.html"),
        Case("/index.html", "/index", auto: "307 /", force: "307 /", drop: "307 /"),
        Case("/index.html", "/index.html?q", auto: "307 /?q", force: "307 /?q", drop: "307 /?q"),
        Case("/f.html", "/f", auto: "200 /f.html", force: "307 /f/", drop: "200 /f.html"),
        Case("/f.html", "/f.html", auto: "307 /f", force: "307 /f/", drop: "307 /f"),
        Case("/f.html", "/f/", auto: "307 /f", force: "200 /f.html", drop: "307 /f"),
        Case("/f.html", "/f/index", auto: "307 /f", force: "307 /f/", drop: "307 /f"),
        Case("/f.html", "/f/index.html", auto: "307 /f", force: "307 /f/", drop: "307 /f"),
        Case("/d/index.html", "/d", auto: "307 /d/", force: "307 /d/", drop: "200 /d/index.html"),
        Case("/d/index.html", "/d/", auto: "200 /d/index.html", force: "200 /d/index.html", drop: "307 /d"),
        Case("/d/index.html", "/d.html", auto: "307 /d/", force: "307 /d/", drop: "307 /d"),
        Case("/d/index.html", "/d/index", auto: "307 /d/", force: "307 /d/", drop: "307 /d"),
        Case("/d/index.html", "/d/index.html", auto: "307 /d/", force: "307 /d/", drop: "307 /d"),
        Case("/b.html /b/index.html", "/b", auto: "200 /b.html", force: "307 /b/", drop: "200 /b.html"),
        Case("/b.html /b/index.html", "/b.html", auto: "307 /b", force: "200 /b.html", drop: "307 /b"),
        Case("/b.html /b/index.html", "/b/", auto: "200 /b/index.html", force: "200 /b/index.html", drop: "307 /b"),
        Case("/b.html /b/index.html", "/b/index.html", auto: "307 /b/", force: "307 /b/", drop: "200 /b/index.html"),
        Case("/x /x.html", "/x", auto: "200 /x", force: "200 /x", drop: "200 /x"),
        Case("/x /x.html", "/x.html", auto: "200 /x.html", force: "307 /x/", drop: "200 /x.html"),
        Case("/x /x.html", "/x/", auto: "404", force: "200 /x.html", drop: "404"),
        Case("/index", "/index", auto: "200 /index", force: "200 /index", drop: "200 /index"),
        Case("/s.css", "/s.css", auto: "200 /s.css", force: "200 /s.css", drop: "200 /s.css"),
        Case("/s.css", "/s.css/", auto: "404", force: "404", drop: "404"),
        Case("/a b.html", "/a%20b", auto: "200 /a b.html", force: "307 /a%20b/", drop: "200 /a b.html"),
    ])
    func htmlHandling(_ test: Case) {
        let files = test.files == "/a b.html" ? [test.files] : test.files.split(separator: " ").map(String.init)
        for (handling, expected) in [
            (AssetConfiguration.HTMLHandling.autoTrailingSlash, test.auto), (.forceTrailingSlash, test.force),
            (.dropTrailingSlash, test.drop),
        ] {
            #expect(Self.outcome(test.target, of: files) { $0.htmlHandling = handling } == expected, "\(handling)")
        }
        let isFile = files.contains(AssetPath(test.target.utf8).decoded)
        let bare = Self.outcome(test.target, of: files) { $0.htmlHandling = .none }
        #expect(bare == (isFile ? "200 \(AssetPath(test.target.utf8).decoded)" : "404"))
    }

    @Test(arguments: [
        ("/[b]", "307 /%5Bb%5D"), ("/%5Bb%5D", "200 /[b].html"), ("/%5bb%5D", "307 /%5Bb%5D"),
        ("/%5Bb%5D.html", "307 /%5Bb%5D"), ("/d%2Ff.txt", "307 /d/f.txt"), ("/d/../d/f.txt", "200 /d/f.txt"),
        ("/d/%2e%2E/d/f.txt", "200 /d/f.txt"), ("/../../d/f.txt", "200 /d/f.txt"), ("/d\\f.txt", "200 /d/f.txt"),
        ("//d//f.txt", "307 /d/f.txt"), ("/%64/f.txt", "307 /d/f.txt"), ("/d/f.txt%00", "404"), ("/%", "404"),
        ("/%FF", "404"), ("/d/f.txt/..", "404"), ("//example.org/%2e%2e", "404"), ("/\\example.org/d/", "404"),
    ])
    func spellings(_ target: String, _ expected: String) {
        #expect(Self.outcome(target, of: ["/[b].html", "/d/f.txt"]) == expected)
    }

    @Test func noRedirectLeavesTheSite() {
        for target in [
            "//evil.example/index.html", "/\\evil.example/", "/%5Cevil.example/index", "//evil.example",
            "//%CC%88evil.example/",
        ] {
            for handling in AssetConfiguration.HTMLHandling.allCases {
                let files = [
                    "/evil.example/index.html", "/\\evil.example/index.html", "/\u{308}evil.example/index.html",
                ]
                let set = Self.set(files) { $0.htmlHandling = handling }
                let location = AssetSite(set, hasWorker: false).response(to: Self.request(target))["location"] ?? "/x"
                #expect(location.hasPrefix("/") && !location.hasPrefix("//") && !location.hasPrefix("/\\"))
            }
        }
    }

    @Test func whatIsNotThere() {
        let files = ["/index.html", "/404.html", "/blog/404.html"]
        #expect(Self.outcome("/no", of: files) == "404")
        func page(_ target: String) -> String { Self.outcome(target, of: files) { $0.notFoundHandling = .page } }
        #expect(page("/no") == "404 /404.html")
        #expect(page("/blog/a/b") == "404 /blog/404.html")
        #expect(page("/other/a") == "404 /404.html")
        let single: (inout AssetConfiguration) -> Void = { $0.notFoundHandling = .singlePageApplication }
        #expect(Self.outcome("/no/where", of: files, single).hasPrefix("200 /index.html"))
        #expect(Self.outcome("/no", of: ["/a"], single) == "404")
    }

    @Test func fieldsAndConditions() {
        let site = AssetSite(Self.set(["/a.css"]), hasWorker: false)
        let response = site.response(to: Self.request("/a.css"))
        #expect(response["etag"] == "\"/a.css\"")
        #expect(response["content-type"] == "text/css; charset=utf-8")
        #expect(response["cache-control"] == "public, max-age=0, must-revalidate")
        for tag in ["\"/a.css\"", "W/\"/a.css\"", "\"x\", \"/a.css\"", "*"] {
            let answer = site.response(to: Self.request("/a.css", ifNoneMatch: tag))
            #expect(answer.status == 304)
            #expect(answer.file == nil)
            #expect(answer["etag"] == "\"/a.css\"")
        }
        #expect(site.response(to: Self.request("/a.css", ifNoneMatch: "\"b\"")).status == 200)
        var secret = Self.request("/a.css")
        secret.isPrivate = true
        #expect(site.response(to: secret)["cache-control"] == nil)
        #expect(site.response(to: Self.request("/a.css", "POST")).status == 405)
        #expect(site.response(to: Self.request("/b", "POST")).status == 404)
    }

    @Test func assetsComeBeforeTheWorkerUnlessItSaysSo() throws {
        let files = ["/index.html", "/api/data.json", "/a.txt"]
        func answers(_ target: String, _ method: String = "GET", _ change: (inout AssetConfiguration) -> Void) -> Bool {
            AssetSite(Self.set(files, change), hasWorker: true).route(Self.request(target, method)) != nil
        }
        #expect(answers("/a.txt") { _ in })
        #expect(!answers("/none") { _ in })
        // What is not there is the Worker's, unless there is none.
        #expect(!answers("/none") { $0.notFoundHandling = .singlePageApplication })
        #expect(answers("/a.txt", "POST") { _ in })
        #expect(!answers("/none", "POST") { _ in })
        #expect(!answers("/a.txt") { $0.workerFirst = .always })
        let patterns = try AssetConfiguration.patterns(["/api/*", "!/api/data.*"])
        #expect(!answers("/api/x") { $0.workerFirst = patterns })
        #expect(answers("/api/data.json") { $0.workerFirst = patterns })
        #expect(answers("/api/data.none") { $0.workerFirst = patterns })
        #expect(answers("/a.txt") { $0.workerFirst = patterns })
        // Another spelling gets to no asset that the Worker guards: it is redirected to the one that is the Worker's.
        let all = try AssetConfiguration.patterns(["/api/*"])
        let guarded = AssetSite(Self.set(files) { $0.workerFirst = all }, hasWorker: true)
        for target in ["/%61pi/data.json", "//api/data.json", "/api%2Fdata.json"] {
            let response = guarded.route(Self.request(target))
            #expect(response?.file == nil, "\(target)")
            #expect(response?["location"] == "/api/data.json")
        }
        for target in ["/x/../api/data.json", "/.//../api/data.json", "\\api\\data.json"] {
            #expect(guarded.route(Self.request(target))?.file == nil, "\(target)")
        }
    }

    @Test func browsersThatNavigateGetThePage() {
        let set = Self.set(["/index.html"]) {
            $0.notFoundHandling = .singlePageApplication
            $0.prefersNavigation = true
        }
        let site = AssetSite(set, hasWorker: true)
        #expect(site.route(Self.request("/none", isNavigation: true))?.status == 200)
        #expect(site.route(Self.request("/none")) == nil)
    }

    @Test func patternsOfTheWorkerAreChecked() {
        for list in [[], ["a"], ["!a"], ["!/a"], ["/a", "/a"], ["/" + String(repeating: "a", count: 100)]] {
            #expect(throws: AssetRuleError.self) { _ = try AssetConfiguration.patterns(list) }
        }
        #expect(throws: AssetRuleError.self) { _ = try AssetConfiguration.patterns((0..<101).map { "/\($0)" }) }
    }
}
