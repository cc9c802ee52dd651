import Foundation
import Testing

@Suite("martlet dev with a project") struct DevProjectTests {
    private static func project(_ text: String, _ code: String) throws -> ScratchFolder {
        let folder = try ScratchFolder()
        try folder.write("wrangler.jsonc", text)
        try folder.write("src/index.ts", code)
        return folder
    }

    /// Says `env` as JSON, without what is no value.
    private static let showing = """
        export default {
          fetch(request: Request, env: Record<string, unknown>) {
            return Response.json(env);
          },
        };
        """

    @Test func theFileSaysWhatThereIs() throws {
        let folder = try Self.project(
            """
            { "name": "a", "main": "src/index.ts", "compatibility_date": "2026-01-01", "dev": { "port": 0 },
              "compatibility_flags": ["nodejs_compat"],
              "vars": { "TEXT": "top", "JSON": { "a": [1] }, "SECRET": "not this" },
              "version_metadata": { "binding": "VERSION" },
              "env": { "staging": { "vars": { "TEXT": "staging" } } } }
            """, "import { Buffer } from 'node:buffer'; Buffer.from('x');" + Self.showing)
        try folder.write(".dev.vars", "SECRET='shh'\nMORE=1\n")
        try folder.write(".dev.vars.staging", "ONLY=staging")
        // The port comes from the file.
        let martlet = try Martlet(["dev", folder.path, "--var", "FLAG=f"])
        try martlet.takeAddress()
        let json = try martlet.get().json()
        #expect(json["TEXT"].string == "top")
        #expect(json["JSON"] == (try JSON(Array(#"{"a":[1]}"#.utf8))))
        #expect(json["SECRET"].string == "shh")
        #expect(json["MORE"].string == "1")
        #expect(json["FLAG"].string == "f")
        #expect(json["VERSION"]["tag"].string == "dev")
        #expect(json["VERSION"]["id"].string?.count == 36)
        let staging = try Martlet([
            "dev", "-c", "\(folder.path)/wrangler.jsonc", "--env", "staging", "--port", "0", "--no-persist",
        ])
        try staging.takeAddress()
        #expect(try staging.get().text == #"{"TEXT":"staging","ONLY":"staging"}"#)
    }

