internal import Isolates

/// The native half of CompressionStream and DecompressionStream.
enum CompressionOps {
    static let all: [Op] = [
        .web("compressionOpen") { host, call throws(OpError) in
            guard let format = Compressor.Format(rawValue: call.integer(0)) else { throw .type("Unknown format") }
            call.returns(try host.compressors.open(format: format, decompresses: call.bool(1)))
        },
        .web("compressionPush") { host, call throws(OpError) in
            guard let input = call.bytes(1) else { throw .type("The chunk is no bytes") }
            try piece(host, call) { (number, output) throws(Compressor.Failure) in
                try host.compressors.table.push(number, UnsafeRawBufferPointer(input), into: output)
            }
        },
        .web("compressionPull") { host, call throws(OpError) in
            try piece(host, call) { (number, output) throws(Compressor.Failure) in
                try host.compressors.table.pull(number, into: output)
            }
        },
        .web("compressionFinish") { host, call throws(OpError) in
            try piece(host, call) { (number, output) throws(Compressor.Failure) in
                try host.compressors.table.finish(number, into: output)
            }
        },
        .web("compressionClose") { host, call in host.compressors.close(call.integer(0)) },
    ]

    /// Bytes of output that one op gives at most.
    private static let pieceSize = 64 << 10

    private static func piece(
        _ host: WebHost, _ call: OpCall,
        _ step: (_ number: Int, _ output: UnsafeMutableRawBufferPointer) throws(Compressor.Failure) -> Int
    ) throws(OpError) {
        let number = call.integer(0)
        let result = withUnsafeTemporaryAllocation(byteCount: pieceSize, alignment: 16) { scratch in
            Result { () throws(OpError) -> WorkBytes? in
                let count = try host.compressors.charged(number) { () throws(Compressor.Failure) in
                    try step(number, scratch)
                }
                if count == 0 { return nil }
                guard let bytes = WorkBytes(copying: UnsafeRawBufferPointer(rebasing: scratch[..<count])) else {
                    throw .outOfMemory
                }
                return bytes
            }
        }
        guard let bytes = try result.get() else { return call.returnsNull() }
        try host.returns(.bytes(bytes), to: call)
    }
}

/// The compression streams of an isolate, with what they hold charged to it. Belongs to the isolate's thread.
final class ChargedCompressors {
    /// What they may have is what the isolate may have.
    let table = CompressorTable(memoryLimit: .max)
    private let host: any WorkHost
    private var chargedBytes = 0

    init(on host: any WorkHost) { self.host = host }

    func open(format: Compressor.Format, decompresses: Bool) throws(OpError) -> Int {
        do throws(Compressor.Failure) {
            let number = try table.open(format: format, decompresses: decompresses)
            if charge() { return number }
            close(number)
            throw .outOfMemory
        } catch {
            throw .type(error.message)
        }
    }

    func close(_ number: Int) {
        table.close(number)
        _ = charge()
    }

    /// Does a step of a stream, then charges what the streams have now.
    func charged<Output>(
        _ number: Int, _ step: () throws(Compressor.Failure) -> Output
    ) throws(OpError) -> Output {
        do throws(Compressor.Failure) {
            let output = try step()
            if charge() { return output }
            close(number)
            throw .outOfMemory
        } catch {
            _ = charge()
            throw .type(error.message)
        }
    }

    /// False if the isolate may not have that much.
    private func charge() -> Bool {
        let change = table.memoryInUse - chargedBytes
        if change > 0 && !host.charge(change) { return false }
        if change < 0 { host.discharge(-change) }
        chargedBytes += change
        return true
    }
}
