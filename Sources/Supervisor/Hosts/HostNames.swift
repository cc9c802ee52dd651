/// The host names under which a cordon's Workers, and what stands behind its zones, can be asked for.
package struct HostNames: Sendable {
    private var exact: Set<String> = []
    private var zones: Set<String> = []
    /// What a star before them would stand for.
    private var parents: Set<Substring> = []

    package init() {}

    /// - Parameter name: in lower case.
    package mutating func add(_ name: String) {
        exact.insert(name)
        if let parent = Self.parent(of: name) { parents.insert(parent) }
    }

    /// A zone, with all that is under it.
    package mutating func add(zone name: String) {
        zones.insert(name)
        if let parent = Self.parent(of: name) { parents.insert(parent) }
    }

    /// Whether a certificate's name is good for any of them. A star stands for one label (RFC 9525, section 6.3).
    package func areCovered(by name: String) -> Bool {
        guard name.hasPrefix("*.") else { return exact.contains(name) || isInZone(name[...]) }
        let parent = name.dropFirst(2)
        return parents.contains(parent) || isInZone(parent)
    }

    private static func parent(of name: String) -> Substring? {
        name.firstIndex(of: ".").map { name[name.index(after: $0)...] }
    }

    private func isInZone(_ name: Substring) -> Bool {
        if zones.isEmpty { return false }
        var name = name
        while !zones.contains(String(name)) {
            guard let dot = name.firstIndex(of: ".") else { return false }
            name = name[name.index(after: dot)...]
        }
        return true
    }
}
