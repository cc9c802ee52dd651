internal import Glibc
internal import Model
internal import Runtime

/// Requests in.
extension Connection {
    // MARK: Receiving

    /// One `recv`, and what it brings to the request under way.
    func receive() {
        if phase == .lingering { return drop() }
        let room = input.prepareToReceive()
        let count = secure?.receive(into: &input, untilEnd: peerHasClosed) ?? input.receive(from: descriptor)
        if count > 0 {
            if let secure {
                if !secure.mayHaveMore, !peerHasClosed { mayReceive = false }
            } else {
                noteReceived(count, of: room)
            }
            if phase == .exchange { receivedBody(count) }
        } else if count == 0 {
            mayReceive = false
            receivedEnd()
        } else {
            noteFailure()
        }
    }

    /// Less than there was room for: the kernel has no more, unless the end of the file follows.
    private func noteReceived(_ count: Int, of room: Int) {
        if count < room, !peerHasClosed { mayReceive = false }
    }

    private func noteFailure() {
        mayReceive = false
        if errno != EAGAIN { lost() }
    }

    private func receivedEnd() {
        switch phase {
        // Whole requests that wait for their turn are still answered; a part of one never will be.
        case .idle where !input.raw.isEmpty: break
        case .idle, .header: beginClosing(lingering: false)
        case .exchange: lost()
        default: close()
        }
    }

    private func drop() {
        let room = InputBuffer.blockSize
        let count = recv(descriptor, ingress.receiveBlock, room, Int32(MSG_DONTWAIT))
        if count > 0 {
            noteReceived(count, of: room)
        } else if count == 0 {
            close()
        } else {
            noteFailure()
        }
    }

    // MARK: Requests

    /// Parses and hands over requests until one waits for its answer, or there is nothing more to parse.
    func process() {
        while true {
            switch phase {
            case .idle, .header:
                guard !isLeaving, !input.raw.isEmpty, output.count < Self.highWater,
                    served < ingress.limits.requestsPerTurn, beginRequest()
                else { return }
            case .discarding:
                guard dropBody() else { return }
            case .exchange, .closing, .cutting, .lingering, .closed:
                return
            }
        }
    }

    /// False if the header is not complete, or refused.
    private func beginRequest() -> Bool {
        // Whoever had the last request may still hold on to it.
        if !isKnownUniquelyReferenced(&current) { current = ConnectionExchange() }
        switch parser.parse(input.rawBytes, progress: &progress, into: &current.head) {
        case .needsMore:
            if phase == .idle {
                phase = .header
                expectInput(within: ingress.times.header)
            }
            return false
        case .rejected(let rejection):
            fail(rejection)
            return false
        case .request(let framing):
            if let secure, !secure.identity.serves(current.head) {
                fail(.misdirected)
                return false
            }
            if belongsElsewhere() {
                isLeaving = true
                expectInput(within: .max)
                return false
            }
            begin(framing)
            return true
        }
    }

    private func begin(_ framing: RequestFraming) {
        served += 1
        progress = RequestParser.Progress()
        request = framing
        input.consumeRaw(framing.headerBytes)
        phase = .exchange
        answer = .awaited
        isDiscarding = false
        discarded = 0
        switch framing.body {
        case .none: incoming = .complete
        case .length(let count): incoming = .length(count)
        case .chunked: incoming = .chunked(ChunkedDecoder())
        }
        if let clientFields {
            ray = ingress.rays.next()
            clientFields.mark(&current.head, ray: ray)
        }
        current.begin(on: self, hasBody: framing.body != .none)
        expectInput(within: .max)
        if !incoming.isComplete {
            owesContinue = framing.expectsContinue && input.raw.isEmpty
            if !owesContinue { expectInput(within: ingress.times.body) }
            if let rejection = decodeBody() { return fail(rejection) }
        }
        socket.handler.handle(current)
    }

    /// What is known of the request besides its head; nil if nobody is to know.
    var properties: RequestProperties? {
        ingress.settings.location.map {
            socket.properties(at: $0, over: request.isVersion10 ? "HTTP/1.0" : "HTTP/1.1", secure)
        }
    }

