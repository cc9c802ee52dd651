import Testing

/// A call that must fail: with one line that says why, and not with a crash.
struct WrongCall: Sendable, CustomTestStringConvertible {
    /// An "@" stands for the folder of the files.
    let arguments: [String]
    /// Files that are there, by name.
    var files: [String: String] = [:]
    /// What the line must say, all of it.
    let says: [String]
    var testDescription: String { arguments.joined(separator: " ") }

    static let all = [
        WrongCall(arguments: ["dev", "@/none.js"], says: ["none.js", "No such file"]),
        WrongCall(arguments: ["dev", "@"], says: ["no index.js in this folder"]),
        WrongCall(arguments: ["dev", "@/a.ts"], files: ["a.ts": "let a = ;"], says: ["a.ts:1:9", "Unexpected"]),
        WrongCall(arguments: ["dev", "@/a.py"], files: ["a.py": ""], says: ["a.py", "'rules'"]),
        WrongCall(arguments: ["serve", "--workers", "@/none"], says: ["none", "no such folder"]),
        WrongCall(arguments: ["serve"], says: ["--workers"]),
        WrongCall(arguments: ["frobnicate"], says: ["frobnicate"]),
        WrongCall(arguments: ["dev", "--frobnicate"], says: ["--frobnicate"]),
        WrongCall(arguments: ["dev", "--port", "70000"], says: ["--port", "70000"]),
        WrongCall(
            arguments: ["dev", "@/a.js", "--port", "0", "--host", "203.0.113.1"],
            files: ["a.js": "export default { fetch() {} };"], says: ["cannot listen on 203.0.113.1:0"]),
        WrongCall(arguments: ["dev", "--var", "NAME"], says: ["--var takes NAME=VALUE", "NAME"]),
        WrongCall(
            arguments: ["serve", "--workers", ".", "--base-url", "/x"], says: ["--base-url takes an absolute", "/x"]),
        WrongCall(
            arguments: ["serve", "--workers", ".", "--host-memory-mb", "1"],
            says: ["--host-memory-mb must be between 128 and"]),
        WrongCall(
            arguments: ["serve", "--workers", ".", "--host-threads", "8"], says: ["--host-threads must be between 32"]),
        WrongCall(
            arguments: ["serve", "--workers", ".", "--process-memory-mb", "300", "--host-memory-mb", "300"],
            says: ["--host-memory-mb must be more than --process-memory-mb, which is 300"]),
        WrongCall(arguments: ["dev", "--cpu-ms", "0"], says: ["--cpu-ms must be between 1 and"]),
        WrongCall(arguments: ["dev", "--cpu-ms", "many"], says: ["--cpu-ms", "many"]),
        WrongCall(arguments: ["dev", "--startup-cpu-ms", "100000"], says: ["--startup-cpu-ms must be between"]),
        WrongCall(arguments: ["dev", "--memory-mb", "1"], says: ["--memory-mb must be between"]),
        WrongCall(arguments: ["dev", "--log-kb", "-1"], says: ["--log-kb"]),
        WrongCall(arguments: ["dev", "--timers", "-1"], says: ["--timers"]),
        WrongCall(arguments: ["dev", "--wait-until-s", "100000"], says: ["--wait-until-s must be between"]),
        WrongCall(arguments: ["dev", "--concurrency", "0"], says: ["--concurrency must be between"]),
        WrongCall(arguments: ["dev", "--front-lanes", "0"], says: ["--front-lanes must be between"]),
        WrongCall(arguments: ["dev", "--back-lanes", "-1"], says: ["--back-lanes"]),
        WrongCall(arguments: ["dev", "--blank-isolates", "1001"], says: ["--blank-isolates must be between"]),
        WrongCall(arguments: ["dev", "--memory-budget-mb", "1"], says: ["--memory-budget-mb must be between"]),
        WrongCall(arguments: ["dev", "--url-kb", "0"], says: ["--url-kb must be between"]),
        WrongCall(arguments: ["dev", "--header-kb", "0"], says: ["--header-kb must be between"]),
        WrongCall(arguments: ["dev", "--drain-ms", "-1"], says: ["--drain-ms"]),
        WrongCall(arguments: ["dev", "--compatibility-date", "2024-02-30"], says: ["date", "2024-02-30"]),
        WrongCall(
            arguments: [
                "dev", "--compatibility-flag", "nodejs_compat", "--compatibility-flag", "no_nodejs_compat",
            ],
            says: ["nodejs_compat", "no_nodejs_compat", "contradict"]),
    ]

