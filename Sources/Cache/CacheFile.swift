internal import Foundation
internal import Glibc
internal import Model

/// An entry on disk: magic, length of the description, length of the body, description as JSON, body. It is written
/// under another name and gets its own when it is complete, so that a process that is killed leaves no half of one.
enum CacheFile {
    struct Description: Codable, Equatable {
        var account: String
        var cache: String?
        var url: String
        var vary: [CacheRequest.Field]
        var status: Int
        var reason: String
        var fields: [CacheRequest.Field]
        /// When the origin made it, as far as it says, in seconds since 1970.
        var madeAt: Double
        var expiresAt: Double
    }

    static let suffix = ".entry"
    static let unfinishedSuffix = ".part"
    private static let magic = Array("MARTCA01".utf8)
    private static let headBytes = 8 + 4 + 8
    /// No description is longer: URL and header fields are limited.
    private static let longestDescription = 1 << 20

    /// Writes what stands before the body. Gives where that begins; nil if the disk does not take it.
    static func begin(_ description: Description, to descriptor: Int32) -> Int? {
        guard let json = try? JSONEncoder().encode(description), json.count <= longestDescription else { return nil }
        var bytes = magic
        withUnsafeBytes(of: UInt32(json.count).littleEndian) { bytes.append(contentsOf: $0) }
        withUnsafeBytes(of: UInt64.max.littleEndian) { bytes.append(contentsOf: $0) }
        bytes.append(contentsOf: json)
        return write(bytes, to: descriptor) ? bytes.count : nil
    }

    /// Notes the body's length, by which a file is known to be whole.
    static func finish(_ descriptor: Int32, bodyBytes: Int) -> Bool {
        var length = UInt64(bodyBytes).littleEndian
        return pwrite(descriptor, &length, 8, 12) == 8
    }

    /// All of it; false if the disk is full or broken.
    static func write(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        bytes.withUnsafeBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = Glibc.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { return false }
                rest = rest.dropFirst(count)
            }
            return true
        }
    }

    /// The description, where the body begins, and how long it is; nil if the file is not whole.
    static func read(_ descriptor: Int32) -> (description: Description, bodyStart: Int, bodyBytes: Int)? {
        guard let head = bytes(descriptor, at: 0, count: headBytes), Array(head[..<8]) == magic else { return nil }
        let (length, body) = head.withUnsafeBytes {
            (
                Int(UInt32(littleEndian: $0.loadUnaligned(fromByteOffset: 8, as: UInt32.self))),
                UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: 12, as: UInt64.self))
            )
        }
        var status = stat()
        guard length <= longestDescription, fstat(descriptor, &status) == 0, body < UInt64(Int.max / 2),
            Int(status.st_size) == headBytes + length + Int(body),
            let json = bytes(descriptor, at: headBytes, count: length),
            let description = try? JSONDecoder().decode(Description.self, from: Data(json))
        else { return nil }
        return (description, headBytes + length, Int(body))
    }

    /// Exactly so many bytes; nil if they are not there.
    static func bytes(_ descriptor: Int32, at offset: Int, count: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        var done = 0
        while done < count {
            let read = bytes.withUnsafeMutableBytes {
                pread(descriptor, $0.baseAddress! + done, count - done, off_t(offset + done))
            }
            if read < 0, errno == EINTR { continue }
            guard read > 0 else { return nil }
            done += read
        }
        return bytes
    }
}
