internal import Model

/// Which files are modules of which kind: `rules` of a project file, and behind them what holds without.
package struct ModuleRules: Sendable, Equatable {
    struct Rule: Equatable {
        var kind: WorkerDefinition.Module.Kind
        var globs: [Glob]
    }

    private(set) var rules: [Rule]

    private static let standard: [Rule] = [
        rule(.text, ["**/*.txt", "**/*.html", "**/*.sql", "**/*.css", "**/*.md"]),
        rule(.data, ["**/*.bin"]), rule(.wasm, ["**/*.wasm", "**/*.wasm?module"]),
    ]

    private static func rule(_ kind: WorkerDefinition.Module.Kind, _ globs: [String]) -> Rule {
        Rule(kind: kind, globs: globs.map { Glob($0) })
    }

    package init() { rules = Self.standard }

    /// - Parameter list: of `{ type, globs, fallthrough }`. A type that does not fall through has no other rules.
    /// - Throws: what is wrong, to stand behind the key's name.
    init(_ list: [JSONValue]) throws(ProjectError) {
        rules = []
        var complete: [WorkerDefinition.Module.Kind] = []
        for entry in list {
            guard let type = entry["type"]?.string, let globs = entry["globs"]?.strings else {
                throw ProjectError("'rules' must be a list of objects with 'type' and 'globs'")
            }
            guard let kind = Self.kinds[type] else {
                throw ProjectError(
                    "'rules' has the type '\(type)': there are \(Self.kinds.keys.sorted().joined(separator: ", "))")
            }
            guard !complete.contains(kind) else { continue }
            rules.append(Self.rule(kind, globs))
            if entry["fallthrough"]?.bool != true { complete.append(kind) }
        }
        rules += Self.standard.filter { !complete.contains($0.kind) }
    }

    private static let kinds: [String: WorkerDefinition.Module.Kind] = [
        "ESModule": .javaScript, "CompiledWasm": .wasm, "Text": .text, "Data": .data,
    ]

    /// - Parameter path: relative.
    func kind(of path: String) -> WorkerDefinition.Module.Kind? {
        rules.first { rule in rule.globs.contains { $0.fits(path) } }?.kind
    }

    /// The endings of files that are no code, each with what it is: what the bundler goes by.
    /// - Throws: if a rule goes by anything but the ending.
    func endings() throws(ProjectError) -> [(ending: String, kind: WorkerDefinition.Module.Kind)] {
        var endings: [(ending: String, kind: WorkerDefinition.Module.Kind)] = []
        for rule in rules where rule.kind != .javaScript {
            for glob in rule.globs where !glob.text.hasSuffix("?module") {
                guard let ending = glob.ending else {
                    throw ProjectError(
                        "'rules' has the glob '\(glob.text)': where modules are bundled, "
                            + "globs have the form **/*.ending"
                    )
                }
                if !endings.contains(where: { $0.ending == ending }) { endings.append((ending, rule.kind)) }
            }
        }
        return endings
    }
}

/// A pattern of paths: `**/` is any folders, `*` anything in a name, `?` one character.
struct Glob: Sendable, Equatable {
    let text: String

    init(_ text: String) { self.text = text }

    /// ".txt" of "**/*.txt"; nil if it goes by anything else.
    var ending: String? {
        let rest = text.hasPrefix("**/*.") ? text.dropFirst(4) : text.hasPrefix("*.") ? text.dropFirst() : ""
        return rest.count > 1 && !rest.contains { "*?/[{".contains($0) } ? String(rest) : nil
    }

    func fits(_ path: String) -> Bool { Self.fits(Array(text.utf8)[...], Array(path.utf8)[...]) }

    private static func fits(_ glob: ArraySlice<UInt8>, _ path: ArraySlice<UInt8>) -> Bool {
        guard let first = glob.first else { return path.isEmpty }
        if glob.starts(with: "**/".utf8) {
            let rest = glob.dropFirst(3)
            var tail = path
            while true {
                if fits(rest, tail) { return true }
                guard let slash = tail.firstIndex(of: UInt8(ascii: "/")) else { return false }
                tail = tail[(slash + 1)...]
            }
        }
        if first == UInt8(ascii: "*") {
            var tail = path
            while true {
                if fits(glob.dropFirst(), tail) { return true }
                guard let byte = tail.popFirst(), byte != UInt8(ascii: "/") else { return false }
            }
        }
        guard let byte = path.first, byte == first || first == UInt8(ascii: "?") && byte != UInt8(ascii: "/") else {
            return false
        }
        return fits(glob.dropFirst(), path.dropFirst())
    }
}
