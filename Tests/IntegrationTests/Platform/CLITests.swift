import Foundation
import Testing

/// The command line against a running platform, as a person uses it.
@Suite("The command line of the platform") struct CLITests {
    private static let code = "export default { fetch: (r, env) => new Response(`${env.V} ${env.S}`), scheduled() {} };"

    @Test func loginKeepsTheTokenForItsOwnerOnly() throws {
        let person = try Person()
        let file = "\(person.home.path)/config/martlet/credentials.json"
        let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        #expect(try person.run(["whoami"]).contains(person.platform.account))
        let wrong = try person.attempt(["login", "--endpoint", person.address], input: "mlt_wrong")
        #expect(wrong.status == 1)
        #expect(wrong.output.contains("Invalid API Token (1000)"))
        #expect(!wrong.output.contains("mlt_wrong"))
        // What was there stays.
        #expect(try person.run(["whoami"]).contains("main"))
        let unreachable = try person.attempt(["login", "--endpoint", "http://127.0.0.1:1"], input: "x")
        #expect(unreachable.output.contains("cannot be reached"))
        let elsewhere = try person.attempt(
            ["login", "--endpoint", "http://127.0.0.1:\(person.platform.martlet.port)"], input: "x")
        #expect(elsewhere.output.contains("is not a platform's admin port"))
    }

    @Test func withoutALoginTheRemedyIsSaid() throws {
        let home = try ScratchFolder()
        let result = try Program.run(
            Martlet.binary, ["whoami"], environment: ["HOME": home.path, "XDG_CONFIG_HOME": home.path])
        #expect(result.status == 1)
        #expect(result.output.contains("martlet login"))
    }

