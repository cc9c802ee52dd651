internal import Model
internal import NIOCore
internal import NIOHPACK
internal import NIOHTTP2
internal import Runtime

/// Answers out.
extension HTTP2Stream {
    private var highWater: Int { Connection.highWater }

    // MARK: Whole answers

    func respond(_ head: ResponseHead, body: ResponseBytes) {
        guard !isOver, answer.isAwaited else { return }
        guard AnswerHead.isFinal(head.status) else { return respondWithFailure() }
        let text = AnswerText(body)
        let isBodiless = request.isHead || AnswerHead.hasNoBody(head.status)
        let isEmpty = isBodiless || text.count == 0
        let framing = AnswerHead.framing(of: head.status, text, body, isToHead: request.isHead)
        write(head, framing: framing, isEnd: isEmpty)
        if !isEmpty {
            var bytes = ByteBufferAllocator().buffer(capacity: text.count)
            bytes.writeWithUnsafeMutableBytes(minimumWritableBytes: text.count) { room in
                _ = text.write(to: room.baseAddress!.assumingMemoryBound(to: UInt8.self))
                return text.count
            }
            send(bytes, isEnd: true)
        }
        complete()
    }

    private func respondWithFailure() { respond(with: ErrorPage(.internalError)) }

    func respond(with page: ErrorPage) {
        // What was refused may have no head.
        let asJSON = !head.ends.isEmpty && ErrorPage.prefersJSON(head)
        page.withAnswer(asJSON: asJSON) { head, text in respond(head, body: .bytes(text)) }
    }

    /// HTTP/2 has no Upgrade (RFC 9113, section 8.6): no request has asked for it.
    func upgrade(_ head: ResponseHead) {
        guard !isOver, answer.isAwaited else { return }
        respondWithFailure()
    }

    // MARK: Answers in pieces

    func beginResponse(_ head: ResponseHead, length: Int?) {
        guard !isOver, answer.isAwaited else { return }
        guard AnswerHead.isFinal(head.status) else { return respondWithFailure() }
        let framing: AnswerHead.Framing
        if AnswerHead.hasNoBody(head.status) {
            (framing, answer) = (.none, .bodiless)
        } else if request.isHead {
            (framing, answer) = (length.map { .length($0) } ?? .asDeclared, .bodiless)
        } else if let length {
            (framing, answer) = (.length(length), .length(remaining: length))
        } else {
            (framing, answer) = (.untilClose, .open)
        }
        write(head, framing: framing, isEnd: false)
    }

    func writeResponse(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard !isOver else { return true }
        switch answer {
        case .awaited, .bodiless, .complete: return true
        case .open: break
        case .length(let remaining):
            guard bytes.count <= remaining else {
                // The client was promised less: what it has got is no answer.
                abort()
                return true
            }
            answer = .length(remaining: remaining - bytes.count)
        }
        if bytes.count > 0 { send(ByteBuffer(bytes: bytes), isEnd: false) }
        wantsRoom = unsentBytes >= highWater
        return !wantsRoom
    }

    func finishResponse() {
        guard !isOver else { return }
        switch answer {
        case .awaited, .complete: return
        case .length(let remaining) where remaining > 0: return abort()
        case .length, .open, .bodiless: send(ByteBuffer(), isEnd: true)
        }
        complete()
    }

    func abort() {
        guard !isOver else { return }
        answer = .complete
        end(because: "The answer was broken off.")
        connection.reset(self, .internalError)
    }

    private func complete() {
        answer = .complete
        end(because: "The request has been answered.")
        connection.note(self)
    }

    // MARK: Frames

    private func write(_ head: ResponseHead, framing: AnswerHead.Framing, isEnd: Bool) {
        let ingress = connection.ingress
        ingress.date.refresh(at: connection.loop.now)
        let shows = ingress.settings.showsEveryOutcome || head.outcome != .ok
        let fields = withUnsafeTemporaryAllocation(of: UInt8.self, capacity: AnswerHead.bound(head)) { room in
            let start = room.baseAddress!
            let text = AnswerHead(
                framing: framing, persistence: .unsaid, date: ingress.date.line,
                ray: connection.clientFields.map { (ray, $0.raySuffix) })
            let end = text.write(head, to: start, outcome: shows ? head.outcome : nil)
            return HTTP2AnswerFields.make(
                status: head.status, from: UnsafeBufferPointer(start: start, count: end - start))
        }
        connection.write(fields, on: self, isEnd: isEnd)
    }

    private func send(_ bytes: ByteBuffer, isEnd: Bool) {
        unsentBytes += bytes.readableBytes
        if writeDeadline == .max { expectTaking() }
        connection.write(bytes, on: self, isEnd: isEnd)
    }

    private func expectTaking() {
        writeDeadline = connection.loop.now &+ connection.ingress.times.writeStall
        connection.ingress.sweep(by: writeDeadline)
    }

    /// So much of the answer is on its way to TLS.
    func sent(_ count: Int, isEnd: Bool) {
        unsentBytes -= count
        if isEnd {
            hasSentEnd = true
            writeDeadline = .max
        } else if unsentBytes == 0 {
            writeDeadline = .max
        } else {
            expectTaking()
        }
        if isEnd || wantsRoom && unsentBytes <= Connection.lowWater { connection.note(self) }
    }
}
