import Foundation
import Sandbox
import Testing

/// Processes in control groups: with the kernel's where this machine has left some to us, and with files where not.
@Suite("Control groups", .serialized) struct ControlGroupTests {
    private static let limits = ControlGroups.Limits(memory: 100 << 20, threads: 40)

    // MARK: Version 2, as files

    @Test func version2WantsTheProcessBelow() throws {
        let fake = try FakeTree(controllers: "cpu memory pids")
        let groups = ControlGroups(limits: Self.limits, in: [fake.tree])
        #expect(groups.refusals.isEmpty)
        #expect(groups.folder(of: .memory) == fake.own)
        #expect(fake.text("martlet.supervisor/cgroup.procs") == "0")
        #expect(fake.text("cgroup.subtree_control") == "+memory +pids")
        let group = try #require(try groups.make())
        let name = try #require(fake.groups.last { $0 != "martlet.supervisor" })
        #expect(name.hasPrefix("martlet.\(getpid())."))
        #expect(fake.text("\(name)/memory.max") == "104857600")
        #expect(fake.text("\(name)/memory.swap.max") == "0")
        #expect(fake.text("\(name)/memory.oom.group") == "1")
        #expect(fake.text("\(name)/pids.max") == "40")
        #expect(group.memoryKills == 0)
        try fake.write("service/\(name)/memory.events", "low 0\noom 1\noom_kill 2\noom_group_kill 1\n")
        #expect(group.memoryKills == 2)
    }

    /// After SIGHUP: its predecessor has done all that.
    @Test func aSuccessorStartsBelow() throws {
        let fake = try FakeTree(controllers: "memory pids", own: "service/martlet.supervisor")
        try fake.write("service/cgroup.subtree_control", "memory pids")
        try fake.write("service/cgroup.procs", "")
        let groups = ControlGroups(limits: Self.limits, in: [fake.tree])
        #expect(groups.folder(of: .pids) == "\(fake.root)/service")
        #expect(fake.text("cgroup.subtree_control") == "\n")
        #expect(fake.text("../cgroup.subtree_control") == "memory pids")
    }

    @Test func whoIsNotAloneIsLeftWhereItIs() throws {
        let fake = try FakeTree(controllers: "memory pids")
        try fake.write("service/cgroup.procs", "1\n\(getpid())\n")
        let groups = ControlGroups(limits: Self.limits, in: [fake.tree])
        #expect(groups.refusals.count == 2)
        #expect(groups.refusal(of: .memory)?.contains("other processes") == true)
        #expect(try groups.make() == nil)
        #expect(fake.groups.isEmpty)
        #expect(fake.text("cgroup.subtree_control") == "\n")
    }

    @Test func whatIsNotGivenIsNotTaken() throws {
        let one = try FakeTree(controllers: "pids cpu")
        let groups = ControlGroups(limits: Self.limits, in: [one.tree])
        #expect(one.text("cgroup.subtree_control") == "+pids")
        #expect(groups.refusals.count == 1 && groups.refusal(of: .pids) == nil)
        let none = try FakeTree(controllers: "hugetlb")
        #expect(ControlGroups(limits: Self.limits, in: [none.tree]).refusals.count == 2)
        #expect(none.text("cgroup.procs") == "\(getpid())\n" && none.groups.isEmpty)
        #expect(ControlGroups(limits: Self.limits, in: []).refusals.count == 2)
    }

    @Test func aRefusalUndoesTheMove() throws {
        let fake = try FakeTree(controllers: "memory pids")
        // Where there should be a file.
        try FileManager.default.removeItem(atPath: "\(fake.own)/cgroup.subtree_control")
        try FileManager.default.createDirectory(
            atPath: "\(fake.own)/cgroup.subtree_control", withIntermediateDirectories: false)
        #expect(ControlGroups(limits: Self.limits, in: [fake.tree]).refusals.count == 2)
        #expect(fake.text("cgroup.procs")?.hasPrefix("0") == true)
    }

    @Test func onlyGroupsOfTheDeadGo() throws {
        let fake = try FakeTree(controllers: "memory pids")
        let dead = try Process.run(URL(filePath: "/bin/true"), arguments: [])
        dead.waitUntilExit()
        let gone = ["martlet.\(dead.processIdentifier).0", "martlet.\(getpid()).9999"]
        let stay = ["martlet.1.0", "martlet.x", "martlet.supervisor"]
        for name in gone + stay + ["other.\(dead.processIdentifier).0"] {
            try FileManager.default.createDirectory(atPath: "\(fake.own)/\(name)", withIntermediateDirectories: false)
        }
        _ = ControlGroups(limits: Self.limits, in: [fake.tree])
        let left = fake.groups
        #expect(stay.allSatisfy(left.contains) && !gone.contains(where: left.contains), "\(left)")
        #expect(FileManager.default.fileExists(atPath: "\(fake.own)/other.\(dead.processIdentifier).0"))
    }

    // MARK: The kernel's

    private static let folders = {
        let groups = ControlGroups(limits: limits)
        return GroupController.allCases.compactMap { groups.folder(of: $0) }
    }()
    static let areThere = folders.count == GroupController.allCases.count
    private static let why: Comment = "nobody has left control groups for memory and threads to this process"

    /// Nothing is left of a probe.
    private static func expectNothing(of attempt: Attempt) throws {
        for folder in folders {
            let names = try FileManager.default.contentsOfDirectory(atPath: folder)
            #expect(!names.contains { $0.hasPrefix("martlet.\(attempt.process).") })
        }
    }

    @Test(.enabled(if: areThere, why)) func threadsHaveAnEnd() throws {
        let bounded = try Probe.attempt("thread_flood", megabytes: 1_000, threads: 40)
        #expect((1..<40).contains(bounded.result ?? 0), "\(bounded)")
        try Self.expectNothing(of: bounded)
        #expect(try Probe.attempt("thread_flood", megabytes: 1_000, threads: 1_000).result == 300)
    }

    @Test(.enabled(if: areThere, why)) func memoryHasAnEnd() throws {
        let bounded = try Probe.attempt("memory_flood", megabytes: 100, threads: 40)
        #expect(bounded.result == nil)
        #expect(Child.signal(ofStatus: bounded.end) == SIGKILL)
        #expect(bounded.kills == 1)
        try Self.expectNothing(of: bounded)
        let free = try Probe.attempt("memory_flood", megabytes: 1_000, threads: 40)
        #expect(free.result == 300)
        #expect(free.kills == 0)
    }
}
