import Foundation
import Model
import Project
import Testing

@Suite struct ProjectFileTests {
    /// Reads that text as a file of that name.
    private static func read(
        _ text: String, as name: String = "wrangler.jsonc", environment: String? = nil
    ) throws -> ProjectFile {
        let folder = NSTemporaryDirectory() + "/martlet-project-\(Identifier.hex())"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try Data(text.utf8).write(to: URL(filePath: "\(folder)/\(name)"))
        return try ProjectFile("\(folder)/\(name)", environment: environment)
    }

    private static func failure(_ text: String, as name: String = "wrangler.jsonc", environment: String? = nil)
        -> String
    {
        do {
            _ = try read(text, as: name, environment: environment)
            return ""
        } catch {
            return "\(error)"
        }
    }

    private static let toml = """
        name = "hello"
        main = "src/index.js"
        compatibility_date = "2026-01-01"
        routes = ["a.example/*", { pattern = "b.example", custom_domain = true }]
        [vars]
        TEXT = "t"
        NUMBER = 1
        [[kv_namespaces]]
        binding = "KV"
        id = "123"
        [triggers]
        crons = ["* * * * *"]
        [env.staging]
        compatibility_flags = ["nodejs_compat"]
        [env.staging.vars]
        TEXT = "staging"
        """

    private static let jsonc = """
        {
          // The same.
          "name": "hello", /* a
          comment */ "main": "src/index.js", "compatibility_date": "2026-01-01",
          "routes": ["a.example/*", { "pattern": "b.example", "custom_domain": true },],
          "vars": { "TEXT": "t", "NUMBER": 1, },
          "kv_namespaces": [{ "binding": "KV", "id": "123" }],
          "triggers": { "crons": ["* * * * *"] },
          "env": { "staging": { "compatibility_flags": ["nodejs_compat"], "vars": { "TEXT": "staging" } } },
        }
        """

    @Test(arguments: [("wrangler.toml", toml), ("wrangler.jsonc", jsonc)])
    func bothFormsSayTheSame(name: String, text: String) throws {
        let file = try Self.read(text, as: name)
        #expect(file.name == "hello")
        #expect(file.main == "src/index.js")
        #expect(file.compatibilityDate == "2026-01-01")
        #expect(file.routes == [["pattern": "a.example/*"]])
        #expect(file.customDomains == ["b.example"])
        #expect(!file.isOnSubdomain)
        #expect(file.crons == ["* * * * *"])
        #expect(
            file.bindings == [
                ["name": "NUMBER", "type": "json", "json": 1], ["name": "TEXT", "type": "plain_text", "text": "t"],
                ["name": "KV", "type": "kv_namespace", "namespace_id": "123"],
            ])
        #expect(file.warnings.isEmpty)
        // Bindings are not inherited, all else is.
        let staging = try Self.read(text, as: name, environment: "staging")
        #expect(staging.name == "hello-staging")
        #expect(staging.compatibilityDate == "2026-01-01")
        #expect(staging.compatibilityFlags == ["nodejs_compat"])
        #expect(staging.bindings == [["name": "TEXT", "type": "plain_text", "text": "staging"]])
    }

    @Test func whatIsLeftOut() throws {
        let file = try Self.read(#"{"name":"a"}"#)
        #expect(file.main == nil)
        #expect(file.isOnSubdomain)
        #expect(file.crons == nil)
        #expect(try Self.read(#"{"name":"a","triggers":{"crons":[]}}"#).crons == [])
        #expect(try Self.read(#"{"name":"a","workers_dev":false}"#).isOnSubdomain == false)
        #expect(try Self.read(#"{"name":"a","routes":["x/*"],"workers_dev":true}"#).isOnSubdomain)
    }

    @Test func commentsInStringsStay() throws {
        let text = #"{"name":"a","vars":{"U":"https://x/*y*/ // z,]\"," /* c */ , },}"#
        #expect(try Self.read(text).bindings.first?["text"]?.string == #"https://x/*y*/ // z,]","#)
    }

    @Test func unknownKeysWarn() throws {
        let file = try Self.read(
            #"{"name":"a","nonsense":1,"logpush":true,"observability":{"enabled":true},"site":{}}"#)
        #expect(file.warnings.count == 3)
        #expect(file.warnings.contains { $0.contains("'nonsense'") })
    }

    @Test(arguments: [
        ("{", "it is not JSON"), ("[]", "must hold an object"), ("{}", "there is no 'name'"),
        (#"{"name":1}"#, "'name' must be a string"), (#"{"name":"a","routes":"x"}"#, "'routes' must be a list"),
        (#"{"name":"a","routes":[{}]}"#, "'pattern'"), (#"{"name":"a","workers_dev":"no"}"#, "true or false"),
        (#"{"name":"a","kv_namespaces":[{"binding":"K"}]}"#, "martlet kv namespace create"),
        (#"{"name":"a","d1_databases":[{"binding":"D"}]}"#, "'d1_databases' is not there"),
        (#"{"name":"a","triggers":{"crons":"x"}}"#, "'triggers.crons' must be a list"),
    ])
    func whatIsWrongIsNamed(text: String, words: String) {
        let failure = Self.failure(text)
        #expect(failure.contains(words), "\(failure)")
        #expect(failure.contains("wrangler.jsonc"))
    }

    /// Found by fuzzing: the parser ends the process at these.
    @Test(arguments: ["[!x]", "[[é]]", "[", "  [ = ]", "[[", "[[[a]]]", "[#", "[.a]", "[\u{7f}"])
    func headersWithoutAName(header: String) {
        let text = "name = \"a\"\ntext = \"\"\"\n[!\n\"\"\"\nlist = [\n  [\n], # [\n]\n\(header)\n"
        let failure = Self.failure(text, as: "wrangler.toml")
        #expect(failure.contains("wrangler.toml:9:"), "\(failure)")
        #expect(failure.contains("name of a table"), "\(failure)")
    }

    @Test(arguments: ["a = [}]", "a = [1, }]", "a = [ # [\n\"]\", }"])
    func bracesInThePlaceOfValues(line: String) {
        #expect(Self.failure("name = \"a\"\n\(line)\n", as: "wrangler.toml").contains("there is a '}'"))
        #expect(!Self.failure("name = \"a\"\na = [{ b = 1 }]\n", as: "wrangler.toml").contains("there is a '}'"))
    }

    @Test func whatIsNoUTF8IsRefused() throws {
        let path = NSTemporaryDirectory() + "/martlet-\(Identifier.hex()).toml"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data([0x6e, 0x3d, 0xff]).write(to: URL(filePath: path))
        let error = try #require(throws: ProjectError.self) { _ = try ProjectFile(path) }
        #expect(error.description.contains("UTF-8"))
    }

    @Test func brokenTOMLIsNamedWithItsLine() {
        let failure = Self.failure("name = \"a\"\nmain = \n", as: "wrangler.toml")
        #expect(failure.contains("wrangler.toml:2:"), "\(failure)")
        #expect(Self.failure(Self.toml, as: "wrangler.toml", environment: "none").contains("there are staging"))
    }
}
