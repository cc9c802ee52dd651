import Control
import Glibc
import Project

/// What comes to the control API, and what a project says of itself.
enum UploadTargets {
    /// A content type in the first line, and a body.
    @Sendable static func multipart(_ bytes: [UInt8]) {
        var input = Input(bytes)
        let type = input.text()
        let body = input.all()
        for type in [type, "multipart/form-data; boundary=b"] {
            guard let form = try? MultipartForm(body, contentType: type) else { continue }
            let sizes = form.parts.reduce(0) { $0 + $1.body.count }
            require(sizes <= body.count && form.parts.count <= MultipartForm.partsAtMost)
        }
    }

    @Sendable static func projectJSON(_ bytes: [UInt8]) { project(bytes, "wrangler.jsonc") }
    @Sendable static func projectTOML(_ bytes: [UInt8]) { project(bytes, "wrangler.toml") }

    private static func project(_ bytes: [UInt8], _ name: String) {
        // In memory, where the machine has such a place.
        let path = "/dev/shm/martlet-fuzz-\(getpid())-\(name)"
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        guard file >= 0 else { fatalError("\(path) cannot be written") }
        _ = bytes.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
        close(file)
        defer { unlink(path) }
        for environment in [nil, "e"] {
            do throws(ProjectError) {
                _ = try ProjectFile(path, environment: environment)
            } catch {
                require(error.description.contains("wrangler"), "an error that names no file: \(error)")
            }
        }
    }
}
