/// The way out: makes HTTP requests in workers' names. What crosses this protocol is values, because those who ask and
/// those who dial may live in different processes.
package protocol Egress: AnyObject, Sendable {
    /// Begins a request.
    /// - Parameter deliver: hears what comes of it, in order, on a thread of the egress's: it must only pass the events
    ///   on. After a final event, or `cancel`, nothing that matters follows.
    func begin(
        _ request: EgressRequest, deliver: @escaping @Sendable (_ events: [EgressEvent]) -> Void
    ) -> any EgressExchange
}

/// One request under way. Any thread; calls take effect in the order they were made.
package protocol EgressExchange: SubrequestExchange, Sendable {}

/// A request under way, as the one who makes it sees it.
package protocol SubrequestExchange: AnyObject {
    /// The next piece of a body that was announced as `.stream`. `.sent` tells when there is room for more.
    func send(_ bytes: [UInt8])
    /// The streamed body is complete.
    func finishSending()
    /// So many bytes of the answer's body were used up: as many more may come.
    func consumed(_ bytes: Int)
    /// Nobody wants the answer, or what is left of it.
    func cancel()
}

/// A request as it leaves a worker. Method and target are checked again by the egress, which also supplies the fields
/// that are about the connection and its framing, whatever is said of them here.
package struct EgressRequest: Sendable, Equatable {
    package enum Body: Sendable, Equatable {
        case none
        case bytes([UInt8])
        /// Pieces follow by `EgressExchange.send`; `length` bytes in all, if that is known.
        case stream(length: Int?)
        /// None, and the origin is asked to make the connection a WebSocket. Once it has answered 101, what is sent
        /// goes to it as it is, and the answer's body is all that it sends.
        case upgrade
    }

    /// Method, absolute URL as the URL Standard serialises it, without a fragment, and fields.
    package var head: RequestHead
    package var body: Body
    /// Dialled in the place of the URL's host, which stays the one that is asked for.
    package var via: OriginServer?
    /// In whose name; empty where there are no accounts, and for what stands behind a zone.
    package var account: String

    package init(head: RequestHead, body: Body, via: OriginServer? = nil, account: String = "") {
        self.account = account
        self.head = head
        self.body = body
        self.via = via
    }
}

package enum EgressEvent: Sendable, Equatable {
    case head(EgressResponseHead)
    /// A piece of the answer's body, its content coding untouched.
    case body([UInt8])
    /// So many bytes of the streamed request body are on their way; as many more may be sent.
    case sent(Int)
    /// The origin takes no more of the request's body.
    case sendingEnded
    /// The answer is complete. Final.
    case end
    /// Final.
    case failed(EgressFailure)

    package var isFinal: Bool {
        switch self {
        case .end, .failed: true
        default: false
        }
    }
}

/// Status line and fields of an answer, flat like `RequestHead`.
package struct EgressResponseHead: Sendable, Equatable {
    package var status: Int
    /// The reason, then name, value, name, value ... without separators; names in lower case, values in UTF-8.
    package private(set) var bytes: [UInt8]
    /// Where each piece ends in `bytes`.
    package private(set) var ends: [UInt32]

    package init(status: Int, reason: String) {
        self.status = status
        bytes = Array(reason.utf8)
        ends = [UInt32(bytes.count)]
    }

    package mutating func append(name: String, value: String) {
        for byte in name.utf8 {
            bytes.append((UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte)
        }
        ends.append(UInt32(bytes.count))
        bytes.append(contentsOf: value.utf8)
        ends.append(UInt32(bytes.count))
    }

    package var reason: String { String(decoding: bytes[..<Int(ends[0])], as: UTF8.self) }
    package var fieldCount: Int { ends.count / 2 }

    package func name(_ field: Int) -> ArraySlice<UInt8> { piece(2 * field + 1) }
    package func value(_ field: Int) -> ArraySlice<UInt8> { piece(2 * field + 2) }

    private func piece(_ index: Int) -> ArraySlice<UInt8> { bytes[Int(ends[index - 1])..<Int(ends[index])] }

    /// All values of a field with that lower-case name.
    package func values(of name: String) -> [String] {
        (0..<fieldCount).filter { self.name($0).elementsEqual(name.utf8) }.map {
            String(decoding: value($0), as: UTF8.self)
        }
    }
}

/// Why there is no answer, or no more of one. The text is for the worker: it says nothing of the network behind us.
package enum EgressFailure: Error, Sendable, Equatable {
    /// Scheme, method, host, port or a field is not what may be sent.
    case invalidRequest(String)
    /// No address of the host may be reached.
    case forbidden(host: String)
    case unknownHost(String)
    /// No connection, or it broke off.
    case connectionLost
    case handshakeFailed
    /// The origin was silent for too long.
    case timedOut
    case malformedAnswer
    case headTooLarge
    case overloaded
    /// The worker that a service binding names did not answer.
    case workerFailed(Outcome)
    /// There is none.
    case noSuchWorker(String)

    package var message: String {
        switch self {
        case .invalidRequest(let what): what
        case .forbidden(let host): "Fetch API cannot load: workers may not connect to \(host)."
        case .unknownHost(let host): "DNS lookup failed for \(host)."
        case .connectionLost: "Network connection lost."
        case .handshakeFailed: "TLS handshake failed: the origin cannot prove to be who it should be, or hung up."
        case .timedOut: "Network connection lost: the origin did not answer in time."
        case .malformedAnswer: "Network connection lost: the origin's answer is not valid HTTP."
        case .headTooLarge: "The header of the origin's answer is too large."
        case .overloaded: "Too many subrequests are under way. Try again later."
        case .workerFailed(let outcome): outcome.explanation
        case .noSuchWorker(let name): "The service binding's Worker '\(name)' cannot be called: it is not deployed."
        }
    }
}
