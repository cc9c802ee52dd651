package import Model

/// What is wanted of an exchange: a subrequest, an operation on a cache, or a call of another host's Worker. Hosts say
/// it to the supervisor; of calls the supervisor says it to the host that answers.
package enum ExchangeOrder: Sendable, Equatable {
    case begin(EgressRequest)
    case beginCache(CacheRequest)
    case beginService(ServiceRequest)
    case send([UInt8])
    case finishSending
    case consumed(Int)
    case cancel

    private enum Kind: UInt8 {
        case begin = 1
        case beginCache, send, finishSending, consumed, cancel, beginService
    }

    func write(to writer: inout WireWriter) {
        switch self {
        case .begin(let request):
            writer.byte(Kind.begin.rawValue)
            request.write(to: &writer)
        case .beginCache(let request):
            writer.byte(Kind.beginCache.rawValue)
            request.write(to: &writer)
        case .beginService(let request):
            writer.byte(Kind.beginService.rawValue)
            request.write(to: &writer)
        case .send(let bytes):
            writer.byte(Kind.send.rawValue)
            writer.blob(bytes)
        case .finishSending: writer.byte(Kind.finishSending.rawValue)
        case .consumed(let bytes):
            writer.byte(Kind.consumed.rawValue)
            writer.number(bytes)
        case .cancel: writer.byte(Kind.cancel.rawValue)
        }
    }

    init(from reader: inout WireReader) throws(WireError) {
        switch Kind(rawValue: try reader.byte()) {
        case .begin: self = .begin(try EgressRequest(from: &reader))
        case .beginCache: self = .beginCache(try CacheRequest(from: &reader))
        case .beginService: self = .beginService(try ServiceRequest(from: &reader))
        case .send: self = .send(try reader.blob())
        case .finishSending: self = .finishSending
        case .consumed: self = .consumed(try reader.count())
        case .cancel: self = .cancel
        case nil: throw WireError("no such order")
        }
    }
}

extension RequestHead {
    func write(to writer: inout WireWriter) {
        writer.list(ends) { $0.number(UInt64($1)) }
        writer.blob(bytes)
    }

    init(from reader: inout WireReader) throws(WireError) {
        let ends = try reader.list(least: 8) { (reader) throws(WireError) in try reader.count() }
        let bytes = try reader.blob()
        guard ends.count >= 2, ends.count.isMultiple(of: 2), ends.last == bytes.count else {
            throw WireError("not a request's head")
        }
        self.init(reservingBytes: bytes.count, fields: ends.count / 2)
        var start = 0
        for end in ends {
            guard (start...bytes.count).contains(end) else { throw WireError("not a request's head") }
            append(bytes[start..<end])
            start = end
        }
    }
}

extension EgressRequest.Body {
    private enum Kind: UInt8 {
        case none = 1
        case bytes, stream, endless, upgrade
    }

    fileprivate func write(to writer: inout WireWriter) {
        switch self {
        case .none: writer.byte(Kind.none.rawValue)
        case .bytes(let bytes):
            writer.byte(Kind.bytes.rawValue)
            writer.blob(bytes)
        case .stream(let length?):
            writer.byte(Kind.stream.rawValue)
            writer.number(length)
        case .stream(nil): writer.byte(Kind.endless.rawValue)
        case .upgrade: writer.byte(Kind.upgrade.rawValue)
        }
    }

    fileprivate init(from reader: inout WireReader) throws(WireError) {
        switch Kind(rawValue: try reader.byte()) {
        case .none?: self = .none
        case .bytes: self = .bytes(try reader.blob())
        case .stream: self = .stream(length: try reader.count())
        case .endless: self = .stream(length: nil)
        case .upgrade: self = .upgrade
        case nil: throw WireError("no such body")
        }
    }
}

extension EgressRequest {
    func write(to writer: inout WireWriter) {
        writer.text(account)
        head.write(to: &writer)
        writer.optional(via) { $0.value($1) }
        body.write(to: &writer)
    }

    init(from reader: inout WireReader) throws(WireError) {
        let account = try reader.text()
        let head = try RequestHead(from: &reader)
        let via = try reader.optional { (reader) throws(WireError) in try reader.value(OriginServer.self) }
        self.init(head: head, body: try Body(from: &reader), via: via, account: account)
    }
}

extension CacheRequest {
    private enum Kind: UInt8 {
        case match = 1
        case put, delete
    }

    fileprivate func write(to writer: inout WireWriter) {
        writer.text(account)
        writer.optional(cache) { $0.text($1) }
        writer.text(url)
        writer.list(fields) { writer, field in
            writer.text(field.name)
            writer.text(field.value)
        }
        switch operation {
        case .match: writer.byte(Kind.match.rawValue)
        case .put(let response, let body):
            writer.byte(Kind.put.rawValue)
            writer.value(response)
            body.write(to: &writer)
        case .delete: writer.byte(Kind.delete.rawValue)
        }
    }

