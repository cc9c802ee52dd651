internal import Glibc
internal import Model
internal import Runtime

/// Answers out.
extension Connection {
    /// From so many bytes on, a body goes to the kernel from where it is, instead of through the buffer.
    private static let directBytes = 16 << 10

    // MARK: Whole answers

    func respond(_ head: ResponseHead, body: ResponseBytes) {
        guard case .awaited = answer else { return }
        guard AnswerHead.isFinal(head.status) else { return respondWithFailure() }
        let text = AnswerText(body)
        let isBodiless = request.isHead || AnswerHead.hasNoBody(head.status)
        let plain = isBodiless ? nil : text.plain
        let isDirect = (plain?.count ?? 0) >= Self.directBytes && secure == nil
        decidePersistence(isWholeAnswer: true)
        let start = output.room(AnswerHead.bound(head) + (isDirect || isBodiless ? 0 : text.count))
        var out = answerHead(AnswerHead.framing(of: head.status, text, body, isToHead: request.isHead))
            .write(head, to: start, outcome: outcomeShown(head))
        if !isBodiless, !isDirect { out = text.write(to: out) }
        output.end(at: out)
        if isDirect, let plain { note(sent: output.send(to: descriptor, with: plain)) }
        completeAnswer()
    }

    private func respondWithFailure() {
        write(ErrorPage(.internalError), asJSON: ErrorPage.prefersJSON(current.head))
        completeAnswer()
    }

    // MARK: Answers in pieces

    func beginResponse(_ head: ResponseHead, length: Int?) {
        guard case .awaited = answer else { return }
        guard AnswerHead.isFinal(head.status) else { return respondWithFailure() }
        // The answer may be made of the body, which the client could not be asked for any more.
        if !isDiscarding { sendContinue() }
        let framing: AnswerHead.Framing
        if AnswerHead.hasNoBody(head.status) {
            (framing, answer) = (.none, .bodiless)
        } else if request.isHead {
            (framing, answer) = (length.map { .length($0) } ?? .asDeclared, .bodiless)
        } else if let length {
            (framing, answer) = (.length(length), .length(remaining: length))
        } else if request.isVersion10 {
            (framing, answer) = (.untilClose, .untilClose)
            request.keepsAlive = false
        } else {
            (framing, answer) = (.chunked, .chunked)
        }
        decidePersistence(isWholeAnswer: false)
        let start = output.room(AnswerHead.bound(head))
        output.end(at: answerHead(framing).write(head, to: start, outcome: outcomeShown(head)))
        advanceLater()
    }

    func upgrade(_ head: ResponseHead) {
        guard case .awaited = answer else { return }
        guard request.namesUpgrade, !request.isVersion10, incoming.isComplete else { return abort() }
        answer = .untilClose
        request.keepsAlive = false
        ingress.date.refresh(at: loop.now)
        let start = output.room(AnswerHead.bound(head))
        let text = AnswerHead(framing: .none, persistence: .upgraded, date: ingress.date.line)
        output.end(at: text.write(head, to: start, outcome: outcomeShown(head)))
        incoming = .everything
        _ = decodeBody()
        expectInput(within: .max)
        advanceLater()
        if ingress.isDraining { tellOfDrain() }
    }

    func writeResponse(_ bytes: UnsafeRawBufferPointer) -> Bool {
        switch answer {
        case .awaited, .bodiless, .complete: return true
        case .untilClose: output.append(bytes)
        case .chunked: appendChunk(bytes)
        case .length(let remaining):
            guard bytes.count <= remaining else {
                // The client was promised less: what it has got is no answer.
                abort()
                return true
            }
            output.append(bytes)
            answer = .length(remaining: remaining - bytes.count)
        }
        advanceLater()
        if output.count >= Self.highWater { flush() }
        wantsRoom = output.count >= Self.highWater
        return !wantsRoom
    }

    /// An empty chunk would be the last.
    private func appendChunk(_ bytes: UnsafeRawBufferPointer) {
        guard let first = bytes.baseAddress, bytes.count > 0 else { return }
        var out = output.room(bytes.count + 24)
        out = Bytes.write(hexadecimal: bytes.count, to: out)
        out = Bytes.copy("\r\n", to: out)
        memcpy(out, first, bytes.count)
        output.end(at: Bytes.copy("\r\n", to: out + bytes.count))
    }

    func finishResponse() {
        switch answer {
        case .awaited, .complete: return
        case .length(let remaining) where remaining > 0: return abort()
        case .chunked: output.append("0\r\n\r\n")
        case .length, .untilClose, .bodiless: break
        }
        completeAnswer()
    }

    func abort() {
        if case .complete = answer { return }
        endExchange(because: "The answer was broken off.")
        phase = .cutting
        mustLinger = false
        advanceLater()
    }

    // MARK: Before and after

    /// Decides whether the connection can be used again, while that can still be said.
    private func decidePersistence(isWholeAnswer: Bool) {
        if ingress.isDraining { request.keepsAlive = false }
        // A client that was not told to go on may or may not send its body now.
        if owesContinue { request.keepsAlive = false }
        // Nobody will read the rest of the body.
        if isWholeAnswer, !isRestWorthReading { request.keepsAlive = false }
    }

    /// Whether what is left of the body, as far as that is known, is little enough to be read past.
    private var isRestWorthReading: Bool {
        if case .length(let remaining) = incoming { return remaining <= ingress.limits.discardedBytes }
        return true
    }

    private func answerHead(_ framing: AnswerHead.Framing) -> AnswerHead {
        ingress.date.refresh(at: loop.now)
        let persistence: AnswerHead.Persistence =
            request.keepsAlive ? (request.isVersion10 ? .keepAlive : .unsaid) : .close
        return AnswerHead(
            framing: framing, persistence: persistence, date: ingress.date.line,
            ray: clientFields.map { (ray, $0.raySuffix) })
    }

    private func outcomeShown(_ head: ResponseHead) -> Outcome? {
        ingress.settings.showsEveryOutcome || head.outcome != .ok ? head.outcome : nil
    }

    private func completeAnswer() {
        answer = .complete
        endExchange(because: "The request has been answered.")
        if !request.keepsAlive || ingress.isDraining || !isRestWorthReading {
            beginClosing(lingering: !incoming.isComplete || !input.raw.isEmpty)
        } else if incoming.isComplete {
            awaitRequest()
        } else {
            phase = .discarding
            isDiscarding = true
            expectInput(within: ingress.times.body)
        }
        advanceLater()
    }

    func awaitRequest() {
        input.dropBody()
        phase = .idle
        expectInput(within: ingress.times.idle)
    }

    func beginClosing(lingering: Bool) {
        phase = .closing
        mustLinger = lingering
        expectInput(within: .max)
    }

    // MARK: Our own answers

    /// Writes an error page, the connection's last words.
    func write(_ page: ErrorPage, asJSON: Bool) {
        request.keepsAlive = false
        page.withAnswer(asJSON: asJSON) { head, text in
            let start = output.room(AnswerHead.bound(head) + text.count)
            let out = answerHead(.length(text.count)).write(head, to: start, outcome: page.outcome)
            output.end(at: out)
            if !request.isHead { output.append(text) }
        }
    }
}
