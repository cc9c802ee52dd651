internal import Glibc

/// Files with keys and certificates in text form (RFC 7468).
enum PEM {
    /// A chain with its key is some kilobytes long.
    private static let longest = 1 << 20

    static func read(_ path: String) throws(TLSSetupError) -> [UInt8] {
        guard let file = fopen(path, "re") else {
            throw TLSSetupError("\(path): \(String(cString: strerror(errno)))")
        }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: longest + 1)
        let count = fread(&bytes, 1, bytes.count, file)
        // Of a folder: it can be opened, not read.
        if ferror(file) != 0 { throw TLSSetupError("\(path): \(String(cString: strerror(errno)))") }
        guard count <= longest else { throw TLSSetupError("\(path): too large for a certificate or a key") }
        return Array(bytes[..<count])
    }

    /// Whether there is a block whose label ends with that text.
    static func holds(_ bytes: [UInt8], _ label: String) -> Bool {
        contains(bytes, "-----BEGIN ") && contains(bytes, "\(label)-----")
    }

    static func contains(_ bytes: [UInt8], _ text: String) -> Bool {
        String(decoding: bytes, as: UTF8.self).contains(text)
    }
}
