internal import CSandbox
internal import Glibc
internal import Synchronization

/// Bounds the memory and the threads of processes by control groups, one for each process, where this one may make
/// such below its own.
///
/// In version 2 a group with bounded groups below it has no processes itself. So this process moves into a group below
/// (`GroupPlace.ownName`), if it is alone in the group that it was started in; whoever takes over from it (SIGHUP)
/// starts there. Nothing is written outside that group, and a process is as well off without all this as before.
package final class ControlGroups: Sendable {
    package struct Limits: Sendable, Equatable {
        /// Bytes.
        package var memory: Int
        package var threads: Int

        package init(memory: Int, threads: Int) {
            self.memory = memory
            self.threads = threads
        }
    }

    package let limits: Limits
    private let places: [GroupPlace]
    private let reasons: [GroupController: String]
    /// Of all groups that this process has made.
    private static let counter = Atomic<Int>(0)

    /// Finds where groups can be made, tries it, and removes what processes have left there that are gone.
    package init(limits: Limits, in trees: [GroupTree] = GroupTree.all) {
        var places: [GroupPlace] = []
        var reasons: [GroupController: String] = [:]
        for tree in trees where !tree.controllers.isEmpty {
            do throws(SandboxError) {
                let place = try GroupPlace(in: tree)
                place.removeLeftOvers()
                try ControlGroup(Self.nextName, limits, in: [place]).remove()
                places.append(place)
            } catch {
                for controller in tree.controllers { reasons[controller] = error.description }
            }
        }
        self.limits = limits
        self.places = places
        self.reasons = reasons
    }

    /// Below which folder groups with that controller are made; nil if they cannot be.
    package func folder(of controller: GroupController) -> String? {
        places.first { $0.controllers.contains(controller) }?.folder
    }

    /// Why processes are not bounded so; nil if they are.
    package func refusal(of controller: GroupController) -> String? {
        folder(of: controller) == nil ? reasons[controller] ?? "this process's group has no such controller" : nil
    }

    /// What does not hold, one line each.
    package var refusals: [String] {
        GroupController.allCases.compactMap { controller in
            let name = controller == .memory ? "bounded memory" : "a bounded number of threads"
            return refusal(of: controller).map { "\(name) (control groups): \($0)" }
        }
    }

    /// Makes a group for one process.
    /// - Returns: nil where none can be made.
    package func make() throws(SandboxError) -> ControlGroup? {
        places.isEmpty ? nil : try ControlGroup(Self.nextName, limits, in: places)
    }

    private static var nextName: String {
        "\(GroupPlace.prefix)\(getpid()).\(counter.add(1, ordering: .relaxed).oldValue)"
    }

    /// Removes the groups that this process has made, when the processes in them have been told to end. Waits for that
    /// a little; what is left then, the next start removes.
    package func close() {
        ControlGroup.persist { places.allSatisfy { $0.removeLeftOvers() } }
    }
}

/// A group below which others are made.
struct GroupPlace: Sendable {
    /// Of groups that a martlet has made; its process's number follows.
    static let prefix = "martlet."
    /// Where the process itself is that makes them, if it must.
    static let ownName = "martlet.supervisor"

    let version: GroupTree.Version
    let folder: String
    let controllers: [GroupController]

    /// Prepares it.
    /// - Throws: why it cannot be used. All is as before then.
    init(in tree: GroupTree) throws(SandboxError) {
        version = tree.version
        controllers = tree.controllers
        let suffix = "/\(Self.ownName)"
        let isBelow = version == .v2 && tree.own != tree.root && tree.own.hasSuffix(suffix)
        folder = isBelow ? String(tree.own.dropLast(suffix.count)) : tree.own
        if version == .v2 { try prepare(tree) }
    }

    private func prepare(_ tree: GroupTree) throws(SandboxError) {
        if csandbox_is_delegated(folder) == 0 {
            throw SandboxError("systemd has not given \(folder) over to this process (Delegate=memory pids)")
        }
        let enabled = KernelFile.words("\(folder)/cgroup.subtree_control")
        guard !controllers.allSatisfy({ enabled.contains(Substring($0.rawValue)) }) else { return }
        // The highest group of all may have both, processes and groups; it lacks this file.
        if folder != tree.own || access("\(folder)/cgroup.type", F_OK) != 0 { return try enable() }
        try moveBelow()
        do throws(SandboxError) {
            try enable()
        } catch {
            try KernelFile.write("0", to: "\(folder)/cgroup.procs")
            rmdir("\(folder)/\(Self.ownName)")
            throw error
        }
    }

