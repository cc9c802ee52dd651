/// One CompressionStream or DecompressionStream (Compression Standard): bytes in, pieces of bytes out.
///
/// After `push` or `finish`, `pull` is called until it gives 0; only then may there be another of the two. Input whose
/// output does not fit is kept. Belongs to the thread of its isolate. Not to be used any more once it has thrown.
package final class Compressor {
    /// In the order of the numbers that JavaScript uses.
    package enum Format: Int {
        case deflate, deflateRaw, gzip, brotli
    }

    package enum Failure: Error {
        /// The input is not in the format, or its checksum is wrong.
        case malformed
        /// The input ends before the compressed data does.
        case truncated
        /// There is more input after the end of the compressed data.
        case trailing
        /// The output exceeds the limits.
        case tooLarge
        case outOfMemory
        /// There is no such stream, or no more.
        case closed

        /// For the TypeError that a worker sees.
        package var message: String {
            switch self {
            case .malformed: "The compressed data was not valid."
            case .truncated: "The compressed data ended too early."
            case .trailing: "There is trailing data after the end of the compressed data."
            case .tooLarge: "The decompressed data is too large."
            case .outOfMemory: "There is not enough memory to compress or decompress."
            case .closed: "The compression stream is closed."
            }
        }
    }

    /// What bounds a decompression; a compression's output is bounded by its input.
    package struct Limits {
        /// Bytes of output.
        package var output: Int
        /// Bytes of output for each byte of input, once there is more of it than `outputFreeOfRatio`.
        package var ratio: Int
        /// Bytes of output.
        package var outputFreeOfRatio: Int
        /// Bytes that the codec itself may have.
        package var memory: Int

        package init(
            output: Int = 4 << 30, ratio: Int = 1_100, outputFreeOfRatio: Int = 16 << 20, memory: Int = 32 << 20
        ) {
            self.output = output
            self.ratio = ratio
            self.outputFreeOfRatio = outputFreeOfRatio
            self.memory = memory
        }

        /// 4 GiB of output, which nothing but a bomb needs from one stream. Deflate cannot exceed 1,032 to 1; Brotli
        /// can, but honest data that does is small: 16 MiB are free. Brotli's largest window is 16 MiB.
        package static let standard = Limits()
    }

    private let codec: any Codec
    private let memory: CodecMemory
    private let decompresses: Bool
    private let limits: Limits
    private var kept: [UInt8] = []
    private var keptOffset = 0
    private var inputCount = 0
    private var outputCount = 0
    private var isEnded = false
    private var isFinishing = false

    package init(format: Format, decompresses: Bool, limits: Limits = .standard) throws(Failure) {
        self.decompresses = decompresses
        self.limits = limits
        memory = CodecMemory(limit: limits.memory)
        codec = try Self.makeCodec(format, decompresses: decompresses, memory: memory)
    }

    private static func makeCodec(
        _ format: Format, decompresses: Bool, memory: CodecMemory
    ) throws(Failure) -> any Codec {
        // zlib's largest window, with what tells it the format: negative for none, 16 more for gzip.
        switch format {
        case .deflate: return try ZlibCodec(windowBits: 15, decompresses: decompresses, memory: memory)
        case .deflateRaw: return try ZlibCodec(windowBits: -15, decompresses: decompresses, memory: memory)
        case .gzip: return try ZlibCodec(windowBits: 15 + 16, decompresses: decompresses, memory: memory)
        case .brotli:
            if decompresses { return try BrotliDecoder(memory: memory) }
            return try BrotliEncoder(memory: memory)
        }
    }

    /// Bytes of memory that this holds, to be charged to the worker.
    package var memoryInUse: Int { memory.bytes + kept.capacity }

    /// Whether all that there will be has been pulled.
    package private(set) var isDone = false

    /// Takes input and gives the first of its output: how many bytes of `output`, which must not be empty, it filled.
    package func push(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(Failure) -> Int {
        let (consumed, produced) = try fill(output, from: input)
        if consumed < input.count {
            kept = Array(input[consumed...])
            keptOffset = 0
        }
        return try conclude(produced)
    }

    /// Gives the next piece of output; 0 if there is none for now.
    package func pull(into output: UnsafeMutableRawBufferPointer) throws(Failure) -> Int {
        let offset = keptOffset
        let (consumed, produced) = try kept.withUnsafeBufferPointer { (bytes) throws(Failure) in
            try fill(output, from: UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: bytes[offset...])))
        }
        keptOffset += consumed
        if keptOffset == kept.count && !kept.isEmpty {
            kept = []
            keptOffset = 0
        }
        return try conclude(produced)
    }

    /// Says that no input follows, and gives the first piece of what that yields.
    package func finish(into output: UnsafeMutableRawBufferPointer) throws(Failure) -> Int {
        isFinishing = true
        return try pull(into: output)
    }

    /// Runs the codec until it has no more to do or the output is full.
    private func fill(
        _ output: UnsafeMutableRawBufferPointer, from input: UnsafeRawBufferPointer
    ) throws(Failure) -> (consumed: Int, produced: Int) {
        var consumed = 0
        var produced = 0
        while !isEnded && produced < output.count {
            let progress = try codec.run(
                UnsafeRawBufferPointer(rebasing: input[consumed...]),
                into: UnsafeMutableRawBufferPointer(rebasing: output[produced...]),
                isLast: isFinishing)
            consumed += progress.consumed
            produced += progress.produced
            isEnded = progress.isEnded
            if progress.consumed == 0 && progress.produced == 0 { break }
        }
        inputCount += consumed
        outputCount += produced
        if decompresses { try checkLimits() }
        return (consumed, produced)
    }

    private func checkLimits() throws(Failure) {
        if outputCount > limits.output { throw .tooLarge }
        if outputCount > limits.outputFreeOfRatio && outputCount / max(inputCount, 1) > limits.ratio { throw .tooLarge }
    }

    /// What is wrong with the input's end is said once the output before it is out.
    private func conclude(_ produced: Int) throws(Failure) -> Int {
        if produced > 0 { return produced }
        if keptOffset < kept.count { throw .trailing }
        if isFinishing {
            if !isEnded { throw .truncated }
            isDone = true
        }
        return 0
    }
}
