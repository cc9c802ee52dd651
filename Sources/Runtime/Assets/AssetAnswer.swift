internal import Isolates
internal import Model

/// An answer with an asset on its way: a small one at once, a large one piece by piece as the client takes it. Bound to
/// the lane.
final class AssetAnswer: ExchangeObserver {
    /// Bytes read at a time.
    private static let pieceSize = 256 << 10

    private let response: AssetSite.Response
    private let exchange: any Exchange
    private let worker: Worker
    private let source: any AssetSource
    private let lane: Lane
    private let startedAt: UInt64
    /// Bytes of a large asset that have been written.
    private var written = 0
    private var hasBegun = false
    private var isOver = false

    init(
        _ response: AssetSite.Response, to exchange: any Exchange, of worker: Worker, source: any AssetSource,
        lane: Lane
    ) {
        self.response = response
        self.exchange = exchange
        self.worker = worker
        self.source = source
        self.lane = lane
        startedAt = lane.loop.now
    }

    func begin() {
        if exchange.hasBody { exchange.discardBody() }
        let isHead = exchange.head.methodString == "HEAD"
        guard let file = response.file, !isHead, file.size > 0 else {
            withHead(length: isHead ? response.file?.size : nil) { exchange.respond($0, body: .none) }
            return end()
        }
        if let bytes = lane.placement.assets[file.blob] { return respond(bytes) }
        exchange.observer = self
        read(file, from: 0)
    }

    private func respond(_ bytes: [UInt8]) {
        withHead(length: nil) { head in bytes.withUnsafeBytes { exchange.respond(head, body: .bytes($0)) } }
        end()
    }

    private func withHead(length: Int?, _ body: (ResponseHead) -> Void) {
        var fields = ""
        for (name, value) in response.fields { fields += "\(name): \(value)\r\n" }
        if let length { fields += "content-length: \(length)\r\n" }
        fields.withUTF8 { fields in
            body(
                ResponseHead(
                    status: response.status, reason: UnsafeRawBufferPointer(start: nil, count: 0),
                    fields: UnsafeRawBufferPointer(fields)))
        }
    }

    // MARK: Reading

    private func read(_ file: AssetFile, from offset: Int) {
        let count = file.size <= AssetCache.largest ? file.size : min(Self.pieceSize, file.size - offset)
        let loop = lane.loop.remote
        let owner = LoopBound(self, to: lane.loop)
        lane.placement.storageWork.add(
            { [source] in
                let result = Result { try source.assetBytes(file.blob, from: offset, count: count) }
                loop.execute { loop in owner.value(on: loop).take(result, of: file) }
            }, of: ObjectIdentifier(worker))
    }

    private func take(_ result: Result<[UInt8], any Error>, of file: AssetFile) {
        guard !isOver else { return }
        switch result {
        case .failure(let error): fail(error)
        case .success(let bytes) where bytes.count == file.size && !hasBegun:
            lane.placement.assets.keep(file.blob, bytes)
            respond(bytes)
        case .success(let bytes):
            if !hasBegun {
                hasBegun = true
                withHead(length: nil) { exchange.beginResponse($0, length: file.size) }
            }
            written += bytes.count
            let hasRoom = bytes.withUnsafeBytes { exchange.writeResponse($0) }
            if isOver { return }
            if written == file.size {
                exchange.finishResponse()
                end()
            } else if hasRoom {
                read(file, from: written)
            }
        }
    }

    private func fail(_ error: any Error) {
        let text = "An asset cannot be read: \(error)"
        lane.events.log(LogEvent(worker: worker.name, request: 0, level: "error", text: text))
        if hasBegun { exchange.abort() } else { _ = lane.pages.respond(to: exchange, outcome: .internalError) }
        end()
    }

    private func end() {
        guard !isOver else { return }
        isOver = true
        if exchange.observer === self { exchange.observer = nil }
        guard lane.events.wantsRequests else { return }
        let head = exchange.head
        lane.events.requestEnded(
            RequestEvent(
                worker: worker.name, method: head.methodString, url: head.urlString, status: response.status,
                outcome: .ok, wallTime: EventLoop.monotonicNow() - startedAt, cpuTime: 0, isColdStart: false))
    }

    // MARK: The client

    func exchangeBodyReady(_ exchange: any Exchange) {}

    func exchangeWritable(_ exchange: any Exchange) {
        guard !isOver, hasBegun, let file = response.file else { return }
        read(file, from: written)
    }

    func exchangeDraining(_ exchange: any Exchange) {}
    func exchangeClosed(_ exchange: any Exchange) { end() }
}
