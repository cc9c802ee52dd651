import Foundation
import Testing

/// SIGHUP: the program is started anew, and takes over.
@Suite("Upgrade") struct UpgradeTests {
    private static let worker = """
        export default { async fetch(request, env) {
          const path = new URL(request.url).pathname;
          if (path === "/slow") await scheduler.wait(700);
          if (path === "/count") {
            const count = Number(await env.KV.get("count") ?? 0) + 1;
            await env.KV.put("count", String(count));
            return new Response(String(count));
          }
          return new Response("got ");
        } };
        """

    /// Sends SIGHUP.
    /// - Returns: the process that serves after it.
    private static func upgrade(_ martlet: Martlet) throws -> pid_t {
        kill(martlet.id, SIGHUP)
        let line = try martlet.logLine(containing: " serves; this one ends", by: .patient)
        return try #require(line.firstMatch(of: #/Process (\d+) serves/#).flatMap { pid_t($0.1) })
    }

    /// By a process of its own: a test that starts one just now would hold the file open for writing, and none could
    /// be started from it.
    private static func copyProgram(to path: String) throws {
        let copy = try Process.run(URL(filePath: "/bin/cp"), arguments: [Martlet.binary, path])
        copy.waitUntilExit()
        #expect(copy.terminationStatus == 0)
    }

    private static func isGone(_ process: pid_t) -> Bool { kill(process, 0) != 0 && errno == ESRCH }