    /// Workers that cannot start, with the place that must be named.
    static let workers = [
        WrongCall(
            arguments: ["dev", "@/index.js", "--port", "0"],
            files: ["index.js": "import { Buffer } from \"node:buffer\";\nexport default { fetch() {} };\n"],
            says: ["index.js", "No such module \"node:buffer\"", "--compatibility-flag nodejs_compat"]),
        WrongCall(
            arguments: ["dev", "@/index.js", "--port", "0", "--compatibility-flag", "nodejs_compat"],
            files: ["index.js": "export default { fetch: () => import(\"node:fs\") };\n"],
            says: ["index.js", "No such module \"node:fs\"", "node:buffer"]),
        WrongCall(
            arguments: ["dev", "@/index.js", "--port", "0", "--compatibility-flag", "nodejs_compat"],
            files: ["index.js": "import \"./a.js\";\nexport default { fetch() {} };\n", "a.js": "import \"crypto\";"],
            says: ["a.js", "No such module \"crypto\""]),
        WrongCall(
            arguments: ["dev", "@/index.js", "--port", "0"],
            files: ["index.js": "import { connect } from \"cloudflare:sockets\";\nexport default { fetch() {} };\n"],
            says: ["index.js", "No such module \"cloudflare:sockets\"", "cloudflare:workers"]),
        WrongCall(
            arguments: ["dev", "@/index.js", "--port", "0"],
            files: [
                "index.js": "import { DurableObject } from \"cloudflare:workers\";\nexport default { fetch() {} };\n"
            ],
            says: ["index.js:1", "cloudflare:workers", "DurableObject"]),
        WrongCall(
            arguments: ["dev", "@/index.js", "--port", "0"],
            files: ["index.js": "export default class { fetch() {} };\n"],
            says: ["index.js", "does not extend WorkerEntrypoint"]),
        WrongCall(
            arguments: ["dev", "@/index.js", "--port", "0"],
            files: ["index.js": "export default {\n  fetch() {}\n  oops: 1\n};\n"],
            says: ["index.js:3:3", "SyntaxError", "Unexpected identifier"]),
        WrongCall(
            arguments: ["dev", "@", "--port", "0"],
            files: [
                "index.js": "import './lib/b.js';\nexport default { fetch() {} };\n", "lib/b.js": "\n\n  let let;\n",
            ],
            says: ["lib/b.js:3:7", "SyntaxError"]),
        WrongCall(
            arguments: ["dev", "@", "--port", "0"],
            files: [
                "index.js": "import { y } from './b.js';\nexport default { fetch() {} };\n", "b.js": "export let x;",
            ],
            says: ["index.js:1:10", "SyntaxError", "'./b.js' does not provide an export named 'y'"]),
        WrongCall(
            arguments: ["dev", "@", "--port", "0"],
            files: ["index.js": "export default { fetch() {} };\nnull.x;\n"], says: ["index.js:2:6", "TypeError"]),
        WrongCall(
            arguments: ["dev", "@", "--port", "0"],
            files: ["index.js": "import './gone.js';\nexport default { fetch() {} };\n"],
            says: ["index.js", "./gone.js"]),
        WrongCall(
            arguments: ["dev", "@", "--port", "0"], files: ["index.js": "export default {};"],
            says: ["index.js", "No event handlers were registered"]),
        WrongCall(
            arguments: ["dev", "@", "--port", "0", "--startup-cpu-ms", "50"],
            files: ["index.js": "export default { fetch() {} };\nfor (;;);"],
            says: ["index.js", "50 ms", "--startup-cpu-ms"]),
        WrongCall(
            arguments: ["dev", "@", "--port", "0", "--memory-mb", "16"],
            files: [
                "index.js": "const a = [];\nfor (;;) a.push(new Array(1e4).fill(1.5));\nexport default { fetch() {} };"
            ],
            says: ["index.js", "16 MB", "--memory-mb"]),
        WrongCall(
            arguments: ["dev", "@", "--port", "0"],
            files: ["index.js": "await new Promise(() => {});\nexport default { fetch() {} };"],
            says: ["index.js", "Top-level await"]),
        WrongCall(
            arguments: ["dev", "@", "--port", "0"],
            files: ["index.js": "import a from './a.json';\nexport default { fetch() {} };", "a.json": "{ \"a\": }"],
            says: ["a.json", "JSON"]),
        WrongCall(
            arguments: ["dev", "@", "--port", "0"],
            files: ["index.js": "import a from './a.wasm';\nexport default { fetch() {} };", "a.wasm": "no wasm"],
            says: ["a.wasm", "magic word"]),
    ]
}

