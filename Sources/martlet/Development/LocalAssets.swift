import Control
import Model
import Project
import Runtime

/// A project's static assets under `martlet dev`: what they are now, served from their folder.
struct LocalAssets: Equatable {
    private let set: AssetSet
    private let source: FolderSource

    /// - Returns: nil if the project has none.
    init?(of project: ProjectFile?) throws {
        guard let project, let assets = project.assets else { return nil }
        let folder = try AssetFolder("\(project.folder)/\(assets.directory)")
        var configuration = assets.configuration
        configuration["_headers"] = folder.headers.map { .string($0) }
        configuration["_redirects"] = folder.redirects.map { .string($0) }
        // Bytes are kept in memory under this name: it changes with them.
        let files = folder.files.map { file in
            (
                file.path,
                AssetFile(hash: file.hash, blob: file.hash, size: file.size, contentType: file.contentType)
            )
        }
        set = AssetSet(
            files: Dictionary(files) { first, _ in first },
            configuration: try AssetConfiguration.checked(.object(configuration)))
        source = FolderSource(folder)
    }

    /// As those of a version that was deployed.
    func assets(_ version: ScriptVersion, hasWorker: Bool) -> WorkerAssets? {
        var version = version
        version.modules = hasWorker ? [ScriptVersion.Module(name: "", contentType: "", hash: "", size: 0)] : []
        var stored = StoredWorker(version: version, files: [], secrets: [:])
        stored.assets = set
        return stored.site.map { WorkerAssets(site: $0, source: source) }
    }
}

/// Reads assets by their hashes.
private struct FolderSource: AssetSource, Equatable {
    private let folder: String
    private let paths: [String: String]
    private let files: AssetFolder

    init(_ files: AssetFolder) {
        self.files = files
        folder = files.folder
        paths = Dictionary(files.files.map { ($0.hash, $0.path) }) { first, _ in first }
    }

    static func == (left: FolderSource, right: FolderSource) -> Bool {
        left.folder == right.folder && left.paths == right.paths
    }

    func assetBytes(_ blob: String, from offset: Int, count: Int) throws -> [UInt8] {
        guard let path = paths[blob] else { throw StoreError(.damaged, "there is no asset \(blob)") }
        return try files.assetBytes(path, from: offset, count: count)
    }
}
