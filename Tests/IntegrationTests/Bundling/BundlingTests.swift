import Foundation
import Testing

/// Workers that have to be bundled, by Debian's esbuild.
@Suite("Bundling") struct BundlingTests {
    private static let wasm: [UInt8] = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]

    private static func package(_ folder: ScratchFolder) throws {
        try folder.write(
            "node_modules/pack/package.json",
            #"{"name":"pack","exports":{".":{"workerd":"./workerd.js","browser":"./no.js","default":"./no.js"}}}"#)
        try folder.write(
            "node_modules/pack/workerd.js",
            "import wasm from './p.wasm'; export const name = `workerd ${wasm instanceof WebAssembly.Module}`;")
        try folder.write("node_modules/pack/p.wasm", wasm)
    }

    /// Runs `dev`, which must not start.
    /// - Returns: what it said.
    private static func failure(_ folder: ScratchFolder, _ main: String, _ flags: [String] = []) throws -> String {
        let result = try Program.run(Martlet.binary, ["dev", "\(folder.path)/\(main)", "--port", "0"] + flags)
        #expect(result.status == 1, "\(result.output)")
        return result.output
    }

    @Test func typeScriptWithAPackageRuns() throws {
        let folder = try ScratchFolder()
        try Self.package(folder)
        try folder.write("src/t.txt", "text")
        try folder.write("src/again.wasm", Self.wasm)
        try folder.write("src/d.json", #"{"n":1}"#)
        try folder.write(
            "src/lib/a.ts",
            """
            import text from "../t.txt";
            import wasm from "../again.wasm?module";
            export enum E { A = "e" }
            export const t: string = `${text} ${wasm instanceof WebAssembly.Module}`;
            """)
        try folder.write(
            "src/index.ts",
            """
            import { name } from "pack";
            import data from "./d.json" with { type: "json" };
            import { E, t } from "./lib/a";
            import { WorkerEntrypoint } from "cloudflare:workers";
            export default class extends WorkerEntrypoint {
              static #count = 0;
              fetch(): Response {
                return new Response([name, E.A, t, data.n, process.env.NODE_ENV].join());
              }
            }
            """)
        let martlet = try Martlet.dev("\(folder.path)/src/index.ts")
        #expect(try martlet.get().text == "workerd true,e,text true,1,development")
        // Nothing is left of the bundler's work.
        #expect(try FileManager.default.contentsOfDirectory(atPath: "\(folder.path)/src/.martlet").isEmpty)
    }

    @Test func javaScriptThatImportsAPackageIsBundled() throws {
        let folder = try ScratchFolder()
        try Self.package(folder)
        try folder.write(
            "index.js", "import { name } from 'pack'; export default { fetch: () => new Response(name) };")
        let martlet = try Martlet.dev(folder.path)
        #expect(try martlet.get().text == "workerd true")
    }

    /// Plain JavaScript needs no bundler: the one that is named here is none.
    @Test func plainJavaScriptNeedsNoBundler() throws {
        let folder = try ScratchFolder()
        try folder.write("d.json", #"{"n":1}"#)
        try folder.write(
            "index.js",
            """
            import d from "./d.json" with { type: "json" };
            export { default as d } from './d.json' with { type: 'json' };
            export default { fetch() { throw new Error("n is " + d.n); } };
            """)
        let martlet = try Martlet.dev(folder.path, ["--esbuild", "/no/esbuild"])
        #expect(try martlet.get().status == 500)
        try martlet.logLine(containing: "n is 1")
        try martlet.logLine(containing: "at Object.fetch (index.js:3:34)")
        let asked = try Self.failure(folder, "index.js", ["--esbuild", "/no/esbuild", "--bundle"])
        #expect(asked.contains("/no/esbuild: No such file"))
    }

    @Test func anotherBundlerCanBeNamed() throws {
        let folder = try ScratchFolder()
        try folder.write("esbuild", "#!/bin/sh\necho called >>\"$0.log\"\nexec esbuild \"$@\"\n")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: "\(folder.path)/esbuild")
        try folder.write("index.ts", "export default { fetch: (): Response => new Response('x') };")
        let martlet = try Martlet.dev("\(folder.path)/index.ts", ["--esbuild", "\(folder.path)/esbuild"])
        #expect(try martlet.get().text == "x")
        #expect(FileManager.default.fileExists(atPath: "\(folder.path)/esbuild.log"))
        let wrong = try Self.failure(folder, "index.ts", ["--esbuild", "/bin/echo"])
        #expect(wrong.contains("/bin/echo is not esbuild"))
    }

    /// Standards that Debian's esbuild or V8 10.2 does not know.
    @Test(arguments: [
        ("const y = 1; using x = f();", "index.ts:1:20: esbuild 0.17.0 does not know a 'using' declaration"),
        ("export function f<const T>(x: T) { return x; }", "does not know a const type parameter"),
        ("\nexport default /[a--b]/v;", "index.ts:2:24: V8 10.2 does not know the RegExp flag v"),
        ("class A { accessor x = 1 }", "does not know an 'accessor' field"),
        ("class A {\n  @f m() {}\n}", "index.ts:2:3: esbuild 0.17.0 knows only TypeScript's experimental decorators"),
        ("import { a } from 'none'; a();", #"index.ts:1:19: Could not resolve "none": no such package"#),
        ("import { a } from './none'; a();", #"index.ts:1:19: Could not resolve "./none""#),
        ("let a = ;", "index.ts:1:9: Unexpected \";\""),
    ])
    func whatCannotBeCompiledIsNamed(code: String, words: String) throws {
        let folder = try ScratchFolder()
        try folder.write("index.ts", code + "\nexport default { fetch() {} };")
        let failure = try Self.failure(folder, "index.ts")
        #expect(failure.contains(words), "\(failure)")
        if failure.contains("esbuild 0.17") { #expect(failure.contains("--esbuild PATH")) }
    }

    @Test func newSyntaxInPlainJavaScriptIsNamed() throws {
        let folder = try ScratchFolder()
        try folder.write("index.js", "export default { fetch() {} };\nclass A { accessor x = 1 }")
        let failure = try Self.failure(folder, "index.js")
        #expect(failure.contains("index.js:2:20: SyntaxError"), "\(failure)")
        #expect(failure.contains("V8 10.2 does not know an 'accessor' field"))
    }

    @Test func experimentalDecoratorsAreCompiled() throws {
        let folder = try ScratchFolder()
        try folder.write("tsconfig.json", #"{ "compilerOptions": { "experimentalDecorators": true, } }"#)
        try folder.write(
            "index.ts",
            """
            const d = (target: any, key: string) => { target[key + "!"] = "decorated"; };
            class A { @d m() {} }
            export default { fetch: () => new Response((new A() as any)["m!"]) };
            """)
        #expect(try Martlet.dev("\(folder.path)/index.ts").get().text == "decorated")
    }

    @Test func stackTracesNameTheSource() throws {
        let folder = try ScratchFolder()
        try folder.write(
            "lib.ts", "interface A {}\n\nexport function fail(a: A): never {\n  throw new Error(`${a}`);\n}\n")
        try folder.write(
            "index.ts",
            """
            import { fail } from "./lib";
            type T = string;

            console.log(new Error("at the start"));
            export default {
              fetch(request: Request) {
                console.log("logged", new Error("here"));
                fail(request.url);
              },
            };
            """)
        let martlet = try Martlet.dev("\(folder.path)/index.ts")
        try martlet.logLine(containing: "at index.ts:4:13")
        #expect(try martlet.get().status == 500)
        try martlet.logLine(containing: "at Object.fetch (index.ts:7:27)")
        try martlet.logLine(containing: "at fail (lib.ts:4:9)")
        try martlet.logLine(containing: "at Object.fetch (index.ts:8:5)")
        try folder.write("index.ts", "const a: number = 1;\n\n  throw new Error(`stop ${a}`);")
        try martlet.logLine { $0.contains("Not reloaded: index.ts:3:3: Error: stop 1") }
    }
}
