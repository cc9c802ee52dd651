internal import Model

/// Whether a Worker can only be run once it is bundled: it is no plain JavaScript, or it imports packages.
struct BundlingNeed {
    private static let compiled: Set<Substring> = ["ts", "tsx", "jsx", "mts", "cts", "cjs"]
    /// What may be left out at the end of a path in an import.
    private static let endings = [
        ".ts", ".tsx", ".mts", ".js", ".jsx", ".mjs", ".json", "/index.ts", "/index.tsx", "/index.js", "/index.mjs",
    ]

    private var seen: Set<String> = []

    static func isThere(for main: String) -> Bool {
        var need = BundlingNeed()
        return need.isThere(File.absolute(main))
    }

    private static func isCompiled(_ path: String) -> Bool {
        path.split(separator: "/").last?.split(separator: ".").last.map { compiled.contains($0) } ?? false
    }

    private mutating func isThere(_ path: String) -> Bool {
        if Self.isCompiled(path) { return true }
        guard path.hasSuffix(".js") || path.hasSuffix(".mjs"), seen.insert(path).inserted,
            let bytes = try? File.read(path, limit: WorkerLoader.sizeLimit)
        else { return false }
        let folder = File.folder(of: path)
        for specifier in ImportScanner.scan(bytes).specifiers {
            guard specifier.hasPrefix("./") || specifier.hasPrefix("../") else {
                if Self.isPackage(specifier, from: folder) { return true }
                continue
            }
            let target = File.absolute("\(folder)/\(specifier)")
            if File.exists(target) {
                if isThere(target) { return true }
            } else if Self.endings.contains(where: { File.exists(target + $0) }) {
                return true
            }
        }
        return false
    }

    /// Whether such a package lies in a `node_modules` here or above.
    private static func isPackage(_ specifier: String, from folder: String) -> Bool {
        guard !specifier.contains(":"), !specifier.hasPrefix("/"), !specifier.isEmpty else { return false }
        let parts = specifier.split(separator: "/")
        let name = parts.prefix(specifier.hasPrefix("@") ? 2 : 1).joined(separator: "/")
        var folder = folder
        while true {
            if File.isFolder("\(folder)/node_modules/\(name)") { return true }
            guard folder != "/", !folder.isEmpty else { return false }
            folder = File.folder(of: folder)
        }
    }
}
