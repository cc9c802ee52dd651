import Foundation
import Testing

/// What calls a Worker, by the command line.
@Suite("Routes and domains by the command line") struct TriggerCommandTests {
    private static func withZone() throws -> Person {
        let person = try Person()
        let body = #"{"name":"example.com","account":{"id":"\#(person.platform.account)"},"type":"full"}"#
        try person.platform.done("POST", "/zones", json: body)
        for name in ["a", "b"] { try person.platform.deploy(Platform.answering(name), as: name) }
        return person
    }

    private static func text(_ person: Person, _ host: String, _ path: String = "/") throws -> String {
        let answer = try person.platform.martlet.get(path, host: host)
        return answer.status == 200 ? answer.text : "\(answer.status)"
    }

    @Test func routes() throws {
        let person = try Self.withZone()
        #expect(try person.run(["route", "list"]) == "There are none.\n")
        #expect(try person.run(["route", "add", "*.example.com/*", "--name", "a"]).contains("is answered by a"))
        let made = try person.json(["route", "add", "www.example.com/b/*", "--name", "b"])
        try person.run(["route", "add", "www.example.com/none", "--none"])
        #expect(try Self.text(person, "www.example.com") == "a")
        #expect(try Self.text(person, "www.example.com", "/b/") == "b")
        #expect(try Self.text(person, "www.example.com", "/none") == "404")
        guard case .array(let routes) = try person.json(["route", "list"]) else { throw Failure("no routes") }
        #expect(routes.count == 3)
        #expect(routes.allSatisfy { $0["zone"].string == "example.com" })
        #expect(try person.run(["route", "list"]).contains(#/www\.example\.com\/b\/\*\s+b\s/#))
        try person.run(["route", "delete", try #require(made["id"].string)])
        #expect(try Self.text(person, "www.example.com", "/b/") == "a")
        try person.run(["route", "delete", "*.example.com/*"])
        #expect(try Self.text(person, "www.example.com") == "404")
        let gone = try person.attempt(["route", "delete", "*.example.com/*"])
        #expect(gone.status == 1)
        #expect(gone.output.contains("martlet route list"))
        let elsewhere = try person.attempt(["route", "add", "example.org/*", "--name", "a"])
        #expect(elsewhere.output.contains("no zone of this account has the host 'example.org'"))
        #expect(try person.attempt(["route", "add", "example.com/*", "--name", "none"]).output.contains("(10019)"))
    }

    @Test func domains() throws {
        let person = try Self.withZone()
        #expect(try person.run(["domain", "list"]) == "There are none.\n")
        try person.run(["domain", "add", "WWW.example.com", "--name", "a"])
        #expect(try Self.text(person, "www.example.com") == "a")
        #expect(try person.run(["domain", "list"]).contains("www.example.com  a"))
        try person.run(["domain", "delete", "www.example.com"])
        #expect(try Self.text(person, "www.example.com") == "404")
        #expect(try person.attempt(["domain", "delete", "www.example.com"]).output.contains("no Worker has"))
        #expect(try person.attempt(["domain", "add", "x.example.org", "--name", "a"]).output.contains("(100117)"))
    }

    @Test func aProjectSaysAll() throws {
        let person = try Self.withZone()
        try person.home.write("index.js", Platform.answering("project"))
        func write(_ routes: String) throws {
            try person.home.write(
                "wrangler.jsonc", #"{ "name": "p", "main": "index.js", "workers_dev": true \#(routes) }"#)
        }
        try write(#", "routes": ["example.com/p*", { "pattern": "p.example.com", "custom_domain": true }]"#)
        #expect(try person.run(["deploy"]).contains("p.example.com"))
        #expect(try Self.text(person, "example.com", "/p") == "project")
        #expect(try Self.text(person, "p.example.com") == "project")
        // Nothing said: nothing changed. An empty list: none.
        try write("")
        try person.run(["deploy"])
        #expect(try Self.text(person, "example.com", "/p") == "project")
        try write(#", "routes": []"#)
        try person.run(["deploy"])
        #expect(try Self.text(person, "example.com", "/p") == "404")
        #expect(try Self.text(person, "p.example.com") == "404")
        try write(#", "routes": ["example.org/*"]"#)
        let failed = try person.attempt(["deploy"])
        #expect(failed.status == 1)
        #expect(failed.output.contains("of p is deployed, but not all that calls it is set"), "\(failed.output)")
    }

    @Test func aNamespaceIsWrittenIntoTheProject() throws {
        let person = try Person()
        for (file, text) in [
            ("wrangler.toml", "name = \"x\" # kept\n[vars]\nA = \"1\""),
            ("wrangler.jsonc", "// kept\n{ \"name\": \"x\", \"kv_namespaces\": [ ], }"),
            ("wrangler.json", #"{ "name": "x" }"#),
        ] {
            try person.home.write(file, text)
            let flags = ["-c", file]
            try person.run(["kv", "namespace", "create", "one \(file)", "--binding", "ONE"] + flags)
            try person.run(["kv", "namespace", "create", "two \(file)", "--binding", "TWO"] + flags)
            let written = try String(contentsOfFile: "\(person.home.path)/\(file)", encoding: .utf8)
            #expect(written.contains("kept") == text.contains("kept"))
            try person.home.write("index.js", Platform.answering("${Object.keys(env).sort()}"))
            try person.run(["deploy", "index.js"] + flags)
            #expect(try person.platform.get("x").text == (text.contains("vars") ? "A,ONE,TWO" : "ONE,TWO"))
            let twice = try person.attempt(["kv", "namespace", "create", "3 \(file)", "--binding", "ONE"] + flags)
            #expect(twice.output.contains("there is a binding 'ONE' already"))
        }
    }

    /// Nobody looks at a pipe: no colours, no line that is written over.
    @Test func pipesGetPlainText() throws {
        let person = try Person()
        let padding = String(repeating: "x", count: 400_000)
        try person.home.write("index.js", "// \(padding)\n" + Platform.answering("large"))
        let output = try person.run(["deploy", "index.js", "--name", "large"])
        #expect(!output.contains("\u{1b}") && !output.contains("\r"), "\(output)")
        #expect(!(try person.attempt(["deploy", "none.js", "--name", "x"]).output.contains("\u{1b}")))
    }

    /// On a terminal there is both.
    @Test func terminalsGetProgressAndColours() throws {
        let person = try Person()
        let padding = String(repeating: "x", count: 400_000)
        try person.home.write("index.js", "// \(padding)\n" + Platform.answering("large"))
        func run(_ environment: [String]) throws -> String {
            let call =
                "env -u NO_COLOR \(environment.joined(separator: " ")) \(Martlet.binary) deploy index.js --name large"
            return try Program.run(
                "/usr/bin/env", ["--chdir", person.home.path, "script", "-qec", call, "/dev/null"],
                environment: [
                    "HOME": person.home.path, "XDG_CONFIG_HOME": "\(person.home.path)/config", "TERM": "xterm",
                ]
            ).output
        }
        let output = try run([])
        #expect(output.contains("Uploading: 64 of "), "\(output)")
        #expect(output.contains("(100%)"))
        #expect(output.contains("\u{1b}[32mDeployed\u{1b}[0m"), "\(output)")
        #expect(!(try run(["NO_COLOR=1"]).contains("\u{1b}[32m")))
    }

    @Test(arguments: ["bash", "zsh", "fish"])
    func shellsCanComplete(shell: String) throws {
        let result = try Program.run(Martlet.binary, ["--generate-completion-script", shell])
        #expect(result.status == 0)
        #expect(result.output.contains("namespace-id"))
        #expect(result.output.contains("rollback"))
    }
}