    @Test func deploysAProjectAndGoesBack() throws {
        let person = try Person()
        func write(_ variable: String) throws {
            try person.home.write(
                "wrangler.jsonc",
                """
                { "name": "hello", "main": "src/index.js", "compatibility_date": "2026-01-01",
                  "vars": { "V": "\(variable)" }, "triggers": { "crons": ["0 0 * * *"] }, }
                """)
        }
        try person.home.write("src/index.js", Self.code)
        try write("one")
        #expect(try person.run(["deploy", "--dry-run"]).contains("src") == false)
        #expect(try person.platform.get("hello").status == 404)
        let first = try person.run(["deploy", "--tag", "v1"])
        #expect(first.contains("hello.main.localhost"))
        #expect(first.contains("0 0 * * *"))
        #expect(try person.platform.get("hello").text == "one undefined")
        try person.run(["secret", "put", "S"], input: "hidden\n")
        #expect(try person.platform.get("hello").text == "one hidden")
        #expect(try person.run(["secret", "list"]).contains("S"))
        try write("two")
        try person.run(["deploy"])
        #expect(try person.platform.get("hello").text == "two hidden")
        // Back to the one before, and by its id.
        try person.run(["rollback"])
        #expect(try person.platform.get("hello").text == "one hidden")
        guard case .array(let versions) = try person.json(["versions"])["items"] else { throw Failure("no versions") }
        #expect(versions.count == 3)
        #expect(try person.run(["versions"]).contains("100%"))
        let newest = try #require(versions.first?["id"].string)
        try person.run(["rollback", String(newest.prefix(12))])
        #expect(try person.platform.get("hello").text == "two hidden")
        #expect(try person.attempt(["rollback", "none"]).output.contains("there is no version 'none'"))
        let loses = try person.attempt(["rollback", versions[2]["id"].string ?? ""])
        #expect(loses.output.contains("(10220)"))
        try person.run(["secret", "bulk"], input: #"{"S":null,"T":"t"}"#)
        #expect(try person.platform.get("hello").text == "two undefined")
        try person.run(["secret", "delete", "T"])
        #expect(try person.run(["secret", "list"]) == "There are none.\n")
        try person.run(["delete", "--force"])
        #expect(try person.platform.get("hello").status == 404)
        #expect(try person.attempt(["versions"]).output.contains("(10007)"))
    }

    @Test func whatCannotBeDeployedIsNamed() throws {
        let person = try Person()
        #expect(try person.attempt(["deploy"]).output.contains("the Worker has no name"))
        try person.home.write("wrangler.toml", "name = \"x\"\nmain = \"index.js\"\n")
        #expect(try person.attempt(["deploy"]).output.contains("index.js"))
        try person.home.write("index.js", "export default {")
        let broken = try person.attempt(["deploy"])
        #expect(broken.status == 1)
        #expect(broken.output.contains("index.js:1"))
        #expect(broken.output.contains("(10021)"))
        try person.home.write("wrangler.toml", "name = x")
        #expect(try person.attempt(["deploy"]).output.contains("wrangler.toml:1"))
    }

    @Test func deploysAssetsOfAProject() throws {
        let person = try Person()
        try person.home.write(
            "wrangler.jsonc",
            """
            { "name": "site", "main": "index.js",
              "assets": { "directory": "./public", "binding": "FILES", "run_worker_first": ["/w*"] } }
            """)
        try person.home.write(
            "index.js", "export default { fetch: (r, env) => env.FILES.fetch(new URL('/a.txt', r.url)) };")
        try person.home.write("public/a.txt", "one")
        try person.home.write("public/secret/key.pem", "key")
        try person.home.write("public/.assetsignore", "secret/\n*.map\n")
        try person.home.write("public/app.js.map", "map")
        try person.home.write("public/_headers", "/*\n  X-From: file\n")
        #expect(try person.run(["deploy", "--dry-run"]).contains("/a.txt"))
        #expect(try person.run(["deploy"]).contains("Uploaded 1 of 1 assets"))
        #expect(try person.platform.get("site", "/a.txt")["X-From"] == "file")
        #expect(try person.platform.get("site", "/worker").text == "one")
        #expect(try person.platform.get("site", "/app.js.map").text == "one")
        #expect(try person.run(["deploy"]).contains("All 1 assets are there already"))
        // Assets alone.
        try person.home.write("wrangler.jsonc", #"{ "name": "alone", "assets": { "directory": "public" } }"#)
        try person.run(["deploy"])
        #expect(try person.platform.get("alone", "/a.txt").text == "one")
        for path in ["/secret/key.pem", "/.assetsignore", "/_headers", "/app.js.map"] {
            #expect(try person.platform.get("alone", path).status == 404, "\(path)")
        }
        try person.home.write("public/_worker.js", "x")
        #expect(try person.attempt(["deploy"]).output.contains(".assetsignore"))
        try person.home.write("wrangler.jsonc", #"{ "name": "alone", "assets": { "directory": "none" } }"#)
        #expect(try person.attempt(["deploy"]).output.contains("none: there is no such folder"))
        try person.home.write("wrangler.jsonc", #"{ "name": "alone", "assets": { "binding": "A" } }"#)
        #expect(try person.attempt(["deploy"]).output.contains("assets.directory"))
    }

    @Test func zonesAndLimits() throws {
        let person = try Person()
        let origin = try Origin.echoing()
        try person.run(["zone", "create", "example.com"])
        #expect(try person.platform.martlet.get(host: "example.com").status == 404)
        #expect(try person.run(["zone", "origin", "example.com", origin.url]).contains(origin.url))
        #expect(try person.platform.martlet.get(host: "example.com").status == 200)
        #expect(try person.run(["zone", "list"]).contains(origin.url))
        #expect(try person.attempt(["zone", "origin", "example.com", "ftp://x"]).output.contains("(10026)"))
        #expect(try person.attempt(["zone", "origin", "none.example"]).output.contains("no zone 'none.example'"))
        try person.run(["zone", "origin", "example.com"])
        #expect(try person.platform.martlet.get(host: "example.com").status == 404)
        try person.run(["zone", "delete", "example.com"])
        #expect(try person.run(["zone", "list"]) == "There are none.\n")
        try person.run(["zone", "allow", "example.com"])
        let id = person.platform.account
        #expect(try person.run(["account", "limits", id, "--scripts", "3"]).contains("scripts"))
        let limits = try person.json(["account", "limits", id])
        #expect(limits["limits"]["scripts"].int == 3)
        try person.run(["account", "limits", id, "--scripts", "none"])
        #expect(try person.json(["account", "limits", id])["limits"]["scripts"] == .null)
        #expect(try person.attempt(["account", "limits", id, "--kv-bytes", "-1"]).status == 64)
    }

    @Test func aScriptWithoutAProject() throws {
        let person = try Person()
        try person.home.write("hello.js", Self.code)
        try person.run(["deploy", "hello.js", "--name", "plain", "--var", "V=flag"])
        #expect(try person.platform.get("plain").text == "flag undefined")
    }

    @Test func keysAndValues() throws {
        let person = try Person()
        let made = try person.json(["kv", "namespace", "create", "store"])
        let id = try #require(made["id"].string)
        let namespace = ["--namespace-id", id]
        try person.run(["kv", "key", "put", "a/b", "one"] + namespace)
        try person.run(["kv", "key", "put", "c", "--ttl", "3600"] + namespace, input: "from stdin")
        try person.home.write("file", "from a file")
        try person.run(["kv", "key", "put", "d", "--path", "file"] + namespace)
        #expect(try person.run(["kv", "key", "get", "a/b"] + namespace) == "one")
        #expect(try person.run(["kv", "key", "get", "c"] + namespace) == "from stdin")
        #expect(try person.run(["kv", "key", "get", "d"] + namespace) == "from a file")
        guard case .array(let keys) = try person.json(["kv", "key", "list"] + namespace) else {
            throw Failure("no keys")
        }
        #expect(keys.map { $0["name"].string } == ["a/b", "c", "d"])
        #expect(try person.run(["kv", "key", "list", "--prefix", "a"] + namespace).contains("c") == false)
        try person.run(["kv", "key", "delete", "a/b"] + namespace)
        let gone = try person.attempt(["kv", "key", "get", "a/b"] + namespace)
        #expect(gone.status == 1)
        #expect(gone.output.contains("there is no key 'a/b'"))
        #expect(try person.run(["kv", "namespace", "list"]).contains("store"))
        try person.run(["kv", "namespace", "delete"] + namespace)
        #expect(try person.run(["kv", "namespace", "list"]) == "There are none.\n")
        #expect(try person.attempt(["kv", "key", "put", "x", "y"] + namespace).output.contains("(10013)"))
    }

    @Test func accountsTokensAndUse() throws {
        let person = try Person()
        let id = try #require(try person.json(["account", "create", "Second"])["id"].string)
        #expect(try person.run(["account", "list"]).contains("Second"))
        try person.run(["account", "suspend", id])
        #expect(try person.run(["account", "list"]).contains("suspended"))
        try person.run(["account", "resume", id])
        // With two accounts one has to be named.
        #expect(try person.attempt(["token", "list"]).output.contains("--account"))
        let token = try person.run(["token", "create", "reader", "--scope", "read", "--account", id])
        #expect(token.hasPrefix("mlt_"))
        #expect(try person.run(["token", "list", "--account", id]).contains("reader"))
        #expect(try person.attempt(["account", "delete", id]).output.contains("--force"))
        try person.run(["account", "delete", id, "--force"])
        try person.platform.deploy(Platform.answering("x"), as: "hello")
        _ = try person.platform.get("hello")
        try wait(until: "the ledger has it") { try person.json(["usage"])["totals"]["requests"].int == 1 }
        #expect(try person.run(["usage"]).contains("Cost: 0.000000 USD"))
        let lines = try person.run(["usage", "--csv"]).split(separator: "\n")
        #expect(lines.count == 2)
        #expect(lines[0].hasPrefix("hour,script,requests"))
    }
}
