internal import Model

/// Why a request is refused by the ingress; the connection is closed after the answer.
package struct Rejection: Error, Sendable, Equatable {
    /// The status code of the answer.
    package let status: Int
    /// One sentence for people, without anything of the request.
    package let message: String

    private init(_ status: Int, _ message: String) {
        self.status = status
        self.message = message
    }

    static let malformedLine = Rejection(400, "The request line is malformed.")
    static let malformedMethod = Rejection(400, "The method is malformed.")
    static let malformedTarget = Rejection(400, "The request target is malformed.")
    static let malformedVersion = Rejection(400, "The protocol version is malformed.")
    static let malformedField = Rejection(400, "A header field is malformed.")
    static let bareLineEnd = Rejection(400, "A line must end in CR LF, and neither may stand alone.")
    static let foldedField = Rejection(400, "A header field is folded over several lines.")
    static let spaceBeforeColon = Rejection(400, "There is a space between a field's name and its colon.")
    static let missingHost = Rejection(400, "The Host field is missing.")
    static let repeatedHost = Rejection(400, "The Host field is there more than once.")
    static let malformedHost = Rejection(400, "The host is malformed.")
    static let malformedLength = Rejection(400, "Content-Length is malformed.")
    static let repeatedLength = Rejection(400, "Content-Length is there more than once.")
    static let lengthAndCoding = Rejection(400, "Content-Length and Transfer-Encoding exclude each other.")
    static let unknownCoding = Rejection(400, "The only transfer coding understood is chunked.")
    static let codingInOldVersion = Rejection(400, "HTTP/1.0 has no Transfer-Encoding.")
    static let malformedChunk = Rejection(400, "The chunked body is malformed.")
    static let oversizedChunkExtension = Rejection(400, "The chunk extensions are too long.")
    static let headerTimeout = Rejection(408, "The request did not arrive in time.")
    static let bodyTimeout = Rejection(408, "The request's body arrives too slowly.")
    static let oversizedBody = Rejection(413, "The request's body is too large.")
    static let oversizedTarget = Rejection(414, "The URL is too long.")
    static let unknownExpectation = Rejection(417, "The only expectation understood is 100-continue.")
    static let misdirected = Rejection(421, "This connection is not for that host.")
    static let wrongScheme = Rejection(421, "This is not a server for that scheme.")
    static let oversizedHeader = Rejection(431, "The header is too large.")
    static let oversizedTrailer = Rejection(431, "The trailer is too large.")
    static let unsupportedMethod = Rejection(501, "The method is not supported.")
    static let unsupportedVersion = Rejection(505, "The versions understood are HTTP/1.1 and HTTP/1.0.")

    /// The answer.
    package var page: ErrorPage { ErrorPage(status: status, message: message, outcome: .rejected) }
}
