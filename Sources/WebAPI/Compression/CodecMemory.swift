internal import Glibc

/// The memory that one codec has: counted, and bounded, because the input decides how much of it a decoder asks for.
///
/// Whoever gives `opaque` to a codec keeps this alive as long as the codec.
final class CodecMemory {
    private(set) var bytes = 0
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    var opaque: UnsafeMutableRawPointer { Unmanaged.passUnretained(self).toOpaque() }

    /// A codec's allocator: nil when the bound is reached.
    static func allocate(_ opaque: UnsafeMutableRawPointer?, _ size: Int) -> UnsafeMutableRawPointer? {
        guard let opaque else { return nil }
        let memory = Unmanaged<CodecMemory>.fromOpaque(opaque).takeUnretainedValue()
        guard size <= memory.limit - memory.bytes, let start = malloc(size + headerSize) else { return nil }
        start.storeBytes(of: size, as: Int.self)
        memory.bytes += size
        return start + headerSize
    }

    static func free(_ opaque: UnsafeMutableRawPointer?, _ address: UnsafeMutableRawPointer?) {
        guard let opaque, let address else { return }
        let start = address - headerSize
        Unmanaged<CodecMemory>.fromOpaque(opaque).takeUnretainedValue().bytes -= start.load(as: Int.self)
        Glibc.free(start)
    }

    /// Room for the size, in front of each block, which keeps malloc's alignment.
    private static let headerSize = 16
}
