internal import CSandbox
internal import Glibc

/// What a process has for itself alone (namespaces(7)).
package struct Namespaces: OptionSet, Sendable {
    package let rawValue: Int
    package init(rawValue: Int) { self.rawValue = rawValue }

    package static let user = Namespaces(rawValue: CSANDBOX_USER)
    package static let mount = Namespaces(rawValue: CSANDBOX_MOUNT)
    package static let network = Namespaces(rawValue: CSANDBOX_NETWORK)
    package static let pid = Namespaces(rawValue: CSANDBOX_PID)
    package static let ipc = Namespaces(rawValue: CSANDBOX_IPC)
    package static let uts = Namespaces(rawValue: CSANDBOX_UTS)
    package static let cgroup = Namespaces(rawValue: CSANDBOX_CGROUP)

    static let names: [(Namespaces, String)] = [
        (.user, "user"), (.mount, "mount"), (.network, "network"), (.pid, "pid"), (.ipc, "ipc"), (.uts, "uts"),
        (.cgroup, "cgroup"),
    ]

    /// The entry of the environment in which `Child.start` tells a process what it has got.
    static let variable = CSANDBOX_NAMESPACES

    /// Those of this process, if `Child.start` has started it; else none.
    package static var own: Namespaces {
        guard let text = getenv(String(variable.dropLast())), let value = Int(String(cString: text)) else { return [] }
        return Namespaces(rawValue: value)
    }
}