    @Test func aChangeOfAnyOfItsFilesIsServed() throws {
        let folder = try Self.project(
            #"{ "name": "a", "main": "src/index.ts", "vars": { "V": "1" } }"#, Self.showing)
        let martlet = try Martlet.dev(folder.path)
        let port = martlet.port
        #expect(try martlet.get().text == #"{"V":"1"}"#)
        try folder.write(".dev.vars", "S=2")
        try wait(until: "the secret is there", by: .patient) { try martlet.get().text == #"{"V":"1","S":"2"}"# }
        try folder.write("wrangler.jsonc", #"{ "name": "a", "main": "src/index.ts", "vars": { "V": "3" } }"#)
        try wait(until: "the variable is new", by: .patient) { try martlet.get().text == #"{"V":"3","S":"2"}"# }
        try folder.write("src/index.ts", "export default { fetch: (): Response => new Response('new') };")
        try wait(until: "the code is new", by: .patient) { try martlet.get().text == "new" }
        #expect(martlet.port == port)
        // What is wrong is said, and the old version goes on.
        try folder.write("wrangler.jsonc", #"{ "name": "a", "main": 5 }"#)
        try martlet.logLine { $0.contains("Not reloaded: ") && $0.contains("'main' must be a string") }
        #expect(try martlet.get().text == "new")
    }

    private static let counting = """
        export default {
          async fetch(request, env) {
            const count = Number(await env.KV.get("count")) + 1;
            await env.KV.put("count", String(count));
            return new Response(String(count));
          },
        };
        """

    @Test func valuesAreKept() throws {
        let text = #"{ "name": "a", "main": "src/index.ts", "kv_namespaces": [{ "binding": "KV", "id": "k1" }] }"#
        let folder = try Self.project(text, Self.counting)
        let first = try Martlet.dev(folder.path)
        #expect(try first.get().text == "1")
        #expect(try first.get().text == "2")
        // The folder is one process's; another can do without.
        let second = try Program.run(Martlet.binary, ["dev", folder.path, "--port", "0"])
        #expect(second.status == 1)
        #expect(second.output.contains("--no-persist"), "\(second.output)")
        let besides = try Martlet.dev(folder.path, ["--no-persist"])
        #expect(try besides.get().text == "1")
        first.terminate()
        #expect(try first.exitCode() == 0)
        #expect(try Martlet.dev(folder.path).get().text == "3")
    }

    @Test func limitsOfRatesHold() throws {
        let rate = #""ratelimits": [{ "name": "R", "namespace_id": "1", "simple": { "limit": 2, "period": 60 } }]"#
        let folder = try Self.project(
            #"{ "name": "a", "main": "src/index.ts", \#(rate) }"#,
            """
            export default { async fetch(_, env) {
              const results = [];
              for (let i = 0; i < 6; i++) results.push((await env.R.limit({ key: "k" })).success);
              return Response.json(results);
            } };
            """)
        // A period may end meanwhile: then there are four.
        let allowed = try Martlet.dev(folder.path).get().text.split(separator: ",").count { $0.contains("true") }
        #expect([2, 3, 4].contains(allowed))
        try folder.write(
            "wrangler.jsonc", #"{ "name": "a", "main": "src/index.ts", \#(rate.replacing("60", with: "7")) }"#)
        let wrong = try Program.run(Martlet.binary, ["dev", folder.path, "--port", "0"])
        #expect(wrong.output.contains("the period of 'R' must be 10 or 60"), "\(wrong.output)")
    }

    @Test func projectsAreBoundToEachOther() throws {
        let text = #"{ "name": "a", "main": "src/index.ts", "services": [{ "binding": "B", "service": "b" }] }"#
        let folder = try Self.project(
            text, "export default { fetch: (request, env) => env.B.fetch(request) };")
        let alone = try Program.run(Martlet.binary, ["dev", folder.path, "--port", "0"])
        #expect(alone.status == 1)
        #expect(alone.output.contains("bound to the Worker 'b', which is not here"), "\(alone.output)")
        func other(_ answer: String) -> String { "export default { fetch: () => new Response('\(answer)') };" }
        try folder.write("b/wrangler.toml", "name = \"b\"\nmain = \"index.js\"")
        try folder.write("b/index.js", other("from b"))
        let martlet = try Martlet.dev(folder.path, ["--with", "\(folder.path)/b"])
        #expect(try martlet.get().text == "from b")
        try folder.write("b/index.js", other("changed"))
        try wait(until: "the other one is new", by: .patient) { try martlet.get().text == "changed" }
    }

    @Test func methodsOfAnotherProjectAreCalled() throws {
        let service = #"{ "binding": "B", "service": "b", "entrypoint": "Adder", "props": { "base": 40 } }"#
        let folder = try Self.project(
            #"{ "name": "a", "main": "src/index.ts", "services": [\#(service)] }"#,
            "export default { fetch: async (_: Request, env: any) => new Response(await env.B.add(2)) };")
        try folder.write("b/wrangler.toml", "name = \"b\"\nmain = \"index.ts\"")
        try folder.write(
            "b/index.ts",
            """
            import { WorkerEntrypoint } from "cloudflare:workers";
            export class Adder extends WorkerEntrypoint {
              add(n: number): number { return this.ctx.props.base + n; }
            }
            export default { fetch: () => new Response("default") };
            """)
        #expect(try Martlet.dev(folder.path, ["--with", "\(folder.path)/b"]).get().text == "42")
    }

    @Test func assetsAreServed() throws {
        let folder = try Self.project(
            ##"{ "name": "a", "main": "src/index.ts", "assets": { "directory": "public", "binding": "A" } }"##,
            """
            export default {
              async fetch(request: Request, env: any) {
                const page = await env.A.fetch(new URL("/page", request.url));
                return new Response(`worker ${await page.text()}`);
              },
            };
            """)
        try folder.write("public/page.html", "one")
        try folder.write("public/_headers", "/page\n  X-Rule: yes\n")
        let martlet = try Martlet.dev(folder.path)
        #expect(try martlet.get("/page").text == "one")
        #expect(try martlet.get("/page")["x-rule"] == "yes")
        #expect(try martlet.get("/none").text == "worker one")
        try folder.write("public/page.html", "two, and longer")
        try wait(until: "the asset is new", by: .patient) { try martlet.get("/page").text == "two, and longer" }
        #expect(try martlet.get("/none").text == "worker two, and longer")
        // Without code.
        let bare = try ScratchFolder()
        try bare.write("wrangler.toml", "name = \"b\"\nassets = { directory = \".\" }")
        try bare.write("index.html", "only")
        #expect(try Martlet.dev(bare.path).get().text == "only")
    }

    @Test func schedulesAreRunByHand() throws {
        let folder = try Self.project(
            #"{ "name": "a", "main": "src/index.ts", "triggers": { "crons": ["* * * * *"] } }"#,
            "export default { scheduled(event: { cron: string }) { console.log('cron', event.cron); } };")
        let martlet = try Martlet.dev(folder.path)
        #expect(try martlet.get("/__scheduled?cron=1+2+3+4+5").text == "Ran scheduled event")
        try martlet.logLine(containing: "cron 1 2 3 4 5")
    }

    @Test func whatIsNotThereIsNamed() throws {
        let folder = try Self.project(
            #"{ "name": "a", "main": "src/index.ts", "nonsense": 1 }"#, Self.showing)
        let martlet = try Martlet.dev(folder.path)
        try martlet.logLine(containing: "'nonsense' has no effect here")
        try folder.write("src/lib.ts", "export const a: number = 1;")
        for (flags, words) in [
            (["--env", "none"], "there is no environment 'none'"), (["--with", "/none"], "/none: No such file"),
            (["--with", NSTemporaryDirectory()], "there is no wrangler.json"),
        ] {
            let result = try Program.run(Martlet.binary, ["dev", folder.path, "--port", "0", "--no-persist"] + flags)
            #expect(result.status == 1)
            #expect(result.output.contains(words), "\(result.output)")
        }
    }
}
