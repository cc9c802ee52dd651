internal import Isolates
internal import Model

/// The host's half of Request, Response and bodies.
enum FetchOps {
    static let all: [Op] = requests + responses + bodies + subrequests

    private static let requests: [Op] = [
        .web("requestMethod") { host, call throws(OpError) in
            let head = try host.exchanges.head(of: call.integer(0))
            returnPiece(of: head, head.method, to: call)
        },
        .web("requestURL") { host, call throws(OpError) in
            let head = try host.exchanges.head(of: call.integer(0))
            returnPiece(of: head, head.url, to: call)
        },
        .web("requestHeaders") { host, call throws(OpError) in
            let head = try host.exchanges.head(of: call.integer(0))
            call.returns(fieldsOf: head.bytes, ends: head.ends, from: 2)
        },
        .web("requestCF") { host, call throws(OpError) in
            guard let json = try host.exchanges.properties(of: call.integer(0)) else { return call.returnsNull() }
            call.returns(.string(json))
        },
        .web("requestBody") { host, call throws(OpError) in
            call.returns(try host.exchanges.body(of: call.integer(0)))
        },
        .web("exchangeState") { host, call in call.returns(host.exchanges.state(of: call.integer(0)).rawValue) },
        .web("requestFailed") { host, call in
            host.exchanges.requestFailed(call.integer(0), message: call.string(1))
        },
        .web("passThrough") { host, call in host.exchanges.passThroughOnException(call.integer(0)) },
        .web("waitUntilBegan") { host, call in host.exchanges.waitUntilBegan(call.integer(0)) },
        .web("waitUntilEnded") { host, call in
            host.exchanges.waitUntilEnded(call.integer(0), failure: call.text(1)?.string)
        },
    ]

    private static let responses: [Op] = [
        .web("respond") { host, call throws(OpError) in
            let body: AnswerBody =
                if let text = call.text(4) { .text(text) } else if let bytes = call.bytes(4) {
                    .bytes(UnsafeRawBufferPointer(bytes))
                } else { .none }
            try withAnswer(host, call) { answer throws(OpError) in
                try host.exchanges.respond(to: call.integer(0), answer, body: body)
            }
        },
        .web("respondPipe") { host, call throws(OpError) in
            try withAnswer(host, call) { answer throws(OpError) in
                let isWhole = try host.exchanges.respond(
                    to: call.integer(0), answer, pipingBody: call.integer(4), coding: call.text(5)?.string)
                call.returns(isWhole)
            }
        },
        .web("respondStream") { host, call throws(OpError) in
            let length = call.integer(4)
            try withAnswer(host, call) { answer throws(OpError) in
                try host.exchanges.beginResponse(to: call.integer(0), answer, length: length < 0 ? nil : length)
            }
        },
        .web("responseWrite") { host, call throws(OpError) in
            guard let bytes = call.bytes(1) else { throw .type("A response body is made of bytes") }
            let ticket = try host.exchanges.writeResponse(to: call.integer(0), UnsafeRawBufferPointer(bytes))
            call.returns(ticket ?? 0)
        },
        .web("responseEnd") { host, call in host.exchanges.finishResponse(to: call.integer(0)) },
        .web("responseAbort") { host, call in
            host.exchanges.abortResponse(to: call.integer(0), message: call.string(1))
        },
    ]

    private static let bodies: [Op] = [
        .web("bodyRead") { host, call throws(OpError) in
            returnPiece(try host.bodies.readBody(call.integer(0)), to: call)
        },
        .web("bodyReadAll") { host, call throws(OpError) in
            returnPiece(try host.bodies.readWholeBody(call.integer(0)), to: call)
        },
        .web("bodyCancel") { host, call in host.bodies.cancelBody(call.integer(0)) },
    ]

