internal import Glibc

/// What a control group bounds (cgroups(7)).
package enum GroupController: String, CaseIterable, Sendable {
    case memory
    /// Of threads, whatever its name says.
    case pids
}

/// A hierarchy of control groups, as far as this process sees it, and where in it the process is.
package struct GroupTree: Sendable, Equatable {
    package enum Version: Sendable {
        case v1
        case v2
    }

    package let version: Version
    /// The folder of the highest group that is seen.
    package let root: String
    /// The folder of the process's own group: `root`, or below it.
    package let own: String
    /// Those that groups below can have.
    package let controllers: [GroupController]

    /// Those of this process; none if /proc does not say.
    package static var all: [GroupTree] {
        all(
            membership: KernelFile.read("/proc/self/cgroup") ?? "",
            mounts: KernelFile.read("/proc/self/mountinfo") ?? "")
    }

    /// - Parameters:
    ///   - membership: lines such as "4:memory:/a/group"; version 2's is "0::/a/group".
    ///   - mounts: the lines of proc_pid_mountinfo(5).
    package static func all(membership: String, mounts: String) -> [GroupTree] {
        let mounts = mounts.split(separator: "\n").compactMap(GroupMount.init)
        return membership.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { return nil }
            for mount in mounts {
                guard mount.holds(fields[1]), let own = mount.folder(of: String(fields[2])) else { continue }
                let names =
                    mount.version == .v1
                    ? fields[1].split(separator: ",") : KernelFile.words("\(own)/cgroup.controllers")
                return GroupTree(
                    version: mount.version, root: mount.folder, own: own,
                    controllers: GroupController.allCases.filter { names.contains(Substring($0.rawValue)) })
            }
            return nil
        }
    }

    /// The memory that this process's group, and those above it, may take, in bytes; nil if there is no limit.
    package static var memoryLimit: Int? {
        all.filter { $0.version == .v2 || $0.controllers.contains(.memory) }.compactMap(\.memoryLimit).min()
    }

    package var memoryLimit: Int? {
        let name = version == .v1 ? "memory.limit_in_bytes" : "memory.max"
        var limit: Int?
        var folder = own
        while true {
            // Without a limit there is "max", or in version 1 a number that no machine reaches.
            if let bytes = KernelFile.words("\(folder)/\(name)").first.flatMap({ Int($0) }) {
                limit = min(bytes, limit ?? bytes)
            }
            guard folder != root, let end = folder.lastIndex(of: "/") else { return limit }
            folder = String(folder[..<end])
        }
    }
}

/// A mounted hierarchy.
private struct GroupMount {
    let version: GroupTree.Version
    let folder: String
    /// The group that is mounted there.
    private let group: String
    /// Of version 1, the controllers among other things.
    private let options: [Substring]

    /// - Parameter line: such as "35 31 0:32 /group /sys/fs/cgroup/memory rw shared:1 - cgroup cgroup rw,memory".
    init?(_ line: Substring) {
        let words = line.split(separator: " ")
        guard let dash = words.firstIndex(of: "-"), dash >= 6, words.count > dash + 3 else { return nil }
        switch words[dash + 1] {
        case "cgroup": version = .v1
        case "cgroup2": version = .v2
        default: return nil
        }
        group = Self.plain(words[3])
        folder = Self.plain(words[4])
        options = words[dash + 3].split(separator: ",")
    }

    /// Whether it is the hierarchy of these controllers, which have commas between them; version 2's has no name.
    func holds(_ controllers: Substring) -> Bool {
        let names = controllers.split(separator: ",")
        return version == .v2 ? names.isEmpty : !names.isEmpty && names.allSatisfy(options.contains)
    }

    /// Where a group's folder is; nil if it is not below what is mounted.
    func folder(of path: String) -> String? {
        let inside = group == "/" ? "" : group
        guard path == inside || path.hasPrefix("\(inside)/"), !path.split(separator: "/").contains("..") else {
            return nil
        }
        let rest = path.dropFirst(inside.count)
        return rest == "/" ? folder : folder + rest
    }

    /// Blanks and the like are written as a backslash and three octal digits.
    private static func plain(_ word: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = word.utf8[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\\"), let code = UInt8(String(rest.prefix(3)) ?? "", radix: 8) {
                bytes.append(code)
                rest = rest.dropFirst(3)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// Files of the kernel's: short, and read and written whole.
enum KernelFile {
    static func read(_ path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var text: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 4_096)
        while case let count = Glibc.read(descriptor, &piece, piece.count), count > 0 { text += piece[..<count] }
        return String(decoding: text, as: UTF8.self)
    }

    static func names(in folder: String) -> [String] {
        guard let list = opendir(folder) else { return [] }
        defer { closedir(list) }
        var names: [String] = []
        while let entry = readdir(list) {
            withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                names.append(String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self))
            }
        }
        return names
    }

    static func words(_ path: String) -> [Substring] {
        read(path)?.split { $0 == " " || $0 == "\n" } ?? []
    }

    /// The number behind a word, in a file of such pairs.
    static func number(_ name: String, in path: String) -> Int? {
        let words = words(path)
        guard let index = words.firstIndex(of: Substring(name)), index + 1 < words.count else { return nil }
        return Int(words[index + 1])
    }

    static func write(_ text: String, to path: String) throws(SandboxError) {
        // What the kernel has not got cannot be created either; where a test plays the kernel it can.
        let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw SandboxError(path, code: errno) }
        defer { close(descriptor) }
        let bytes = Array(text.utf8)
        guard Glibc.write(descriptor, bytes, bytes.count) == bytes.count else {
            throw SandboxError(path, code: errno)
        }
    }
}