    private static func platform() throws -> Platform {
        let platform = try Platform()
        let namespace = try platform.done("POST", "/accounts/{A}/storage/kv/namespaces", json: #"{"title":"n"}"#)
        let id = try #require(namespace["id"].string)
        try platform.deploy(
            worker, as: "a",
            metadata: #","bindings":[{"type":"kv_namespace","name":"KV","namespace_id":"\#(id)"}]"#)
        return platform
    }

    @Test func noRequestIsLostUnderLoad() throws {
        let platform = try Self.platform()
        let martlet = platform.martlet
        #expect(try platform.get("a", "/count").text == "1")
        let load = ConnectionLoad(martlet.port, host: "a.main.localhost")
        var processes: Set<pid_t> = [martlet.id]
        for round in 0..<3 {
            try load.awaitAnswers(20)
            let slow = try (0..<4).map { _ in try martlet.client("a.main.localhost") }
            for client in slow { try client.send("GET", "/slow") }
            let next = try Self.upgrade(martlet)
            #expect(processes.insert(next).inserted)
            for client in slow { #expect(try client.answer(by: .patient).text == "got ") }
            // The same truth, by the same port.
            #expect(try platform.get("a", "/count").text == String(round + 2))
            try platform.deploy(Platform.answering("deploy \(round)"), as: "b")
            #expect(try platform.get("b").text == "deploy \(round)")
            try load.awaitAnswers(20)
        }
        let result = load.stop()
        #expect(result.cuts == 0)
        #expect(result.refusals.isEmpty, "\(result.refusals)")
        #expect(result.wrong.isEmpty, "\(result.wrong)")
        // Whoever started the service still has it.
        #expect(martlet.isAlive)
        processes.remove(martlet.id)
        try wait(until: "one is left", by: .patient) { processes.filter { !Self.isGone($0) }.count == 1 }
        martlet.terminate()
        #expect(try martlet.exitCode() == 0)
        #expect(processes.allSatisfy(Self.isGone))
    }

    /// Deploys come again and again, while the control API goes from one process to the next.
    @Test func noCallOfTheAPIIsLost() throws {
        let platform = try Self.platform()
        kill(platform.martlet.id, SIGHUP)
        for round in 0..<20 {
            try platform.deploy(Platform.answering("\(round)"), as: "b")
            #expect(try platform.get("b").text == "\(round)")
        }
        try platform.martlet.logLine(containing: " serves; this one ends", by: .patient)
        try platform.deploy(Platform.answering("last"), as: "b")
        #expect(try platform.get("b").text == "last")
    }

    @Test func theProgramThatIsThereByThenIsStarted() throws {
        let folder = try ScratchFolder()
        try folder.write("workers/a.js", "export default { fetch: () => new Response('here') };")
        let binary = "\(folder.path)/martlet"
        try Self.copyProgram(to: binary)
        let arguments = ["serve", "--workers", "\(folder.path)/workers", "--port", "0", "--admin-port", "0"]
        let martlet = try Martlet(arguments, binary: binary)
        try martlet.takeAddress()
        try martlet.takeAddress()
        let host = try martlet.serverStatus()["hosts"].array?.first?["pid"].int
        // One that does not work: all stays as it was.
        try FileManager.default.removeItem(atPath: binary)
        try folder.write("martlet", "#!/bin/sh\nexit 3\n")
        chmod(binary, 0o755)
        kill(martlet.id, SIGHUP)
        try martlet.logLine(containing: "could not be started anew", by: .patient)
        #expect(try martlet.get(host: "a.localhost").text == "here")
        #expect(try martlet.serverStatus()["hosts"].array?.first?["pid"].int == host)
        // One that does.
        try FileManager.default.removeItem(atPath: binary)
        try Self.copyProgram(to: binary)
        let next = try Self.upgrade(martlet)
        let running = try FileManager.default.attributesOfItem(
            atPath: URL(filePath: "/proc/\(next)/exe").resolvingSymlinksInPath().path)
        let lying = try FileManager.default.attributesOfItem(atPath: binary)
        #expect(running[.systemFileNumber] as? Int == lying[.systemFileNumber] as? Int)
        try wait(until: "another host", by: .patient) {
            try martlet.serverStatus()["hosts"].array?.first?["pid"].int != host
        }
        #expect(try martlet.get(host: "a.localhost").text == "here")
    }

    @Test func allEndsWithWhatWasStarted() throws {
        let folder = try ScratchFolder()
        try folder.write("a.js", "export default { fetch: () => new Response('here') };")
        let martlet = try Martlet.serve(folder.path)
        let next = try Self.upgrade(martlet)
        try wait(until: "it keeps", by: .patient) {
            let line = try String(contentsOfFile: "/proc/\(martlet.id)/cmdline", encoding: .utf8)
            return line.contains("keeper")
        }
        #expect(try martlet.get(host: "a.localhost").text == "here")
        try martlet.kill9()
        try wait(until: "it is gone", by: .patient) { Self.isGone(next) }
    }

    @Test func whatIsUnderWayCanBeEndedMeanwhile() throws {
        let folder = try ScratchFolder()
        try folder.write("a.js", "export default { fetch() { console.log('begun'); return scheduler.wait(600000); } };")
        let martlet = try Martlet.serve(folder.path, ["--drain-ms", "300000"])
        let client = try martlet.client("a.localhost")
        try client.send("GET", "/")
        try martlet.logLine(containing: "begun", by: .patient)
        let next = try Self.upgrade(martlet)
        martlet.terminate()
        #expect(try martlet.exitCode() == 0)
        #expect(Self.isGone(next))
    }

    /// sd_notify(3), as systemd hears it.
    @Test func whoManagesServicesHearsThatItServes() throws {
        let folder = try ScratchFolder()
        try folder.write("workers/a.js", "export default { fetch: () => new Response('here') };")
        let listener = Process()
        listener.executableURL = URL(filePath: "/usr/bin/python3")
        let path = "\(folder.path)/notify"
        listener.arguments = [
            "-c",
            """
            import socket, sys
            s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            s.bind(sys.argv[1])
            print("bound", flush=True)
            for _ in range(2): print(s.recv(100).decode(), flush=True)
            """, path,
        ]
        let output = Pipe()
        listener.standardOutput = output
        try listener.run()
        defer { listener.terminate() }
        try wait(until: "it listens", by: .patient) { access(path, F_OK) == 0 }
        let arguments = ["serve", "--workers", "\(folder.path)/workers", "--port", "0", "--admin-port", "0"]
        let martlet = try Martlet(arguments, environment: ["NOTIFY_SOCKET": path])
        try martlet.takeAddress()
        try martlet.takeAddress()
        martlet.terminate()
        #expect(try martlet.exitCode() == 0)
        listener.waitUntilExit()
        let said = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        #expect(said == "bound\nREADY=1\nSTOPPING=1\n")
    }

    @Test func aLocationIsStartedAnewToo() throws {
        let platform = try Self.platform()
        let edge = try EdgeNode("cdg", of: platform)
        #expect(try edge.get("a", "/count").text == "1")
        _ = try Self.upgrade(edge.martlet)
        #expect(try edge.get("a").text == "got ")
        try platform.deploy(Platform.answering("new"), as: "b")
        try edge.wait(for: "new", of: "b")
        try wait(until: "it writes", by: .patient) { try edge.get("a", "/count").text == "2" }
    }
}
