import Foundation
import Glibc

/// How far an upload is, on one line of a terminal. Elsewhere nothing is shown.
struct UploadProgress: Sendable {
    /// Bytes; less is there before one can read it.
    private static let worthShowing = 256 << 10

    private let isShown: Bool

    init(bytes: Int) { isShown = isatty(STDERR_FILENO) == 1 && bytes >= Self.worthShowing }

    func show(_ sent: Int, of total: Int) {
        guard isShown else { return }
        let text = "\rUploading: \(sent >> 10) of \(total >> 10) KiB (\(total == 0 ? 100 : sent * 100 / total)%)"
        FileHandle.standardError.write(Data(text.utf8))
        // The platform checks what came: what follows stands on a clean line.
        if sent == total { FileHandle.standardError.write(Data("\r\u{1b}[K".utf8)) }
    }
}
