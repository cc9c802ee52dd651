internal import Foundation
internal import HTTPTypes
internal import Hummingbird
internal import Logging
internal import Model
internal import NIOCore
internal import NIOPosix

/// Joins paths with what answers them: lets callers in, reads bodies, and runs the answering function on a thread that
/// may wait for the disk.
struct API: Sendable {
    enum Method {
        case delete, get, patch, post, put

        fileprivate var http: HTTPRequest.Method {
            switch self {
            case .delete: .delete
            case .get: .get
            case .patch: .patch
            case .post: .post
            case .put: .put
            }
        }
    }

    typealias Handler = @Sendable (Call) throws -> Reply

    /// Bytes of a body that is not an upload.
    static let bodyBytes = 4 << 20
    static let root = "/client/v4"

    // Sound because only registering touches it, on one thread, before the server starts.
    nonisolated(unsafe) let router: Router<BasicRequestContext>
    let store: any PlatformStore
    let threads: NIOThreadPool
    let logger: Logger

    /// - Parameters:
    ///   - path: under the root; `:account` in it is checked against the caller's token.
    ///   - scope: the least that the caller's token must have.
    ///   - limit: bytes of the body.
    func on(
        _ method: Method, _ path: String, _ scope: Token.Scope, limit: Int = API.bodyBytes,
        _ handler: @escaping Handler
    ) {
        router.on(RouterPath(stringLiteral: Self.root + path), method: method.http) { request, context in
            let token = try await self.token(for: request)
            var call = try Self.call(request, context, token)
            try Self.authorize(call, scope, request.uri.path)
            call.body = try await Self.body(of: request, limit: limit)
            return Response(try await self.onThread { [call] in try handler(call) })
        }
    }

    /// For callers that show the token of an upload in the place of their own.
    func onUpload(
        _ method: Method, _ path: String, _ tokens: AssetTokens, limit: Int,
        _ handler: @escaping @Sendable (Call, AssetToken) throws -> Reply
    ) {
        router.on(RouterPath(stringLiteral: Self.root + path), method: method.http) { request, context in
            guard let token = tokens.read(try Self.secret(in: request.headers)) else { throw APIError.expiredSession }
            let holder = Token(account: token.account, name: "assets", scope: .deploy)
            var call = try Self.call(request, context, holder)
            guard call.parameters["account"] ?? token.account == token.account else { throw APIError.expiredSession }
            call.body = try await Self.body(of: request, limit: limit)
            return Response(try await self.onThread { [call] in try handler(call, token) })
        }
    }

    /// Runs what may wait for the disk.
    private func onThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        do {
            return try await threads.runIfActive(body)
        } catch let error as StoreError {
            throw Self.answer(to: error, logger)
        }
    }

    /// What a store's failure tells a client, where the service says nothing better.
    static func answer(to error: StoreError, _ logger: Logger) -> APIError {
        switch error.kind {
        case .missing: return APIError(404, 7003, error.message)
        case .conflict: return APIError(400, 10014, error.message)
        case .overQuota: return APIError(403, 10037, error.message)
        case .full:
            logger.error("\(error.message)")
            return APIError(507, 10000, "The server's disk is full; nothing was changed")
        case .damaged, .locked, .unusable, .failed:
            logger.error("\(error.message)")
            return APIError(500, 10000, error.kind == .damaged ? error.message : "The store failed")
        }
    }

    // MARK: Callers

    private func token(for request: Request) async throws -> Token {
        let secret = try Self.secret(in: request.headers)
        let found = try await onThread { [store] in try store.token(forSecret: secret) }
        guard let found else {
            throw request.uri.path.hasSuffix("/tokens/verify") ? APIError.invalidToken : APIError.badToken
        }
        return found
    }

    /// Throws unless the caller shows an operator's token.
    func requireOperator(_ request: Request) async throws {
        let token = try await token(for: request)
        guard token.account == nil, token.scope == .admin else { throw APIError.forbidden("admin, for all accounts") }
    }

    private static func secret(in headers: HTTPFields) throws -> String {
        if let value = headers[.authorization] {
            let parts = value.split(separator: " ", omittingEmptySubsequences: false)
            guard parts.count == 2, parts[0].lowercased() == "bearer", !parts[1].isEmpty else {
                throw APIError.malformedToken
            }
            return String(parts[1])
        }
        guard let key = headers[HTTPField.Name("X-Auth-Key")!], headers[HTTPField.Name("X-Auth-Email")!] != nil else {
            throw APIError.noToken
        }
        return key
    }

    /// An account that is not the caller's is, for that caller, not there.
    private static func authorize(_ call: Call, _ scope: Token.Scope, _ path: String) throws {
        if let account = call.parameters["account"], let own = call.token.account, own != account {
            throw APIError.unknownPath(path)
        }
        guard call.token.scope >= scope else { throw APIError.forbidden(scope.rawValue) }
    }

    // MARK: Requests

    private static func call(_ request: Request, _ context: BasicRequestContext, _ token: Token) throws -> Call {
        var parameters: [String: String] = [:]
        for (name, value) in context.parameters {
            guard let decoded = PercentCoding.decode(value) else { throw APIError.unknownPath(request.uri.path) }
            parameters[String(name)] = decoded
        }
        guard let query = PercentCoding.query(request.uri.query ?? "") else {
            throw APIError.badBody("the query is not percent-encoded UTF-8")
        }
        return Call(
            parameters: parameters, query: query, contentType: request.headers[.contentType] ?? "",
            userAgent: request.headers[.userAgent] ?? "", socketOrigin: socketOrigin(of: request), body: [],
            token: token)
    }

    private static func socketOrigin(of request: Request) -> String {
        let isSecure = request.headers[HTTPField.Name("X-Forwarded-Proto")!] == "https"
        return "\(isSecure ? "wss" : "ws")://\(request.head.authority ?? "localhost")"
    }

    private static func body(of request: Request, limit: Int) async throws -> [UInt8] {
        do {
            let buffer = try await request.body.collect(upTo: limit)
            return Array(buffer.readableBytesView)
        } catch is NIOTooManyBytesError {
            throw APIError.tooLarge("the body is larger than \(limit) bytes")
        }
    }
}

/// Makes an envelope of every error, unknown paths too.
struct EnvelopeMiddleware: RouterMiddleware {
    func handle(
        _ request: Request, context: BasicRequestContext,
        next: (Request, BasicRequestContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let error as APIError {
            return Response(error)
        } catch let error as HTTPError where error.status == .notFound || error.status == .methodNotAllowed {
            return Response(APIError.unknownPath(request.uri.path))
        } catch let error as HTTPError {
            return Response(APIError(error.status.code, 10000, error.body ?? error.status.reasonPhrase))
        } catch {
            context.logger.error("\(request.method) \(request.uri.path): \(error)")
            return Response(APIError(500, 10000, "Internal error"))
        }
    }
}
