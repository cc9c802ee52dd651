internal import CNATS
package import Feed
internal import Foundation
internal import Model

/// How a NATS server is reached.
package struct NATSSettings: Sendable {
    package var address: FeedAddress
    /// Files (PEM): certificates that are trusted, and what this side shows.
    package var authorities: String?
    package var certificate: String?
    package var key: String?

    package init(address: FeedAddress, authorities: String? = nil, certificate: String? = nil, key: String? = nil) {
        self.address = address
        self.authorities = authorities
        self.certificate = certificate
        self.key = key
    }
}

/// A connection to a NATS server with JetStream. It ends when the server goes away: whoever has it makes another one,
/// and finds out anew what the other side has.
///
/// Its calls wait. The library's handles may be used by any thread.
final class NATSLink: @unchecked Sendable {
    private let connection: OpaquePointer
    let stream: OpaquePointer

    private static let connectMilliseconds: Int64 = 5_000
    private static let requestMilliseconds: Int64 = 5_000
    /// A server that answers no ping for twice as long is gone.
    private static let pingMilliseconds: Int64 = 2_000

    init(_ settings: NATSSettings) throws {
        var options: OpaquePointer?
        try Self.check(natsOptions_Create(&options), "options")
        defer { natsOptions_Destroy(options) }
        let scheme = settings.address.way.rawValue
        let host = settings.address.host.contains(":") ? "[\(settings.address.host)]" : settings.address.host
        try Self.check(natsOptions_SetURL(options, "\(scheme)://\(host):\(settings.address.port)"), "the address")
        if settings.address.way == .tls {
            try Self.check(natsOptions_SetSecure(options, true), "TLS")
            if let file = settings.authorities {
                try Self.check(natsOptions_LoadCATrustedCertificates(options, file), "the certificates in \(file)")
            }
            if let file = settings.certificate, let key = settings.key {
                try Self.check(natsOptions_LoadCertificatesChain(options, file, key), "the certificate in \(file)")
            }
        }
        natsOptions_SetAllowReconnect(options, false)
        natsOptions_SetTimeout(options, Self.connectMilliseconds)
        natsOptions_SetPingInterval(options, Self.pingMilliseconds)
        natsOptions_SetMaxPingsOut(options, 2)
        natsOptions_SetName(options, "martlet")
        var made: OpaquePointer?
        let status = natsConnection_Connect(&made, options)
        guard status == NATS_OK, let made else {
            throw Self.error(status, "\(settings.address.text) cannot be reached")
        }
        connection = made
        var context: OpaquePointer?
        var choices = jsOptions()
        jsOptions_Init(&choices)
        choices.Wait = Self.requestMilliseconds
        guard natsConnection_JetStream(&context, made, &choices) == NATS_OK, let context else {
            natsConnection_Destroy(made)
            throw FeedError(.failed, "\(settings.address.text): there is no JetStream")
        }
        stream = context
    }

    deinit {
        jsCtx_Destroy(stream)
        natsConnection_Destroy(connection)
    }

    var isClosed: Bool { natsConnection_IsClosed(connection) }
    var mostBytes: Int { Int(natsConnection_GetMaxPayload(connection)) }

    func close() { natsConnection_Close(connection) }

    // MARK: Errors

    static func error(_ status: natsStatus, _ what: String) -> FeedError {
        let detail = natsStatus_GetText(status).map { String(cString: $0) } ?? "\(status.rawValue)"
        switch status {
        case NATS_CONNECTION_AUTH_FAILED, NATS_NOT_PERMITTED: return FeedError(.refused, "\(what): \(detail)")
        default: return FeedError(.away, "\(what): \(detail)")
        }
    }

    static func check(_ status: natsStatus, _ what: String) throws(FeedError) {
        guard status == NATS_OK else { throw error(status, "NATS: \(what)") }
    }

    // MARK: Messages

    func publish(_ subject: String, _ bytes: [UInt8]) throws(FeedError) {
        try Self.check(natsConnection_Publish(connection, subject, bytes, Int32(bytes.count)), "publishing")
    }

    /// - Throws: `away` if nobody answers.
    func request(_ subject: String, _ bytes: [UInt8], within seconds: Double) throws(FeedError) -> [UInt8] {
        var reply: OpaquePointer?
        let status = natsConnection_Request(
            &reply, connection, subject, bytes, Int32(bytes.count), Int64(seconds * 1_000))
        guard status == NATS_OK, let reply else { throw Self.error(status, "the control node does not answer") }
        defer { natsMsg_Destroy(reply) }
        return Self.data(of: reply)
    }