    // MARK: Bodies

    private func receivedBody(_ count: Int) {
        if owesContinue {
            owesContinue = false
            expectInput(within: ingress.times.body)
        }
        creditInput(count)
        if let rejection = decodeBody() { return fail(rejection) }
        if isDiscarding { dropBuffered() }
        guard wantsBody, !input.body.isEmpty || incoming.isComplete else { return }
        wantsBody = false
        current.observer?.exchangeBodyReady(current)
    }

    /// Takes what has arrived out of its framing.
    func decodeBody() -> Rejection? {
        switch incoming {
        case .complete: break
        case .length(let remaining):
            let count = min(remaining, input.raw.count)
            input.takeAsBody(count)
            incoming = count == remaining ? .complete : .length(remaining - count)
        case .everything: input.takeAsBody(input.raw.count)
        case .chunked(var decoder):
            switch input.decode(with: &decoder, limits: ingress.limits) {
            case .needsMore: incoming = .chunked(decoder)
            case .complete: incoming = .complete
            case .rejected(let rejection): return rejection
            }
        }
        if incoming.isComplete { expectInput(within: .max) }
        return nil
    }

    private func dropBuffered() {
        discarded += input.body.count
        input.dropBody()
    }

    /// Whether the body that nobody wanted is over, so that the next request can begin.
    private func dropBody() -> Bool {
        if let rejection = decodeBody() {
            fail(rejection)
            return false
        }
        dropBuffered()
        if incoming.isComplete {
            awaitRequest()
            return true
        }
        if discarded > ingress.limits.discardedBytes { beginClosing(lingering: true) }
        return false
    }

    var isBodyComplete: Bool { incoming.isComplete }
    var bodyBytesBuffered: Int { input.body.count }

    func readBody(limit: Int, _ consume: (UnsafeRawBufferPointer) -> Void) -> BodyProgress {
        let count = min(limit, input.body.count)
        if count > 0 {
            let piece = UnsafeRawBufferPointer(start: input.bytes + input.body.lowerBound, count: count)
            // The memory stays as it is while `consume` has it: whatever that does, it is not received into or released
            // before the loop's next step.
            consume(piece)
            if !input.body.isEmpty { input.consumeBody(count) }
            if !incoming.isComplete { resumeReading() }
            return .bytes
        }
        if incoming.isComplete { return .end }
        if isDiscarding { return .end }
        wantsBody = true
        sendContinue()
        advanceLater()
        return .pending
    }

    /// Tells a client that waits for it to send the body (RFC 9110, section 10.1.1).
    func sendContinue() {
        guard owesContinue, case .awaited = answer else { return }
        owesContinue = false
        output.append("HTTP/1.1 100 Continue\r\n\r\n")
        expectInput(within: ingress.times.body)
    }

    /// There is room again for a body that was kept waiting.
    private func resumeReading() {
        if readDeadline == .max, !owesContinue, input.body.count < Self.highWater {
            if !incoming.isEverything { expectInput(within: ingress.times.body) }
            advanceLater()
        }
    }

    func discardBody() {
        isDiscarding = true
        wantsBody = false
        dropBuffered()
        advanceLater()
    }

    // MARK: Refusal

    /// Answers with the error if no answer has begun, else breaks off; the connection is closed either way.
    func fail(_ rejection: Rejection) {
        let exchange = current
        let wasOpen = phase == .exchange
        endExchange(because: rejection.message)
        switch phase {
        case .idle, .header:
            request = RequestFraming()
            write(rejection.page, asJSON: false)
            beginClosing(lingering: true)
        case .exchange where answer.isAwaited:
            write(rejection.page, asJSON: ErrorPage.prefersJSON(exchange.head))
            beginClosing(lingering: true)
        case .exchange: phase = .cutting
        case .discarding: beginClosing(lingering: true)
        case .closing, .cutting, .lingering, .closed: break
        }
        if wasOpen { exchange.observer?.exchangeClosed(exchange) }
    }
}