    private static let subrequests: [Op] = [
        .web("fetchStart") { host, call throws(OpError) in
            let fetch = FetchRequest(
                method: call.string(0), url: call.string(1), fields: call.text(2)?.utf8 ?? [], body: body(of: call),
                destination: destination(of: call), isFollowed: call.bool(5))
            call.returns(try host.fetches.startFetch(fetch))
        },
        .web("fetchHeaders") { host, call throws(OpError) in
            let head = try host.fetches.fetchHead(call.integer(0))
            call.returns(fieldsOf: head.bytes, ends: head.ends, from: 1)
        },
        .web("fetchWrite") { host, call throws(OpError) in
            guard let bytes = call.bytes(1) else { throw .type("A request body is made of bytes") }
            switch try host.fetches.writeFetch(call.integer(0), UnsafeRawBufferPointer(bytes)) {
            case .room: call.returns(0)
            case .ticket(let ticket): call.returns(ticket)
            case .ended: call.returns(-1)
            }
        },
        .web("fetchEnd") { host, call in host.fetches.finishFetch(call.integer(0)) },
        .web("fetchAbort") { host, call in call.returns(host.fetches.abortFetch(call.integer(0))) },
        .web("bodyCoding") { host, call in
            guard let coding = host.fetches.coding(ofBody: call.integer(0)) else { return call.returnsNull() }
            call.returns(.string(coding))
        },
    ]

    /// Argument 6 of `fetchStart`: what the cache is told, or the place of a binding.
    private static func destination(of call: OpCall) -> FetchRequest.Destination {
        if call.isNumber(6) { return .binding(call.integer(6)) }
        return call.isUndefined(6) || call.isNull(6) ? .origin : .cache(call.strings(6))
    }

    /// Arguments 3 and 4 of `fetchStart`: a string, bytes, the number of a body, or true for pieces that follow, with
    /// their length or -1.
    private static func body(of call: OpCall) -> FetchRequest.Body {
        if let text = call.text(3) { return .bytes(text.utf8) }
        if let bytes = call.bytes(3) { return .bytes(Array(bytes)) }
        if call.isNumber(3) { return .host(call.integer(3)) }
        guard call.bool(3) else { return .none }
        let length = call.integer(4)
        return .stream(length: length < 0 ? nil : length)
    }

    private static func returnPiece(of head: RequestHead, _ range: Range<Int>, to call: OpCall) {
        head.bytes.withUnsafeBytes { call.returns(latin1: UnsafeRawBufferPointer(rebasing: $0[range])) }
    }

    private static func returnPiece(_ piece: BodyPiece, to call: OpCall) {
        switch piece {
        case .bytes(let bytes): call.returns(.owned(bytes))
        case .end: call.returnsNull()
        case .ticket(let ticket): call.returns(ticket)
        }
    }

    /// Arguments 1 to 3 of the responding ops: status, reason, fields. Workers send what is not ASCII as UTF-8.
    static func withAnswer(
        _ host: WebHost, _ call: OpCall, _ body: (Answer) throws(OpError) -> Void
    ) throws(OpError) {
        guard let reason = call.text(2), let fields = call.text(3) else {
            throw .type("Status text and header fields are strings")
        }
        let status = call.integer(1)
        if let reason = reason.ascii, let fields = fields.ascii {
            return try body(Answer(status: status, reason: reason, fields: fields))
        }
        host.log.log(level: "warn", text: "A response header holds characters outside ASCII. They are sent as UTF-8.")
        let copies = (Array(reason.string.utf8), Array(fields.string.utf8))
        let failure = copies.0.withUnsafeBytes { reason in
            copies.1.withUnsafeBytes { fields -> OpError? in
                do throws(OpError) {
                    try body(Answer(status: status, reason: reason, fields: fields))
                    return nil
                } catch {
                    return error
                }
            }
        }
        if let failure { throw failure }
    }
}

extension FlatText {
    /// The text in UTF-8.
    fileprivate var utf8: [UInt8] { ascii.map { Array($0) } ?? Array(string.utf8) }

    /// The bytes, if all are ASCII.
    fileprivate var ascii: UnsafeRawBufferPointer? {
        guard case .latin1(let units) = self else { return nil }
        let bytes = UnsafeRawBufferPointer(units)
        let words = bytes.count / 8
        for word in 0..<words
        where bytes.loadUnaligned(fromByteOffset: 8 * word, as: UInt64.self) & 0x8080_8080_8080_8080 != 0 {
            return nil
        }
        for index in (8 * words)..<bytes.count where bytes[index] >= 0x80 { return nil }
        return bytes
    }
}
