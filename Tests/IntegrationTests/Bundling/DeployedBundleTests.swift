import Testing

/// Bundles on the platform.
@Suite("Deployed bundles") struct DeployedBundleTests {
    private static let failing = """
        interface A { a: string }

        export function fail(a: A): never {
          throw new Error(a.a);
        }
        """

    @Test func aProjectInTypeScript() throws {
        let person = try Person()
        try person.home.write(
            "wrangler.toml",
            """
            name = "ts"
            main = "src/index.ts"
            minify = true
            rules = [{ type = "Text", globs = ["**/*.note"] }]
            [define]
            WHO = "'defined'"
            [alias]
            other = "./src/lib.ts"
            """)
        try person.home.write("src/lib.ts", Self.failing)
        try person.home.write("src/a.note", "a note")
        try person.home.write(
            "src/index.ts",
            """
            import { fail } from "other";
            import note from "./a.note";
            declare const WHO: string;
            export default {
              fetch(request: Request) {
                if (new URL(request.url).pathname !== "/") fail({ a: "failed" });
                return new Response(`${WHO} ${note} ${fail.name}`);
              },
            };
            """)
        let dry = try person.run(["deploy", "--dry-run"])
        #expect(dry.contains("index.js.map"))
        #expect(dry.contains(".note  6 bytes  text/plain"))
        try person.run(["deploy"])
        #expect(try person.platform.get("ts").text == "defined a note fail")
        #expect(try person.platform.get("ts", "/fail").status == 500)
        try person.platform.martlet.logLine { $0.contains("failed\\n") && $0.contains("at fail (src/lib.ts:4:9)") }
        // The map is part of the version, and left away if so told.
        #expect(try person.platform.raw("GET", "/accounts/{A}/workers/scripts/ts").text.contains("index.js.map"))
        try person.home.write("wrangler.toml", "name = \"ts\"\nmain = \"src/lib.ts\"\nupload_source_maps = false")
        #expect(try person.run(["deploy", "--dry-run"]).contains(".map") == false)
    }

    @Test func modulesThatNothingNames() throws {
        let person = try Person()
        try person.home.write(
            "wrangler.toml",
            """
            name = "lang"
            main = "src/index.ts"
            find_additional_modules = true
            rules = [{ type = "ESModule", globs = ["lang/*.js"] }]
            """)
        try person.home.write("src/lang/en.js", "export default 'Hello'")
        try person.home.write("src/lang/de.js", "export default 'Hallo'")
        try person.home.write(
            "src/index.ts",
            """
            import en from "./lang/en.js";
            export default {
              async fetch(request: Request) {
                const name: string = new URL(request.url).pathname.slice(1);
                return new Response(`${en} ${(await import(`./lang/${name}.js`)).default}`);
              },
            };
            """)
        try person.run(["deploy"])
        #expect(try person.platform.get("lang", "/de").text == "Hello Hallo")
    }

    @Test(arguments: [
        (#""rules":[{"type":"CommonJS","globs":[]}]"#, "there are CompiledWasm, Data, ESModule"),
        (#""rules":[{"type":"Text","globs":["x/*.txt"]}]"#, "globs have the form **/*.ending"),
        (#""define":{"A":1}"#, "'define' must be an object of strings"), (#""no_bundle":true"#, "only .js"),
    ])
    func settingsThatCannotBeMeant(setting: String, words: String) throws {
        let person = try Person()
        try person.home.write("i.ts", "export default {}")
        try person.home.write("wrangler.json", #"{"name":"a","main":"i.ts",\#(setting)}"#)
        let result = try person.attempt(["deploy", "--dry-run"])
        #expect(result.status == 1)
        #expect(result.output.contains(words), "\(result.output)")
    }

    /// Other clients bundle themselves.
    @Test func anUploadWithItsOwnMapAndAttributes() throws {
        let platform = try Platform()
        var form = Form()
        form.add("metadata", #"{"main_module":"index.js"}"#, type: "application/json")
        form.add(
            "index.js",
            """
            import d from "./d.json" with { type: "json" };
            export default { fetch() { throw new Error("d is " + d.n); } };
            """, filename: "index.js", type: "application/javascript+module")
        form.add("d.json", #"{"n":7}"#, filename: "d.json", type: "application/json")
        // Column 28 of line 2, and what follows, is line 100 of a.ts.
        form.add(
            "index.js.map", #"{"version":3,"sources":["a.ts"],"mappings":";2BAmGA"}"#, filename: "index.js.map",
            type: "application/source-map")
        let answer = try platform.call(
            "PUT", "/accounts/{A}/workers/scripts/own", fields: [form.contentType], body: form.bytes)
        #expect(answer.status == 200, "\(answer.summary)")
        try platform.done("POST", "/accounts/{A}/workers/scripts/own/subdomain", json: #"{"enabled":true}"#)
        #expect(try platform.get("own").status == 500)
        try platform.martlet.logLine { $0.contains("d is 7") && $0.contains("(a.ts:100:1)") }
    }
}
