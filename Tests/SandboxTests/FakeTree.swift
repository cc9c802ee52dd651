import Foundation
import Sandbox

/// A folder with the files of version 2 of control groups, which do what files do.
final class FakeTree {
    let root: String
    let own: String

    /// - Parameter own: the path of this process's group.
    init(controllers: String, own path: String = "service") throws {
        root = NSTemporaryDirectory() + "/groups-\(UUID().uuidString)"
        own = "\(root)/\(path)"
        try FileManager.default.createDirectory(atPath: own, withIntermediateDirectories: true)
        try write("\(path)/cgroup.type", "domain\n")
        try write("\(path)/cgroup.controllers", "\(controllers)\n")
        try write("\(path)/cgroup.subtree_control", "\n")
        try write("\(path)/cgroup.procs", "\(getpid())\n")
    }

    deinit { try? FileManager.default.removeItem(atPath: root) }

    var tree: GroupTree {
        let path = own.dropFirst(root.count)
        return GroupTree.all(membership: "0::\(path)", mounts: "1 1 0:1 / \(root) rw - cgroup2 cgroup2 rw")[0]
    }

    func write(_ name: String, _ text: String) throws {
        try Data(text.utf8).write(to: URL(filePath: "\(root)/\(name)"))
    }

    /// Nil if it is not there.
    func text(_ name: String) -> String? { try? String(contentsOfFile: "\(own)/\(name)", encoding: .utf8) }

    /// Groups below the process's own, in the order in which they were made.
    var groups: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: own)) ?? []).filter { $0.hasPrefix("martlet.") }
            .sorted { ($0.count, $0) < ($1.count, $1) }
    }
}
