internal import CZlib
internal import Crypto
package import Model

/// Blobs on their way: compressed, and checked by the hash that they are named by.
package enum BlobForm {
    /// The largest that there is: a static asset, a value of KV with what stands beside it.
    private static let mostBytes = 64 << 20
    /// Speed comes before size: what is sent is waited for.
    private static let level: Int32 = 1

    package static func compressed(_ bytes: [UInt8]) -> [UInt8] {
        var writer = FeedWriter()
        writer.number(Int64(bytes.count))
        var size = compressBound(uLong(bytes.count))
        let body = [UInt8](unsafeUninitializedCapacity: Int(size)) { buffer, count in
            let code = compress2(buffer.baseAddress, &size, bytes, uLong(bytes.count), level)
            precondition(code == Z_OK, "zlib has as much room as it asked for")
            count = Int(size)
        }
        return writer.bytes + body
    }

    /// - Throws: `malformed` if these are not the bytes of that hash.
    package static func restored(_ form: [UInt8], hash: String) throws(FeedError) -> [UInt8] {
        var reader = FeedReader(form)
        let size = try reader.number()
        guard (0...Int64(mostBytes)).contains(size) else { throw FeedError(.malformed, "a blob of \(size) bytes") }
        var got = uLong(size)
        var code = Z_OK
        let bytes = [UInt8](unsafeUninitializedCapacity: Int(size)) { buffer, count in
            code = form.withUnsafeBufferPointer { form in
                uncompress(buffer.baseAddress, &got, form.baseAddress! + 8, uLong(form.count - 8))
            }
            count = code == Z_OK ? Int(got) : 0
        }
        // An empty buffer has no room even for nothing.
        guard size == 0 || code == Z_OK, Hexadecimal.text(SHA256.hash(data: bytes)) == hash else {
            throw FeedError(.malformed, "blob \(hash) came damaged")
        }
        return bytes
    }
}
