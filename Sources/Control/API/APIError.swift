/// An answer that says no: an HTTP status and an entry of the envelope's `errors`.
package struct APIError: Error, Sendable {
    var status: Int
    var code: Int
    var message: String
    /// Finer causes, for `error_chain`.
    var chain: [(code: Int, message: String)] = []

    init(_ status: Int, _ code: Int, _ message: String) {
        self.status = status
        self.code = code
        self.message = message
    }
}

// Cloudflare's numbers, which clients go by.
extension APIError {
    static func unknownPath(_ path: String) -> APIError {
        APIError(404, 7003, "Could not route to \(path), perhaps your object identifier is invalid?")
    }

    static let badToken = APIError(401, 10000, "Authentication error")
    static let invalidToken = APIError(401, 1000, "Invalid API Token")
    static let noToken = APIError(401, 9106, "Missing X-Auth-Key, X-Auth-Email or Authorization headers")
    static let malformedToken: APIError = {
        var error = APIError(400, 6003, "Invalid request headers")
        error.chain = [(6111, "Invalid format for Authorization header")]
        return error
    }()

    static func forbidden(_ needed: String) -> APIError {
        APIError(403, 9109, "Unauthorized to access requested resource: the token lacks the scope '\(needed)'")
    }

    static func malformed(_ what: String) -> APIError { APIError(400, 10006, "Could not parse the body: \(what)") }
    static func wrongContentType(_ what: String) -> APIError { APIError(415, 10001, what) }
    static func badBody(_ what: String) -> APIError { APIError(400, 10026, what) }
    static func tooLarge(_ what: String) -> APIError { APIError(413, 10027, what) }
    static func badName(_ what: String) -> APIError { APIError(400, 10016, what) }
    static func validation(_ what: String) -> APIError { APIError(400, 10021, what) }

    static func noScript(_ name: String) -> APIError {
        APIError(404, 10007, "workers.api.error.script_not_found: there is no Worker '\(name)' on this account")
    }
    static func noService(_ name: String) -> APIError {
        APIError(404, 10090, "workers.api.error.service_not_found: there is no Worker '\(name)' on this account")
    }
    static func noVersion(_ id: String) -> APIError { APIError(404, 10071, "there is no version '\(id)'") }
    static let noSubdomain = APIError(404, 10007, "the account has no subdomain yet")
    static func noRoute(_ id: String) -> APIError { APIError(404, 10009, "there is no route '\(id)'") }
    static func noNamespace(_ id: String) -> APIError {
        APIError(404, 10013, "list keys: 'namespace not found': there is no namespace '\(id)'")
    }
    static let noKey = APIError(404, 10009, "get: 'key not found'")
    static func noSecret(_ name: String) -> APIError {
        APIError(404, 10056, "there is no secret '\(name)'")
    }
    static func noDomain(_ id: String) -> APIError { APIError(404, 100114, "there is no custom domain '\(id)'") }
    static func noDeployment(_ id: String) -> APIError { APIError(404, 10336, "there is no deployment '\(id)'") }
    static func noZone(_ id: String) -> APIError { APIError(404, 7003, "there is no zone '\(id)'") }
}