@Suite("Command line") struct CommandLineTests {
    @Test(arguments: WrongCall.all + WrongCall.workers)
    func wrongCallsEndWithALine(_ call: WrongCall) throws {
        let folder = try ScratchFolder()
        for (name, text) in call.files { try folder.write(name, text) }
        let martlet = try Martlet(call.arguments.map { $0.replacing("@", with: folder.path) })
        let code = try martlet.exitCode()
        let (output, log) = martlet.rest()
        #expect(code == 1 || code == 64, "exit code \(code): \(log)")
        #expect(output.isEmpty)
        let line = log.first ?? ""
        #expect(line.hasPrefix("Error: "))
        for text in call.says { #expect(line.contains(text), "\(log)") }
        // What follows can only be the frame: the line of the source, and a mark under the place.
        #expect(log.count == 1 || log.count == 3 && log[2].drop { $0 == " " } == "^", "\(log)")
    }

    @Test func portInUse() throws {
        let folder = try ScratchFolder()
        try folder.write("index.js", "export default { fetch: () => new Response('first') };")
        let first = try Martlet.dev(folder.path)
        let second = try Martlet(["dev", folder.path, "--port", "\(first.port)"])
        #expect(try second.exitCode() == 1)
        let (output, log) = second.rest()
        #expect(output.isEmpty)
        #expect(log == ["Error: cannot listen on 127.0.0.1:\(first.port): the port is in use"])
        #expect(try first.get().text == "first")
    }

    @Test func adminPortInUse() throws {
        let folder = try ScratchFolder()
        let first = try Martlet.serve(folder.path)
        let second = try Martlet([
            "serve", "--workers", folder.path, "--port", "0", "--admin-port", "\(first.ports[1])",
        ])
        #expect(try second.exitCode() == 1)
        let log = second.rest().log
        #expect(log == ["Error: cannot listen on 127.0.0.1:\(first.ports[1]): the port is in use"])
    }

    @Test(arguments: [["--help"], ["dev", "--help"], ["help", "serve"]])
    func helpIsNoError(_ arguments: [String]) throws {
        let martlet = try Martlet(arguments)
        #expect(try martlet.exitCode() == 0)
        let (output, log) = martlet.rest()
        #expect(output.contains { $0.contains("USAGE: martlet") })
        #expect(log.isEmpty)
    }

    @Test func aReadyLineForEachListenerAndNothingElse() throws {
        let folder = try ScratchFolder()
        try folder.write("a.js", "export default { fetch: () => { console.log('x'); return new Response('a'); } };")
        let dev = try Martlet.dev("\(folder.path)/a.js", ["--host", "localhost"])
        #expect(try dev.get().text == "a")
        let serve = try Martlet.serve(folder.path)
        #expect(try serve.get(host: "a.localhost").text == "a")
        #expect(serve.port != serve.ports[1])
        for martlet in [dev, serve] {
            martlet.terminate()
            #expect(try martlet.exitCode() == 0)
            #expect(martlet.rest().output.isEmpty)
        }
    }

    @Test func doctorSaysWhatHolds() throws {
        let martlet = try Martlet(["doctor"])
        #expect(try martlet.exitCode() == 0)
        let (output, log) = martlet.rest()
        #expect(log.isEmpty)
        for name in ["V8 ", "kernel ", "open files ", "memory mappings ", "memory limit ", "thread limit "] {
            #expect(output.contains { $0.hasPrefix(name) }, "\(output)")
        }
        // Whatever the kernel refuses here, it has been tried, and each line says what came of it.
        let measures = output.filter { $0.hasPrefix("  yes  ") || $0.hasPrefix("  no   ") }
        #expect(measures.count > 10)
        #expect(measures.contains("  yes  system calls filtered (seccomp)"))
        #expect(output.last?.contains("--sandbox=required") == true || output.last?.hasPrefix("Not all") == true)
    }
}
