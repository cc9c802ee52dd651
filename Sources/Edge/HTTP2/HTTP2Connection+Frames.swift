internal import Model
internal import NIOCore
internal import NIOHPACK
internal import NIOHTTP2
internal import Runtime

/// What the HTTP/2 handler tells. It is in the midst of something: nothing is done here that enters a worker.
extension HTTP2Connection {
    func received(_ frame: HTTP2Frame) {
        switch frame.payload {
        case .headers(let headers): receivedHeaders(headers, on: frame.streamID)
        case .data(let data): receivedData(data, on: frame.streamID)
        case .goAway: isLeaving = true
        case .windowUpdate: countWindowUpdate()
        default: break
        }
    }

    private func receivedHeaders(_ headers: HTTP2Frame.FramePayload.Headers, on id: HTTP2StreamID) {
        windowUpdates -= 2
        if let stream = streams[id] {
            // Trailers: of no use to a worker.
            return receivedEnd(of: stream)
        }
        guard phase == .open, !hasFailed else { return }
        // The HTTP/2 handler counts too, but only when the client has acknowledged the number.
        guard streams.count < limits.streams else { return refuse(id) }
        let stream = HTTP2Stream(id, of: self, hasBody: !headers.endStream)
        streams[id] = stream
        lastStream = id
        expectInput(within: .max)
        begin(stream, headers.headers)
    }

    private func refuse(_ id: HTTP2StreamID) {
        refusedStreams += 1
        send(HTTP2Frame(streamID: id, payload: .rstStream(.refusedStream)))
        if refusedStreams > limits.resets { calm() }
    }

    private func begin(_ stream: HTTP2Stream, _ fields: HPACKHeaders) {
        do throws(Rejection) {
            stream.request = try ingress.parse(fields, into: &stream.head)
        } catch {
            stream.request.isHead = fields.first(name: ":method") == "HEAD"
            return refuse(stream, error)
        }
        if !secure.identity.serves(stream.head) { return refuse(stream, .misdirected) }
        if let clientFields {
            stream.ray = ingress.rays.next()
            clientFields.mark(&stream.head, ray: stream.ray)
        }
        if stream.hasBody {
            stream.owesContinue = stream.request.expectsContinue
            stream.expectBody()
        }
        arrived.append(stream)
    }

    private func refuse(_ stream: HTTP2Stream, _ rejection: Rejection) {
        stream.isDiscarding = true
        stream.respond(with: rejection.page)
    }

    private func receivedData(_ data: HTTP2Frame.FramePayload.Data, on id: HTTP2StreamID) {
        guard let stream = streams[id], case .byteBuffer(let bytes) = data.data else { return }
        if let rejection = stream.receive(bytes) { return fail(stream, rejection) }
        if data.endStream {
            receivedEnd(of: stream)
        } else {
            note(stream)
        }
    }

    private func receivedEnd(of stream: HTTP2Stream) {
        stream.receiveEnd()
        note(stream)
    }

    /// Windows that are opened byte by byte make a frame of each.
    private func countWindowUpdate() {
        windowUpdates = max(0, windowUpdates) + 1
        if windowUpdates > limits.windowUpdates { calm() }
    }

    /// Enough is enough.
    private func calm() {
        guard !hasFailed else { return }
        send(
            HTTP2Frame(
                streamID: .rootStream,
                payload: .goAway(lastStreamID: lastStream, errorCode: .enhanceYourCalm, opaqueData: nil)))
    }

    func inboundWindowChanged(of id: HTTP2StreamID, to size: Int) {
        if id == .rootStream {
            inboundWindow = size
        } else {
            streams[id]?.inboundWindow = size
        }
    }

    /// What goes out, as it goes.
    func wrote(_ frame: HTTP2Frame) {
        switch frame.payload {
        case .data(let data):
            windowUpdates -= 2
            streams[frame.streamID]?.sent(data.data.readableBytes, isEnd: data.endStream)
        case .headers(let headers) where headers.endStream:
            streams[frame.streamID]?.sent(0, isEnd: true)
        case .goAway(_, let code, _):
            hasSentGoAway = true
            if code != .noError { hasFailed = true }
        default: break
        }
    }

    /// Both sides have ended it, or one has cancelled it.
    func streamClosed(_ id: HTTP2StreamID) {
        guard let stream = streams.removeValue(forKey: id) else { return }
        stream.isGone = true
        if streams.isEmpty { expectInput(within: ingress.times.idle) }
        if stream.lose(because: "The client has disconnected.") != nil { tellClosed(stream) }
    }

    // MARK: Ending a stream

    /// Answers with the error if no answer has begun, else breaks off.
    func fail(_ stream: HTTP2Stream, _ rejection: Rejection) {
        guard !stream.isOver, stream.answer.isAwaited else {
            return cut(stream, stream.isOver ? .noError : .cancel, because: rejection.message)
        }
        stream.isDiscarding = true
        stream.respond(with: rejection.page)
        stream.failure = rejection.message
        tellClosed(stream)
    }

    func cut(_ stream: HTTP2Stream, _ code: HTTP2ErrorCode, because reason: String) {
        if stream.lose(because: reason) != nil { tellClosed(stream) }
        reset(stream, code)
    }

    private func tellClosed(_ stream: HTTP2Stream) {
        loop.enqueue { stream.observer?.exchangeClosed(stream) }
    }
}

extension Ingress {
    /// Reads a request's header as if it were HTTP/1.1's.
    fileprivate func parse(_ fields: HPACKHeaders, into head: inout RequestHead) throws(Rejection) -> RequestFraming {
        try HTTP2RequestText.write(fields, to: &headerText)
        var progress = RequestParser.Progress()
        let result = headerText.withUnsafeBytes { secureParser.parse($0, progress: &progress, into: &head) }
        switch result {
        case .request(let framing): return framing
        case .rejected(let rejection): throw rejection
        // The text is complete: the parser looks no further than its limit.
        case .needsMore: throw .oversizedHeader
        }
    }
}
