import Foundation
import Testing

/// Where `martlet doctor` finds that control groups can be made.
private enum GroupFolders {
    static let (memory, threads) = {
        let lines = (try? Martlet(["doctor"]))?.rest().output ?? []
        func folder(_ name: String) -> String? {
            lines.first { $0.hasPrefix(name) }?.firstMatch(of: #/by control groups below (.+)/#).map { String($0.1) }
        }
        return (folder("memory limit"), folder("thread limit"))
    }()

    static let areThere = memory != nil && threads != nil

    /// Those that a process has made, as folders.
    static func of(_ process: pid_t, in folder: String?) throws -> [String] {
        let folder = try #require(folder)
        let names = try FileManager.default.contentsOfDirectory(atPath: folder)
        return names.filter { $0.hasPrefix("martlet.\(process).") }.map { "\(folder)/\($0)" }
    }

    /// The file in a group, its words; none if it is not there.
    static func words(_ name: String, _ group: String) -> [Substring] {
        let text = try? String(contentsOfFile: "\(group)/\(name)", encoding: .utf8)
        return text?.split(whereSeparator: \.isWhitespace) ?? []
    }
}

/// Hosts in control groups of their own.
@Suite(
    "Host bounds",
    .enabled(if: GroupFolders.areThere, "nobody has left control groups for memory and threads to this process"))
struct HostBoundsTests {
    private static let answering = "export default { fetch: () => new Response('well') };"

    /// The group that a process is in, of those that another one has made; nil if it is in none.
    private static func group(of host: Int, by supervisor: pid_t, in folder: String?) throws -> String? {
        let groups = try GroupFolders.of(supervisor, in: folder)
        return groups.first { GroupFolders.words("cgroup.procs", $0).contains("\(host)") }
    }

    /// Waits for one that answers, another than the old one.
    private static func host(of martlet: Martlet, after old: Int? = nil) throws -> Int {
        try eventually("a host", by: .patient) {
            (try? martlet.serverStatus())?["hosts"].array?.first?["pid"].int.flatMap { $0 == old ? nil : $0 }
        }
    }

    @Test func eachHostHasAGroup() throws {
        let folder = try ScratchFolder()
        try folder.write("a.js", Self.answering)
        let martlet = try Martlet.serve(folder.path, ["--host-memory-mb", "600", "--host-threads", "200"])
        let host = try Self.host(of: martlet)
        let memory = try #require(try Self.group(of: host, by: martlet.id, in: GroupFolders.memory))
        let limit = GroupFolders.words("memory.limit_in_bytes", memory) + GroupFolders.words("memory.max", memory)
        #expect(limit == ["\(600 << 20)"])
        let threads = try #require(try Self.group(of: host, by: martlet.id, in: GroupFolders.threads))
        #expect(GroupFolders.words("pids.max", threads) == ["200"])
        #expect(try martlet.get(host: "a.localhost").text == "well")
        // The next one has another.
        kill(pid_t(host), SIGKILL)
        let next = try Self.host(of: martlet, after: host)
        let other = try #require(try Self.group(of: next, by: martlet.id, in: GroupFolders.memory))
        #expect(other != memory)
        try wait(until: "the old one is gone", by: .patient) {
            try GroupFolders.of(martlet.id, in: GroupFolders.memory) == [other]
        }
        martlet.terminate()
        #expect(try martlet.exitCode() == 0)
        for folder in [GroupFolders.memory, GroupFolders.threads] {
            #expect(try GroupFolders.of(martlet.id, in: folder).isEmpty)
        }
    }

    @Test func whoTakesTooMuchMemoryEndsItsOwnHostOnly() throws {
        let hog = """
            const kept = [];
            export default { fetch(request) {
              if (new URL(request.url).pathname === "/") return new Response("well");
              for (let i = 0; i < 100; i++) kept.push(new Uint8Array(16 << 20).fill(1));
              return new Response("too much");
            } };
            """
        let platform = try Platform(["--host-memory-mb", "500", "--memory-mb", "2048", "--cpu-ms", "60000"])
        try platform.deploy(hog, as: "hog")
        try platform.deploy(Self.answering, as: "neighbour")
        try platform.setCordon("paid", of: "neighbour")
        func hosts() -> [String: Int]? {
            let rows = (try? platform.martlet.serverStatus())?["hosts"].array ?? []
            guard rows.count == 2 else { return nil }
            return Dictionary(uniqueKeysWithValues: rows.map { ($0["cordon"].string ?? "", $0["pid"].int ?? 0) })
        }
        let before = try eventually("two hosts", by: .patient) { hosts() }
        let client = try platform.martlet.client("hog.main.localhost")
        try client.send("GET", "/all")
        #expect(try client.isCut(by: .patient))
        try platform.martlet.logLine(containing: "the kernel ended it for want of memory", by: .patient)
        try platform.martlet.logLine(containing: "has crashed", by: .patient)
        #expect(try platform.get("neighbour").text == "well")
        let after = try eventually("two hosts again", by: .patient) {
            hosts().flatMap { $0["free"] == before["free"] ? nil : $0 }
        }
        #expect(after["paid"] == before["paid"])
        #expect(try platform.martlet.client("hog.main.localhost").get(by: .patient).text == "well")
    }

    @Test func whatAKilledSupervisorLeavesGoes() throws {
        let folder = try ScratchFolder()
        try folder.write("a.js", Self.answering)
        let living = try Martlet.serve(folder.path)
        let killed = try Martlet.serve(folder.path)
        let left = try GroupFolders.of(killed.id, in: GroupFolders.memory)
        #expect(!left.isEmpty)
        try killed.kill9()
        try wait(until: "its hosts are gone", by: .patient) {
            left.allSatisfy { GroupFolders.words("cgroup.procs", $0).isEmpty }
        }
        let next = try Martlet.serve(folder.path)
        #expect(try GroupFolders.of(killed.id, in: GroupFolders.memory).isEmpty)
        for one in [living, next] {
            #expect(try Self.group(of: try Self.host(of: one), by: one.id, in: GroupFolders.memory) != nil)
        }
    }

    @Test func anUpgradeKeepsTheBounds() throws {
        let folder = try ScratchFolder()
        try folder.write("a.js", Self.answering)
        let martlet = try Martlet.serve(folder.path)
        var host = try Self.host(of: martlet)
        for _ in 0..<2 {
            kill(martlet.id, SIGHUP)
            let line = try martlet.logLine(containing: " serves; this one ends", by: .patient)
            let next = try #require(line.firstMatch(of: #/Process (\d+) serves/#).flatMap { pid_t($0.1) })
            host = try Self.host(of: martlet, after: host)
            #expect(try Self.group(of: host, by: next, in: GroupFolders.threads) != nil)
        }
        try wait(until: "the first one's are gone", by: .patient) {
            try GroupFolders.of(martlet.id, in: GroupFolders.threads).isEmpty
        }
    }

    @Test func withoutASandboxThereAreNone() throws {
        let folder = try ScratchFolder()
        try folder.write("a.js", Self.answering)
        let martlet = try Martlet.serve(folder.path, ["--sandbox", "off"])
        #expect(try martlet.get(host: "a.localhost").text == "well")
        #expect(try GroupFolders.of(martlet.id, in: GroupFolders.memory).isEmpty)
    }
}
