import Foundation
import Sandbox
import Testing

/// Where a process is among control groups, by what /proc says.
@Suite("Group trees") struct GroupTreeTests {
    @Test func version1HasAHierarchyForEachController() {
        let trees = GroupTree.all(
            membership: """
                9:name=systemd:/
                8:pids:/
                5:cpu,memory:/some/group
                0::/
                """,
            mounts: """
                31 23 0:28 / /groups rw,relatime - tmpfs tmpfs rw,mode=755
                32 31 0:29 / /groups/cpu,memory rw,relatime shared:9 - cgroup cgroup rw,cpu,memory
                39 31 0:36 / /groups/pids rw,relatime - cgroup cgroup rw,pids
                40 31 0:37 / /groups/systemd rw,relatime - cgroup cgroup rw,name=systemd
                """)
        #expect(trees.map(\.own) == ["/groups/systemd", "/groups/pids", "/groups/cpu,memory/some/group"])
        #expect(trees.map(\.root) == ["/groups/systemd", "/groups/pids", "/groups/cpu,memory"])
        #expect(trees.map(\.controllers) == [[], [.pids], [.memory]])
        #expect(trees.allSatisfy { $0.version == .v1 })
    }

    @Test(
        arguments: [
            // What is mounted is below the highest group, as in a container.
            ("0::/pod/a b/c", "30 1 0:26 /pod /sys/fs/cgroup ro - cgroup2 cgroup2 rw", "/sys/fs/cgroup/a b/c"),
            ("0::/pod", "30 1 0:26 /pod /sys/fs/cgroup ro - cgroup2 cgroup2 rw", "/sys/fs/cgroup"),
            ("0::/", "30 1 0:26 / /my\\040groups rw - cgroup2 none rw", "/my groups"),
            // Elsewhere: not to be seen.
            ("0::/podium", "30 1 0:26 /pod /sys/fs/cgroup ro - cgroup2 cgroup2 rw", nil),
            ("0::/../other", "30 1 0:26 / /sys/fs/cgroup ro - cgroup2 cgroup2 rw", nil),
            ("0::/", "30 1 0:26 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids", nil),
            ("nonsense", "30 1 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2", nil), ("", "", nil),
        ] as [(String, String, String?)])
    func version2HasOne(_ membership: String, _ mounts: String, _ own: String?) {
        let trees = GroupTree.all(membership: membership, mounts: mounts)
        #expect(trees.map(\.own) == (own.map { [$0] } ?? []))
        #expect(trees.allSatisfy { $0.version == .v2 && $0.controllers.isEmpty })
    }

    /// What the kernel says here is understood.
    @Test func thisProcessIsSomewhere() throws {
        for tree in GroupTree.all {
            let members = try String(contentsOfFile: "\(tree.own)/cgroup.procs", encoding: .utf8)
            #expect(members.split(separator: "\n").contains("\(getpid())"), "\(tree)")
        }
    }

    @Test func theLowestLimitUpwardsCounts() throws {
        let tree = try FakeTree(controllers: "memory pids", own: "a/b")
        #expect(tree.tree.memoryLimit == nil)
        try tree.write("a/memory.max", "5000000")
        try tree.write("a/b/memory.max", "max")
        #expect(tree.tree.memoryLimit == 5_000_000)
        try tree.write("a/b/memory.max", "4000000")
        #expect(tree.tree.memoryLimit == 4_000_000)
    }
}
