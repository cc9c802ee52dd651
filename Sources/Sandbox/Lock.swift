internal import CSandbox
internal import Glibc

/// What `--sandbox` says.
package enum SandboxMode: String, Sendable, CaseIterable, Codable {
    /// Runs no tenant's code unless every measure holds.
    case required
    /// Takes what the kernel gives, and reports the rest.
    case bestEffort = "best-effort"
    case off
}

/// How a process locks itself in.
package struct SandboxPolicy: Sendable {
    /// Each holds alone; tests try them one by one.
    package struct Layers: OptionSet, Sendable {
        package let rawValue: Int
        package init(rawValue: Int) { self.rawValue = rawValue }

        package static let emptyRoot = Layers(rawValue: 1)
        package static let privileges = Layers(rawValue: 2)
        package static let limits = Layers(rawValue: 4)
        package static let landlock = Layers(rawValue: 8)
        package static let filter = Layers(rawValue: 16)
        package static let all: Layers = [.emptyRoot, .privileges, .limits, .landlock, .filter]
    }

    package var layers = Layers.all
    /// Lower descriptors are shared with other processes: their state cannot be changed then.
    package var firstOwnDescriptor: Int32 = 3
    /// Executable memory.
    package enum Code: Sendable {
        /// None but what is there.
        case none
        /// Never writable at the same time.
        case compiled
        /// V8 10.2 writes Wasm code where other threads may be running it, and asks for both; its flags do not change
        /// that. Only of mappings that are there.
        case webAssembly
    }

    package var code = Code.compiled

    package init() {}
}

/// One thing that the process cannot do any more, or why it still can.
package struct SandboxMeasure: Sendable, Equatable {
    /// Such as "no files (Landlock 7)".
    package let name: String
    /// Nil if it holds.
    package let refusal: String?

    package init(name: String, refusal: String?) {
        self.name = name
        self.refusal = refusal
    }

    init(_ name: String, _ result: Int32) {
        self.init(name: name, refusal: result < 0 ? SandboxError.text(of: result) : nil)
    }
}

extension SandboxPolicy {
    /// Locks the calling process in, for good: it must have one thread still, and have opened what it needs.
    /// - Returns: each measure, held or not. A measure that was refused does not keep the others from being taken.
    package func lock() -> [SandboxMeasure] {
        var measures = Self.namespaceMeasures()
        let threads = Self.threadCount
        measures.append(
            SandboxMeasure(name: "on all threads", refusal: threads == 1 ? nil : "there are \(threads) already"))
        if layers.contains(.emptyRoot) {
            let isApart = Namespaces.own.contains(.mount)
            measures.append(SandboxMeasure("an empty root", isApart ? csandbox_empty_root() : -EPERM))
        }
        if layers.contains(.limits) {
            measures.append(SandboxMeasure("no core dumps, no files written, descriptors bounded", csandbox_limit()))
        }
        if layers.contains(.privileges) { measures += Self.privilegeMeasures() }
        measures.append(SandboxMeasure("no new privileges", csandbox_forbid_privileges()))
        // Those who have become another user lose what was set before.
        _ = csandbox_end_with_parent()
        if layers.contains(.landlock) {
            let version = csandbox_landlock_version()
            let name = version > 0 ? "no paths (Landlock \(version))" : "no paths (Landlock)"
            measures.append(SandboxMeasure(name, csandbox_landlock_deny_all()))
        }
        if layers.contains(.filter) {
            var filter = csandbox_filter(
                first_own_descriptor: firstOwnDescriptor, allows_code: code != .none,
                allows_writable_code: code == .webAssembly)
            measures.append(SandboxMeasure("system calls filtered (seccomp)", csandbox_filter_install(&filter)))
        }
        return measures
    }

    private static var threadCount: Int {
        KernelFile.names(in: "/proc/self/task").count { !$0.hasPrefix(".") }
    }

    private static func namespaceMeasures() -> [SandboxMeasure] {
        let own = Namespaces.own
        return Namespaces.names.map { namespace, name in
            SandboxMeasure("own \(name) namespace", own.contains(namespace) ? 0 : -EPERM)
        }
    }

    private static func privilegeMeasures() -> [SandboxMeasure] {
        var measures: [SandboxMeasure] = []
        // In a user namespace of an ordinary user, root is that user, and there is nobody else to become.
        if geteuid() == 0 {
            let result = csandbox_become(Child.nobody, Child.nobody)
            let isOrdinary = Namespaces.own.contains(.user) && (result == -EINVAL || result == -EPERM)
            measures.append(SandboxMeasure("an unprivileged user", isOrdinary ? 0 : result))
        }
        let dropped = csandbox_drop_capabilities()
        measures.append(
            SandboxMeasure(
                "no capabilities", dropped < 0 ? dropped : csandbox_has_capabilities() == 0 ? 0 : -EPERM))
        return measures
    }
}

/// What this kernel has, before anything is tried.
package enum Kernel {
    /// The version of Landlock; nil if there is none.
    package static var landlockVersion: Int? {
        let version = csandbox_landlock_version()
        return version > 0 ? Int(version) : nil
    }

    package static var hasFilters: Bool { csandbox_has_filter() != 0 }

    /// Such as "6.1.0-18-amd64".
    package static var release: String {
        var name = utsname()
        uname(&name)
        return withUnsafeBytes(of: &name.release) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}
