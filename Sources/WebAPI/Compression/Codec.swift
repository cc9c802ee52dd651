internal import CBrotli
internal import CZlib

/// One run of a codec: what it took of the input and gave as output, and whether its stream has ended there.
struct CodecProgress {
    var consumed = 0
    var produced = 0
    var isEnded = false
}

/// A coder or decoder of one stream. Not to be used any more once it has thrown.
protocol Codec: AnyObject {
    /// Goes on until the input is used up, the output is full or the stream ends. `isLast`: no input follows this one.
    func run(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer, isLast: Bool
    ) throws(Compressor.Failure) -> CodecProgress
}

// MARK: zlib

/// Deflate in the formats of RFC 1950 (zlib), 1951 (raw) and 1952 (gzip).
final class ZlibCodec: Codec {
    private let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    private let decompresses: Bool
    private let memory: CodecMemory

    /// `windowBits` tells zlib the format too.
    init(windowBits: Int32, decompresses: Bool, memory: CodecMemory) throws(Compressor.Failure) {
        self.decompresses = decompresses
        self.memory = memory
        stream.initialize(to: z_stream())
        stream.pointee.opaque = memory.opaque
        stream.pointee.zalloc = { CodecMemory.allocate($0, Int($1) * Int($2)) }
        stream.pointee.zfree = { CodecMemory.free($0, $1) }
        let size = Int32(MemoryLayout<z_stream>.size)
        let status =
            decompresses
            ? inflateInit2_(stream, windowBits, ZLIB_VERSION, size)
            : deflateInit2_(
                stream, Self.level, Z_DEFLATED, windowBits, Self.memoryLevel, Z_DEFAULT_STRATEGY,
                ZLIB_VERSION,
                size)
        if status != Z_OK { throw .outOfMemory }
    }

    deinit {
        if decompresses { inflateEnd(stream) } else { deflateEnd(stream) }
        stream.deallocate()
    }

    func run(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer, isLast: Bool
    ) throws(Compressor.Failure) -> CodecProgress {
        // zlib counts in 32 bits; the rest waits for the next run.
        let inputLength = min(input.count, Int(UInt32.max))
        let outputLength = min(output.count, Int(UInt32.max))
        stream.pointee.next_in = UnsafeMutablePointer(
            mutating: input.baseAddress?.assumingMemoryBound(to: UInt8.self))
        stream.pointee.avail_in = UInt32(inputLength)
        stream.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_out = UInt32(outputLength)
        let isEnd = isLast && inputLength == input.count
        let status = decompresses ? inflate(stream, Z_NO_FLUSH) : deflate(stream, isEnd ? Z_FINISH : Z_NO_FLUSH)
        switch status {
        // Z_BUF_ERROR: there was nothing to do.
        case Z_OK, Z_BUF_ERROR, Z_STREAM_END: break
        case Z_MEM_ERROR: throw .outOfMemory
        default: throw .malformed
        }
        return CodecProgress(
            consumed: inputLength - Int(stream.pointee.avail_in),
            produced: outputLength - Int(stream.pointee.avail_out),
            isEnded: status == Z_STREAM_END)
    }

    /// One below zlib's default: text grows by 2% and takes a third less time.
    private static let level: Int32 = 5
    /// zlib's own default, 128 kB of memory for what a match can refer to.
    private static let memoryLevel: Int32 = 8
}

// MARK: Brotli

/// The compressing half of Brotli (RFC 7932).
final class BrotliEncoder: Codec {
    private let state: OpaquePointer
    private let memory: CodecMemory

    init(memory: CodecMemory) throws(Compressor.Failure) {
        let created = BrotliEncoderCreateInstance(
            { CodecMemory.allocate($0, $1) }, { CodecMemory.free($0, $1) }, memory.opaque)
        guard let created else { throw .outOfMemory }
        state = created
        self.memory = memory
        BrotliEncoderSetParameter(state, BROTLI_PARAM_QUALITY, Self.quality)
        BrotliEncoderSetParameter(state, BROTLI_PARAM_LGWIN, Self.windowBits)
    }

    deinit { BrotliEncoderDestroyInstance(state) }

    func run(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer, isLast: Bool
    ) throws(Compressor.Failure) -> CodecProgress {
        var nextIn = input.baseAddress?.assumingMemoryBound(to: UInt8.self)
        var nextOut = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
        var inputLeft = input.count
        var outputLeft = output.count
        let operation = isLast ? BROTLI_OPERATION_FINISH : BROTLI_OPERATION_PROCESS
        let isFine = BrotliEncoderCompressStream(
            state, operation, &inputLeft, &nextIn, &outputLeft, &nextOut, nil)
        if isFine == BROTLI_FALSE { throw .outOfMemory }
        return CodecProgress(
            consumed: input.count - inputLeft, produced: output.count - outputLeft,
            isEnded: BrotliEncoderIsFinished(state) != BROTLI_FALSE)
    }

    /// About as dense as gzip's best and about as fast as its default; the levels above cost many times as much.
    private static let quality: UInt32 = 5
    /// A window of 1 MiB: more gains little on what a worker sends, and each encoder holds that much memory.
    private static let windowBits: UInt32 = 20
}

/// The decompressing half.
final class BrotliDecoder: Codec {
    private let state: OpaquePointer
    private let memory: CodecMemory

    init(memory: CodecMemory) throws(Compressor.Failure) {
        let created = BrotliDecoderCreateInstance(
            { CodecMemory.allocate($0, $1) }, { CodecMemory.free($0, $1) }, memory.opaque)
        guard let created else { throw .outOfMemory }
        state = created
        self.memory = memory
    }

    deinit { BrotliDecoderDestroyInstance(state) }

    func run(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer, isLast: Bool
    ) throws(Compressor.Failure) -> CodecProgress {
        var nextIn = input.baseAddress?.assumingMemoryBound(to: UInt8.self)
        var nextOut = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
        var inputLeft = input.count
        var outputLeft = output.count
        let result = BrotliDecoderDecompressStream(state, &inputLeft, &nextIn, &outputLeft, &nextOut, nil)
        if result == BROTLI_DECODER_RESULT_ERROR {
            // The codes of failed allocations are these (brotli/decode.h).
            let code = BrotliDecoderGetErrorCode(state).rawValue
            throw Self.allocationErrors.contains(code) ? .outOfMemory : .malformed
        }
        return CodecProgress(
            consumed: input.count - inputLeft, produced: output.count - outputLeft,
            isEnded: result == BROTLI_DECODER_RESULT_SUCCESS)
    }

    private static let allocationErrors: ClosedRange<Int32> = -30 ... -21
}