    func subscribe(_ subject: String) throws(FeedError) -> Subscription {
        var made: OpaquePointer?
        try Self.check(natsConnection_SubscribeSync(&made, connection, subject), "subscribing")
        return Subscription(made!, self)
    }

    static func data(of message: OpaquePointer) -> [UInt8] {
        let count = Int(natsMsg_GetDataLength(message))
        guard count > 0, let start = natsMsg_GetData(message) else { return [] }
        return start.withMemoryRebound(to: UInt8.self, capacity: count) {
            Array(UnsafeBufferPointer(start: $0, count: count))
        }
    }

    // MARK: Streams

    /// What a stream is told apart by, and how far it is; nil if there is none.
    func state(ofStream name: String) throws(FeedError) -> (created: Int64, last: UInt64)? {
        var info: UnsafeMutablePointer<jsStreamInfo>?
        var code = jsErrCode(0)
        let status = js_GetStreamInfo(&info, stream, name, nil, &code)
        guard status != NATS_NOT_FOUND else { return nil }
        try Self.check(status, "asking for a stream")
        defer { jsStreamInfo_Destroy(info) }
        return (info!.pointee.Created, info!.pointee.State.LastSeq)
    }

    /// The last message under a subject; nil if there is none.
    func last(_ subject: String, ofStream name: String) throws(FeedError) -> (bytes: [UInt8], sequence: UInt64)? {
        var message: OpaquePointer?
        var code = jsErrCode(0)
        let status = js_GetLastMsg(&message, stream, name, subject, nil, &code)
        guard status != NATS_NOT_FOUND else { return nil }
        try Self.check(status, "asking for a message")
        defer { natsMsg_Destroy(message) }
        return (Self.data(of: message!), natsMsg_GetSequence(message))
    }

    /// Messages of a stream in order, from a sequence number on.
    @inline(never) func follow(_ name: String, subject: String, from sequence: UInt64) throws(FeedError) -> Subscription
    {
        var options = jsSubOptions()
        jsSubOptions_Init(&options)
        options.Ordered = true
        options.Config.DeliverPolicy = js_DeliverByStartSequence
        options.Config.OptStartSeq = max(1, sequence)
        options.Config.Heartbeat = 1_000_000_000
        var made: OpaquePointer?
        var code = jsErrCode(0)
        let status = name.withCString { name in
            options.Stream = name
            return js_SubscribeSync(&made, stream, subject, nil, &options, &code)
        }
        try Self.check(status, "following the stream")
        let subscription = Subscription(made!, self)
        // Who lags behind waits in the server, not here.
        natsSubscription_SetPendingLimits(made, -1, 64 << 20)
        return subscription
    }

    /// What comes under a subject.
    final class Subscription: @unchecked Sendable {
        struct Message {
            let subject: String
            let reply: String?
            let bytes: [UInt8]
            /// In the stream; 0 if it comes of none.
            let sequence: UInt64
        }

        private let handle: OpaquePointer
        private let link: NATSLink

        fileprivate init(_ handle: OpaquePointer, _ link: NATSLink) {
            self.handle = handle
            self.link = link
        }

        deinit { natsSubscription_Destroy(handle) }

        /// - Returns: nil if nothing came in time.
        @inline(never) func next(within seconds: Double) throws(FeedError) -> Message? {
            var message: OpaquePointer?
            let status = natsSubscription_NextMsg(&message, handle, Int64(seconds * 1_000))
            if status == NATS_TIMEOUT {
                if link.isClosed { throw FeedError(.away, "the NATS server has gone") }
                return nil
            }
            guard status == NATS_OK, let message else { throw NATSLink.error(status, "the NATS server has gone") }
            defer { natsMsg_Destroy(message) }
            var sequence: UInt64 = 0
            var data: UnsafeMutablePointer<jsMsgMetaData>?
            if natsMsg_GetMetaData(&data, message) == NATS_OK, let data {
                sequence = data.pointee.Sequence.Stream
                jsMsgMetaData_Destroy(data)
            }
            return Message(
                subject: natsMsg_GetSubject(message).map { String(cString: $0) } ?? "",
                reply: natsMsg_GetReply(message).map { String(cString: $0) }, bytes: NATSLink.data(of: message),
                sequence: sequence)
        }
    }
}