    private func enable() throws(SandboxError) {
        let names = controllers.map { "+\($0.rawValue)" }.joined(separator: " ")
        try KernelFile.write(names, to: "\(folder)/cgroup.subtree_control")
    }

    private func moveBelow() throws(SandboxError) {
        guard KernelFile.words("\(folder)/cgroup.procs") == [Substring("\(getpid())")] else {
            throw SandboxError("other processes are in \(folder) too")
        }
        let own = "\(folder)/\(Self.ownName)"
        guard mkdir(own, 0o755) == 0 || errno == EEXIST else { throw SandboxError(own, code: errno) }
        // Zero is whoever writes it, with all threads.
        try KernelFile.write("0", to: "\(own)/cgroup.procs")
    }

    /// Removes groups of processes that are gone, and of this one, as far as nobody is in them.
    /// - Returns: whether none is left.
    @discardableResult func removeLeftOvers() -> Bool {
        var isClean = true
        for name in KernelFile.names(in: folder) {
            guard name.hasPrefix(Self.prefix),
                let process = name.dropFirst(Self.prefix.count).split(separator: ".").first.flatMap({ pid_t($0) }),
                process == getpid() || kill(process, 0) != 0 && errno == ESRCH
            else { continue }
            if rmdir("\(folder)/\(name)") != 0, errno == EBUSY { isClean = false }
        }
        return isClean
    }
}

/// The control group of one process: a folder in each place.
package final class ControlGroup: Sendable {
    private let folders: [(path: String, place: GroupPlace)]

    fileprivate init(_ name: String, _ limits: ControlGroups.Limits, in places: [GroupPlace]) throws(SandboxError) {
        folders = places.map { ("\($0.folder)/\(name)", $0) }
        do throws(SandboxError) {
            for (path, place) in folders {
                guard mkdir(path, 0o755) == 0 else { throw SandboxError(path, code: errno) }
                for controller in place.controllers { try Self.set(limits, of: controller, place.version, path) }
            }
        } catch {
            for (path, _) in folders { rmdir(path) }
            throw error
        }
    }

    private static func set(
        _ limits: ControlGroups.Limits, of controller: GroupController, _ version: GroupTree.Version, _ path: String
    ) throws(SandboxError) {
        switch (controller, version) {
        case (.memory, .v1):
            try KernelFile.write("\(limits.memory)", to: "\(path)/memory.limit_in_bytes")
            // With swap; only where the kernel counts that.
            try? KernelFile.write("\(limits.memory)", to: "\(path)/memory.memsw.limit_in_bytes")
        case (.memory, .v2):
            try KernelFile.write("\(limits.memory)", to: "\(path)/memory.max")
            try? KernelFile.write("0", to: "\(path)/memory.swap.max")
            try? KernelFile.write("1", to: "\(path)/memory.oom.group")
        case (.pids, _):
            try KernelFile.write("\(limits.threads)", to: "\(path)/pids.max")
        }
    }

    /// Opens the files that take the number of a process that is to be in the group. The caller closes them.
    func open() throws(SandboxError) -> [Int32] {
        var descriptors: [Int32] = []
        for (path, _) in folders {
            let descriptor = Glibc.open("\(path)/cgroup.procs", O_WRONLY | O_CLOEXEC)
            guard descriptor >= 0 else {
                let error = SandboxError(path, code: errno)
                for descriptor in descriptors { close(descriptor) }
                throw error
            }
            descriptors.append(descriptor)
        }
        return descriptors
    }

    /// How many of its processes the kernel has ended because memory ran out, the group's or the machine's.
    package var memoryKills: Int {
        folders.map { path, place in
            let name = place.version == .v1 ? "memory.oom_control" : "memory.events"
            return KernelFile.number("oom_kill", in: "\(path)/\(name)") ?? 0
        }.max() ?? 0
    }

    /// Removes it, when its process has ended.
    package func remove() {
        Self.persist { folders.allSatisfy { path, _ in rmdir(path) == 0 || errno != EBUSY } }
    }

    /// Tries for a second: a process that has been waited for may be in its group for some moments still, and the
    /// kernel tells nobody when it has left.
    fileprivate static func persist(_ isDone: () -> Bool) {
        for _ in 0..<200 where !isDone() { usleep(5_000) }
    }
}
