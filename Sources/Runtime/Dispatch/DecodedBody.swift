internal import Isolates
internal import WebAPI

/// The codings of Content-Encoding that the runtime undoes.
enum ContentCoding: String {
    case gzip
    case brotli = "br"
    case deflate

    /// The coding that a field's value names. Nil for none, for one that we do not know, and for several.
    init?(named value: String) {
        switch value.lowercased() {
        case "gzip", "x-gzip": self = .gzip
        case "br": self = .brotli
        case "deflate": self = .deflate
        default: return nil
        }
    }
}

/// A body without its content coding: decoded as it is read, piece by piece, so that however much comes of a few bytes,
/// only one piece is there at a time.
final class DecodedBody: BodySource {
    private static let pieceSize = 64 << 10
    /// Bytes of input at a time.
    private static let inputSize = 16 << 10

    private let source: any BodySource
    private let coding: ContentCoding
    private let charge: (_ nanoseconds: UInt64) -> Bool
    /// What the decoder has of the isolate's memory.
    private let memory: MemoryCharge
    private var clock = CPUClock()
    private var isOverBudget = false
    private var decoder: Compressor?
    private var hasMoreOutput = false
    private var isFinishing = false
    /// Nil while there may be more.
    private var outcome: BodyProgress?

    /// - Parameters:
    ///   - account: what the decoder's memory is charged to.
    ///   - charge: told what the decoding took, in nanoseconds of CPU time; gives whether there is any left.
    init(
        _ source: any BodySource, _ coding: ContentCoding, account: MemoryAccount, charge: @escaping (UInt64) -> Bool
    ) {
        memory = MemoryCharge(to: account)
        self.source = source
        self.coding = coding
        self.charge = charge
    }

    /// How much comes of the bytes that are here is not known before they are decoded.
    var isBodyComplete: Bool { outcome == .end }
    var bodyBytesBuffered: Int { 0 }

    func discardBody() {
        if outcome == nil { outcome = .end }
        dropDecoder()
        source.discardBody()
    }

    func readBody(limit: Int, _ consume: (UnsafeRawBufferPointer) -> Void) -> BodyProgress {
        if let outcome { return outcome }
        if isOverBudget {
            source.discardBody()
            return end(with: .failed("The request's CPU time is over."))
        }
        return withUnsafeTemporaryAllocation(byteCount: min(limit, Self.pieceSize), alignment: 1) { output in
            do throws(Compressor.Failure) {
                while true {
                    let count = try nextOutput(output)
                    if count > 0 {
                        consume(UnsafeRawBufferPointer(rebasing: output[..<count]))
                        return .bytes
                    }
                    if isFinishing { return end(with: .end) }
                    if let progress = try takeInput(output, consume) { return progress }
                }
            } catch {
                source.discardBody()
                return end(with: .failed(error.message))
            }
        }
    }

    private func end(with progress: BodyProgress) -> BodyProgress {
        outcome = progress
        dropDecoder()
        return progress
    }

    private func dropDecoder() {
        decoder = nil
        memory.subtract(memory.bytes)
    }

    private func nextOutput(_ output: UnsafeMutableRawBufferPointer) throws(Compressor.Failure) -> Int {
        guard hasMoreOutput, let decoder else { return 0 }
        let count = try metered { () throws(Compressor.Failure) in try decoder.pull(into: output) }
        hasMoreOutput = count > 0
        return count
    }

    /// Feeds the decoder. Nil if there may be output now.
    private func takeInput(
        _ output: UnsafeMutableRawBufferPointer, _ consume: (UnsafeRawBufferPointer) -> Void
    ) throws(Compressor.Failure) -> BodyProgress? {
        var count = 0
        var failure: Compressor.Failure?
        let progress = source.readBody(limit: Self.inputSize) { input in
            do throws(Compressor.Failure) {
                if decoder == nil { decoder = try makeDecoder(for: input) }
                count = try metered { () throws(Compressor.Failure) in try decoder!.push(input, into: output) }
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        switch progress {
        case .pending: return .pending
        case .failed: return end(with: progress)
        case .bytes: break
        case .end:
            // What was coded was nothing at all: the field meant a body that is not there.
            guard let decoder else { return end(with: .end) }
            isFinishing = true
            count = try metered { () throws(Compressor.Failure) in try decoder.finish(into: output) }
        }
        hasMoreOutput = count > 0
        guard count > 0 else { return nil }
        consume(UnsafeRawBufferPointer(rebasing: output[..<count]))
        return .bytes
    }

    private func makeDecoder(for input: UnsafeRawBufferPointer) throws(Compressor.Failure) -> Compressor {
        let format: Compressor.Format =
            switch coding {
            case .gzip: .gzip
            case .brotli: .brotli
            case .deflate: Self.hasZlibHeader(input) ? .deflate : .deflateRaw
            }
        return try Compressor(format: format, decompresses: true)
    }

    /// "deflate" means zlib's format (RFC 9110, section 8.4.1.2), but some origins send none of its header.
    private static func hasZlibHeader(_ input: UnsafeRawBufferPointer) -> Bool {
        guard input.count >= 2 else { return true }
        return input[0] & 0x0f == 8 && (Int(input[0]) << 8 | Int(input[1])) % 31 == 0
    }

    private func metered(_ body: () throws(Compressor.Failure) -> Int) throws(Compressor.Failure) -> Int {
        clock.begin()
        defer { isOverBudget = !charge(clock.end()) }
        let count = try body()
        let growth = (decoder?.memoryInUse ?? 0) - memory.bytes
        if growth < 0 { memory.subtract(-growth) }
        guard growth <= 0 || memory.add(growth) else { throw .outOfMemory }
        return count
    }
}
