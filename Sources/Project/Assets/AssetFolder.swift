internal import Crypto
internal import Glibc
package import Model

/// A folder of static assets: what of it is one, and the rules beside them.
package struct AssetFolder: Sendable {
    package struct File: Sendable, Equatable {
        /// "/css/site.css".
        package let path: String
        /// 32 hexadecimal digits, of the bytes and the name's ending: a type belongs to a content.
        package let hash: String
        package let size: Int
        /// nil if the name says nothing.
        package let contentType: String?
    }

    package static let sizeLimit = 25 << 20
    package static let countLimit = 20_000

    /// What is about the assets, and none of them; and what should never be read by all.
    private static let notAssets: Set<String> = [".assetsignore", "_headers", "_redirects", ".dev.vars"]

    package let folder: String
    package private(set) var files: [File] = []
    /// Texts of `_headers` and `_redirects`; nil if there are none.
    package let headers: String?
    package let redirects: String?

    /// - Throws: `ProjectError` that names the file.
    package init(_ folder: String) throws(ProjectError) {
        self.folder = folder
        guard Project.File.isFolder(folder) else {
            throw ProjectError("\(folder): there is no such folder of assets")
        }
        headers = try Self.text("\(folder)/_headers")
        redirects = try Self.text("\(folder)/_redirects")
        let ignored = IgnoreRules(try Self.text("\(folder)/.assetsignore") ?? "")
        try add("", ignored)
    }

    private static func text(_ path: String) throws(ProjectError) -> String? {
        guard Project.File.exists(path) else { return nil }
        let bytes = try Project.File.read(path, limit: AssetConfiguration.rulesBytes)
        guard let text = String(validating: bytes, as: UTF8.self) else { throw ProjectError("\(path): not UTF-8") }
        return text
    }

    private mutating func add(_ prefix: String, _ ignored: IgnoreRules) throws(ProjectError) {
        for name in try Project.File.allNames(in: "\(folder)/\(prefix)") {
            let path = prefix + name
            let full = "\(folder)/\(path)"
            let isFolder = Project.File.isFolder(full)
            if Self.notAssets.contains(path) || ignored.ignores(path, isFolder: isFolder) { continue }
            guard path != "_worker.js" else {
                throw ProjectError("\(full): code among assets, which everybody could read; name it in .assetsignore")
            }
            if isFolder {
                try add(path + "/", ignored)
            } else if Project.File.exists(full) {
                try add(file: path, full)
            }
        }
    }

    private mutating func add(file path: String, _ full: String) throws(ProjectError) {
        guard AssetPath.canName("/\(path)") else { throw ProjectError("\(full): not a name that a URL can have") }
        guard files.count < Self.countLimit else {
            throw ProjectError("\(folder): more than \(Self.countLimit) files; leave some out by .assetsignore")
        }
        let bytes = try Project.File.read(full, limit: Self.sizeLimit)
        var hash = SHA256()
        hash.update(data: bytes)
        hash.update(data: Array((path.split(separator: "/").last?.split(separator: ".").last ?? "").utf8))
        let digits = hash.finalize().prefix(16).map(Identifier.hexDigits)
        files.append(
            File(
                path: "/\(path)", hash: digits.joined(), size: bytes.count,
                contentType: ContentTypes.type(ofFile: path)))
    }

    package func bytes(of file: File) throws(ProjectError) -> [UInt8] {
        try Project.File.read(folder + file.path, limit: Self.sizeLimit)
    }

    /// The folder as a Worker's assets, whose bytes stay where they are: the folder is their source.
    package func set(_ configuration: AssetConfiguration) -> AssetSet {
        let files = files.map { file in
            (
                file.path,
                AssetFile(hash: file.hash, blob: file.path, size: file.size, contentType: file.contentType)
            )
        }
        return AssetSet(files: Dictionary(files) { first, _ in first }, configuration: configuration)
    }
}

extension AssetFolder: AssetSource {
    package func assetBytes(_ blob: String, from offset: Int, count: Int) throws -> [UInt8] {
        let bytes = try Project.File.read(folder + blob, limit: Self.sizeLimit)
        guard bytes.count >= offset + count else { throw ProjectError("\(folder)\(blob): it has changed") }
        return Array(bytes[offset..<(offset + count)])
    }
}
