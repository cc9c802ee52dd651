internal import CNATS
internal import Feed
internal import Foundation
internal import Model

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

    /// - Parameters:
    ///   - inbox: what the subjects of answers to this side begin with.
    ///   - turn: which of the addresses is tried first.
    init(_ settings: NATSSettings, inbox: String, turn: Int = 0) throws {
        var options: OpaquePointer?
        try Self.check(natsOptions_Create(&options), "options")
        defer { natsOptions_Destroy(options) }
        try Self.set(settings.addresses, turn, of: options)
        if settings.isSecure { try Self.secure(options, settings) }
        try Self.identify(options, settings)
        try Self.check(natsOptions_SetCustomInboxPrefix(options, inbox), "the inbox")
        // What the server does not allow is told by the call that needs it.
        natsOptions_SetErrorHandler(options, { _, _, _, _ in }, nil)
        natsOptions_SetAllowReconnect(options, false)
        natsOptions_SetTimeout(options, Self.connectMilliseconds)
        natsOptions_SetPingInterval(options, Self.pingMilliseconds)
        natsOptions_SetMaxPingsOut(options, 2)
        natsOptions_SetName(options, "martlet")
        var made: OpaquePointer?
        let status = natsConnection_Connect(&made, options)
        guard status == NATS_OK, let made else {
            throw Self.error(status, "\(settings.text) cannot be reached")
        }
        connection = made
        var context: OpaquePointer?
        var choices = jsOptions()
        jsOptions_Init(&choices)
        choices.Wait = Self.requestMilliseconds
        guard natsConnection_JetStream(&context, made, &choices) == NATS_OK, let context else {
            natsConnection_Destroy(made)
            throw FeedError(.failed, "\(settings.text): there is no JetStream")
        }
        stream = context
    }

    private static func set(_ addresses: [FeedAddress], _ turn: Int, of options: OpaquePointer?) throws {
        let urls = addresses.indices.map { index -> UnsafeMutablePointer<CChar>? in
            let address = addresses[(index + turn) % addresses.count]
            let host = address.host.contains(":") ? "[\(address.host)]" : address.host
            return strdup("\(address.way.rawValue)://\(host):\(address.port)")
        }
        defer { for url in urls { free(url) } }
        var list = urls.map { UnsafePointer($0) }
        try check(natsOptions_SetServers(options, &list, Int32(list.count)), "the addresses")
        try check(natsOptions_SetNoRandomize(options, true), "the addresses")
    }

    private static func secure(_ options: OpaquePointer?, _ settings: NATSSettings) throws {
        try check(natsOptions_SetSecure(options, true), "TLS")
        if let file = settings.authorities {
            try check(natsOptions_LoadCATrustedCertificates(options, file), "the certificates in \(file)")
        }
        if let file = settings.certificate, let key = settings.key {
            try check(natsOptions_LoadCertificatesChain(options, file, key), "the certificate in \(file)")
        }
    }

    /// Who this side is.
    private static func identify(_ options: OpaquePointer?, _ settings: NATSSettings) throws {
        if let file = settings.seed {
            let key = try NATSKey(file: file)
            try check(natsOptions_SetNKeyFromSeed(options, key.publicKey, file), "the nkey in \(file)")
        }
        if let file = settings.credentials {
            guard FileManager.default.isReadableFile(atPath: file) else {
                throw FeedError(.refused, "\(file): the credentials for NATS cannot be read")
            }
            try check(natsOptions_SetUserCredentialsFromFiles(options, file, nil), "the credentials in \(file)")
        }
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

    /// - Parameter whom: who is asked.
    /// - Throws: `away` if nobody answers, `refused` if the server does not let this side ask.
    func request(
        _ subject: String, _ bytes: [UInt8], within seconds: Double, of whom: String = "the control node"
    ) throws(FeedError) -> [UInt8] {
        var reply: OpaquePointer?
        let status = natsConnection_Request(
            &reply, connection, subject, bytes, Int32(bytes.count), Int64(seconds * 1_000))
        guard status == NATS_OK, let reply else {
            throw refusal ?? Self.error(status, "\(whom) does not answer")
        }
        defer { natsMsg_Destroy(reply) }
        return Self.data(of: reply)
    }

    /// What the server has said that this side may not do.
    private var refusal: FeedError? {
        var text: UnsafePointer<CChar>?
        guard natsConnection_GetLastError(connection, &text) == NATS_NOT_PERMITTED, let text else { return nil }
        return FeedError(.refused, "NATS: \(String(cString: text))")
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

    /// The last message under a subject; nil if there is none.
    func last(_ subject: String, ofStream name: String) throws(FeedError) -> (bytes: [UInt8], sequence: UInt64)? {
        var message: OpaquePointer?
        var code = jsErrCode(0)
        let status = js_GetLastMsg(&message, stream, name, subject, nil, &code)
        guard status != NATS_NOT_FOUND, code != JSStreamNotFoundErr else { return nil }
        guard status == NATS_OK else { throw refusal ?? Self.error(status, "NATS: asking for a message") }
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
        guard status == NATS_OK else { throw refusal ?? Self.error(status, "NATS: following the stream") }
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
