/// The compression streams of one isolate, by the numbers that JavaScript has for them. What throws closes its stream,
/// and so does the end of its output. Belongs to the isolate's thread.
package final class CompressorTable {
    private var compressors: [Int: Compressor] = [:]
    private var lastNumber = 0
    private let memoryLimit: Int

    /// `memoryLimit`: bytes for all streams together, the input that they keep included; a deflating one has 262 KiB.
    package init(memoryLimit: Int) { self.memoryLimit = memoryLimit }

    /// Bytes of memory that the streams hold, to be charged to the worker.
    package private(set) var memoryInUse = 0

    package func open(format: Compressor.Format, decompresses: Bool) throws(Compressor.Failure) -> Int {
        let compressor = try Compressor(format: format, decompresses: decompresses)
        if compressor.memoryInUse > memoryLimit - memoryInUse { throw .outOfMemory }
        memoryInUse += compressor.memoryInUse
        lastNumber += 1
        compressors[lastNumber] = compressor
        return lastNumber
    }

    /// These three give the number of bytes that they wrote to `output`; see `Compressor`.
    package func push(
        _ number: Int, _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(Compressor.Failure) -> Int {
        try run(number) { (compressor) throws(Compressor.Failure) in try compressor.push(input, into: output) }
    }

    package func pull(_ number: Int, into output: UnsafeMutableRawBufferPointer) throws(Compressor.Failure) -> Int {
        try run(number) { (compressor) throws(Compressor.Failure) in try compressor.pull(into: output) }
    }

    package func finish(_ number: Int, into output: UnsafeMutableRawBufferPointer) throws(Compressor.Failure) -> Int {
        try run(number) { (compressor) throws(Compressor.Failure) in try compressor.finish(into: output) }
    }

    package func close(_ number: Int) {
        guard let compressor = compressors.removeValue(forKey: number) else { return }
        memoryInUse -= compressor.memoryInUse
    }

    private func run(
        _ number: Int, _ step: (Compressor) throws(Compressor.Failure) -> Int
    ) throws(Compressor.Failure) -> Int {
        guard let compressor = compressors[number] else { throw .closed }
        let before = compressor.memoryInUse
        do throws(Compressor.Failure) {
            let count = try step(compressor)
            memoryInUse += compressor.memoryInUse - before
            if memoryInUse > memoryLimit { throw .outOfMemory }
            if compressor.isDone { close(number) }
            return count
        } catch {
            // What the step changed before it failed is not in the sum.
            compressors[number] = nil
            memoryInUse = compressors.values.reduce(0) { $0 + $1.memoryInUse }
            throw error
        }
    }
}