    fileprivate init(from reader: inout WireReader) throws(WireError) {
        let account = try reader.text()
        let cache = try reader.optional { (reader) throws(WireError) in try reader.text() }
        let url = try reader.text()
        let fields = try reader.list(least: 16) { (reader) throws(WireError) in
            Field(name: try reader.text(), value: try reader.text())
        }
        let operation: Operation =
            switch Kind(rawValue: try reader.byte()) {
            case .match: .match
            case .put: .put(try reader.value(CachedResponse.self), try EgressRequest.Body(from: &reader))
            case .delete: .delete
            case nil: throw WireError("no such operation")
            }
        self.init(account: account, cache: cache, url: url, fields: fields, operation: operation)
    }
}

extension EgressEvent {
    private enum Kind: UInt8 {
        case head = 1
        case body, sent, sendingEnded, end, failed
    }

    func write(to writer: inout WireWriter) {
        switch self {
        case .head(let head):
            writer.byte(Kind.head.rawValue)
            head.write(to: &writer)
        case .body(let bytes):
            writer.byte(Kind.body.rawValue)
            writer.blob(bytes)
        case .sent(let bytes):
            writer.byte(Kind.sent.rawValue)
            writer.number(bytes)
        case .sendingEnded: writer.byte(Kind.sendingEnded.rawValue)
        case .end: writer.byte(Kind.end.rawValue)
        case .failed(let failure):
            writer.byte(Kind.failed.rawValue)
            failure.write(to: &writer)
        }
    }

    init(from reader: inout WireReader) throws(WireError) {
        switch Kind(rawValue: try reader.byte()) {
        case .head: self = .head(try EgressResponseHead(from: &reader))
        case .body: self = .body(try reader.blob())
        case .sent: self = .sent(try reader.count())
        case .sendingEnded: self = .sendingEnded
        case .end: self = .end
        case .failed: self = .failed(try EgressFailure(from: &reader))
        case nil: throw WireError("no such event")
        }
    }
}

extension EgressResponseHead {
    fileprivate func write(to writer: inout WireWriter) {
        writer.number(status)
        writer.text(reason)
        writer.list(0..<fieldCount) { writer, field in
            writer.blob(Array(name(field)))
            writer.blob(Array(value(field)))
        }
    }

    fileprivate init(from reader: inout WireReader) throws(WireError) {
        self.init(status: try reader.count(), reason: try reader.text())
        let fields = try reader.list(least: 16) { (reader) throws(WireError) in
            (name: try reader.text(), value: try reader.text())
        }
        for field in fields { append(name: field.name, value: field.value) }
    }
}

extension EgressFailure {
    private enum Kind: UInt8 {
        case invalidRequest = 1
        case forbidden, unknownHost, connectionLost, handshakeFailed, timedOut, malformedAnswer, headTooLarge
        case overloaded, workerFailed, noSuchWorker
    }

    fileprivate func write(to writer: inout WireWriter) {
        let (kind, text): (Kind, String) =
            switch self {
            case .invalidRequest(let what): (.invalidRequest, what)
            case .forbidden(let host): (.forbidden, host)
            case .unknownHost(let host): (.unknownHost, host)
            case .connectionLost: (.connectionLost, "")
            case .handshakeFailed: (.handshakeFailed, "")
            case .timedOut: (.timedOut, "")
            case .malformedAnswer: (.malformedAnswer, "")
            case .headTooLarge: (.headTooLarge, "")
            case .overloaded: (.overloaded, "")
            case .workerFailed(let outcome): (.workerFailed, outcome.rawValue)
            case .noSuchWorker(let name): (.noSuchWorker, name)
            }
        writer.byte(kind.rawValue)
        writer.text(text)
    }

    fileprivate init(from reader: inout WireReader) throws(WireError) {
        let kind = Kind(rawValue: try reader.byte())
        let text = try reader.text()
        switch kind {
        case .invalidRequest: self = .invalidRequest(text)
        case .forbidden: self = .forbidden(host: text)
        case .unknownHost: self = .unknownHost(text)
        case .connectionLost: self = .connectionLost
        case .handshakeFailed: self = .handshakeFailed
        case .timedOut: self = .timedOut
        case .malformedAnswer: self = .malformedAnswer
        case .headTooLarge: self = .headTooLarge
        case .overloaded: self = .overloaded
        case .workerFailed:
            guard let outcome = Outcome(rawValue: text) else { throw WireError("no such outcome") }
            self = .workerFailed(outcome)
        case .noSuchWorker: self = .noSuchWorker(text)
        case nil: throw WireError("no such failure")
        }
    }
}
