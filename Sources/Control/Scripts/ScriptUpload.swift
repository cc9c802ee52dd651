internal import Model

/// A script as a client sends it: files and metadata in one form.
///
/// Clients differ: a module's name is its part's filename, else the part's name; `metadata` may come first or last,
/// with a content type or none.
struct ScriptUpload: Sendable {
    /// Bytes of a script with all its modules.
    static let scriptBytes = 64 << 20
    /// Bytes of the form: the script and what surrounds it.
    static let formBytes = scriptBytes + (8 << 20)

    let metadata: [String: JSONValue]
    let syntax: ScriptVersion.Syntax
    /// The main module first.
    let files: [VersionDraft.File]

    init(_ call: Call) throws(APIError) {
        let form = try Self.form(call)
        guard let part = form["metadata"] else { throw .badBody("the form has no part 'metadata'") }
        guard let metadata = (try? Call.json(part.body))?.object else {
            throw .malformed("the part 'metadata' is not a JSON object")
        }
        let parts = form.parts.filter { $0.name != "metadata" }
        let files = try parts.map { part throws(APIError) in try Self.file(part) }
        let size = files.reduce(0) { $0 + $1.bytes.count }
        guard size <= Self.scriptBytes else {
            throw .tooLarge("the script has \(size) bytes; \(Self.scriptBytes) are allowed")
        }
        if let twice = Dictionary(grouping: files, by: \.name).first(where: { $1.count > 1 }) {
            throw .validation("there are two modules '\(twice.key)'")
        }
        self.metadata = metadata
        if let main = metadata["main_module"]?.string {
            syntax = .modules
            self.files = try Self.order(files, first: main, key: "main_module")
            guard ModuleType.kind(ofType: self.files[0].contentType) == .javaScript else {
                throw .validation("the main module '\(main)' is not an ES module: \(self.files[0].contentType)")
            }
        } else if let body = metadata["body_part"]?.string {
            syntax = .serviceWorker
            // Named after its part, which may have a filename besides.
            let name = parts.first { $0.name == body }.map { $0.filename ?? $0.name } ?? body
            self.files = try Self.order(files, first: name, key: "body_part")
        } else {
            let isOnlyAssets = metadata["assets"].map { !$0.isNull } ?? (metadata["keep_assets"]?.bool == true)
            guard isOnlyAssets, files.isEmpty else {
                throw .validation("the metadata has neither main_module nor body_part")
            }
            syntax = .modules
            self.files = []
        }
        for file in self.files.dropFirst() where file.contentType != ModuleType.sourceMap {
            guard ModuleType.kind(ofType: file.contentType) != nil else {
                throw .validation("the module '\(file.name)' is of type \(file.contentType), which cannot be run here")
            }
        }
    }

    /// The SDK makes a form only if there are files; else it sends `{"metadata": {...}}`.
    private static func form(_ call: Call) throws(APIError) -> MultipartForm {
        guard call.contentType.lowercased().hasPrefix("application/json"),
            let metadata = (try? Call.json(call.body))?["metadata"]
        else { return try MultipartForm(call.body, contentType: call.contentType) }
        return MultipartForm(parts: [
            MultipartForm.Part(name: "metadata", filename: nil, contentType: nil, body: Array(metadata.text.utf8))
        ])
    }

    private static func file(_ part: MultipartForm.Part) throws(APIError) -> VersionDraft.File {
        let name = part.filename ?? part.name
        guard !name.isEmpty, name.utf8.count <= 1_024, !name.hasPrefix("/"),
            !name.split(separator: "/").contains(".."), !name.unicodeScalars.contains(where: { $0.value < 0x20 })
        else {
            throw .badName("'\(name)' cannot be the name of a module")
        }
        let type = part.contentType.flatMap { $0.isEmpty ? nil : $0 } ?? ModuleType.type(ofFile: name)
        return VersionDraft.File(name: name, contentType: type, bytes: part.body)
    }

    private static func order(
        _ files: [VersionDraft.File], first name: String, key: String
    ) throws(APIError) -> [VersionDraft.File] {
        guard let main = files.first(where: { $0.name == name || $0.name == "./\(name)" }) else {
            throw .validation("\(key) is '\(name)', but the form has no such part")
        }
        return [main] + files.filter { $0.name != main.name }
    }
}
