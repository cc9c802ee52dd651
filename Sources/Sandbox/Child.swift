internal import CSandbox
internal import Glibc

/// This very program, started once more as a process of its own.
package struct Child: Sendable {
    /// Of this process's pid namespace.
    package let id: Int32
    /// A descriptor that is readable when the process has ended (pidfd_open(2)). The owner closes it.
    package let handle: Int32
    /// What it has for itself alone.
    package let namespaces: Namespaces
    /// Why it has not all of them.
    package let refusal: String?
    /// Why it is not in its control group.
    package let groupRefusal: String?

    /// The unprivileged user and group of hosts whose supervisor is root: Linux's "nobody".
    static let nobody: UInt32 = 65_534

    /// The file that runs, whatever lies under its name by now. A negated errno if /proc is not there.
    private static let executable = csandbox_open_program()

    /// - Parameters:
    ///   - environment: as NAME=VALUE; nothing else is passed on.
    ///   - descriptors: become 0, 1, 2, ... of the child, which has no others.
    ///   - isApart: whether it gets namespaces of its own, as far as the kernel allows.
    ///   - group: where it is from its first instruction on, if it can be.
    package static func start(
        _ arguments: [String], environment: [String], descriptors: [Int32], isApart: Bool, group: ControlGroup? = nil
    ) throws(SandboxError) -> Child {
        guard executable >= 0 else { throw SandboxError("/proc/self/exe", code: executable) }
        var process = csandbox_process()
        var result: Int32 = 0
        var groups: [Int32] = []
        var groupRefusal: String?
        do throws(SandboxError) { groups = try group?.open() ?? [] } catch { groupRefusal = error.description }
        defer { for group in groups { close(group) } }
        withCStrings(["martlet"] + arguments) { arguments in
            withCStrings(environment + [Namespaces.variable + "000"]) { environment in
                descriptors.withUnsafeBufferPointer { descriptors in
                    groups.withUnsafeBufferPointer { groups in
                        var plan = csandbox_plan(
                            executable: executable, arguments: arguments, environment: environment,
                            descriptors: descriptors.baseAddress!, descriptor_count: descriptors.count,
                            is_apart: isApart, user: nobody, group: nobody, groups: groups.baseAddress,
                            group_count: groups.count)
                        result = csandbox_spawn(&plan, &process)
                    }
                }
            }
        }
        guard result == 0 else { throw SandboxError("cannot start a process", code: result) }
        return Child(
            id: process.id, handle: process.handle, namespaces: Namespaces(rawValue: Int(process.namespaces)),
            refusal: process.refusal == 0 ? nil : SandboxError.text(of: process.refusal),
            groupRefusal: process.group_refusal == 0 ? groupRefusal : SandboxError.text(of: process.group_refusal))
    }

    /// Processes whose parent has ended become this one's children.
    package static func adoptOrphans() { _ = csandbox_adopt_orphans() }

    /// Waits until it has ended.
    /// - Returns: its status, as waitpid(2) gives it.
    package func wait() -> Int32 {
        var status: Int32 = 0
        while waitpid(id, &status, 0) < 0, errno == EINTR {}
        return status
    }

    /// The signal that a status of waitpid(2) tells of; nil if the process has exited.
    package static func signal(ofStatus status: Int32) -> Int32? {
        // The first process of a namespace says its signal so, as shells do.
        let signal = status & 0x7f != 0 ? status & 0x7f : (status >> 8 & 0xff) - 128
        return (1..<32).contains(signal) ? signal : nil
    }

    /// A status of waitpid(2) in words.
    package static func description(ofStatus status: Int32) -> String {
        guard let signal = signal(ofStatus: status) else { return "exit code \(status >> 8 & 0xff)" }
        return "signal \(signal) (\(String(cString: strsignal(signal))))"
    }
}

private func withCStrings(_ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Void) {
    var copies = strings.map { strdup($0) } + [nil]
    defer { for copy in copies { free(copy) } }
    body(&copies)
}
