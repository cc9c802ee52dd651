/// A body whose bytes are counted as they are read. Bound to the lane.
final class CountedBody: BodySource {
    private let source: any BodySource
    private let count: (Int) -> Void

    init(_ source: any BodySource, count: @escaping (Int) -> Void) {
        self.source = source
        self.count = count
    }

    var isBodyComplete: Bool { source.isBodyComplete }
    var bodyBytesBuffered: Int { source.bodyBytesBuffered }
    func discardBody() { source.discardBody() }

    func readBody(limit: Int, _ consume: (UnsafeRawBufferPointer) -> Void) -> BodyProgress {
        source.readBody(limit: limit) { bytes in
            count(bytes.count)
            consume(bytes)
        }
    }
}
