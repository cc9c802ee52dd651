package import Model

/// An answer that Martlet gives in a worker's stead: small, with the error number that users of Workers know, as HTML
/// or JSON. Nothing of the request is in it.
package struct ErrorPage: Sendable, Equatable {
    /// The status code.
    package var status: Int
    /// The number Workers gives the error, such as 1101.
    package var number: Int?
    /// One sentence for people. Plain text: it is escaped where needed.
    package var message: String
    /// What `Martlet-Outcome` says.
    package var outcome: Outcome
    /// Seconds after which the client may try again.
    package var retryAfter: Int?

    package init(status: Int, number: Int? = nil, message: String, outcome: Outcome, retryAfter: Int? = nil) {
        self.status = status
        self.number = number
        self.message = message
        self.outcome = outcome
        self.retryAfter = retryAfter
    }

    /// The page for a request that ended that way.
    package init(_ outcome: Outcome) {
        switch outcome {
        case .exception:
            self.init(status: 500, number: 1101, message: "The Worker threw an exception.", outcome: outcome)
        case .hang:
            self.init(status: 500, number: 1101, message: "The Worker would never have answered.", outcome: outcome)
        case .exceededCpu:
            self.init(status: 503, number: 1102, message: "The Worker exceeded its CPU limit.", outcome: outcome)
        case .exceededWallTime:
            self.init(status: 503, message: "The Worker exceeded its time limit.", outcome: outcome)
        case .exceededMemory:
            self.init(status: 503, number: 1102, message: "The Worker exceeded its memory limit.", outcome: outcome)
        case .scriptNotFound:
            self.init(status: 404, message: "There is no Worker here.", outcome: outcome)
        case .loadShed:
            self.init(status: 503, message: "There is no room for the request.", outcome: outcome, retryAfter: 1)
        case .laneLost:
            self.init(status: 503, message: "The request was lost with its lane.", outcome: outcome, retryAfter: 1)
        case .rejected:
            self.init(status: 400, message: "The request is malformed.", outcome: outcome)
        case .loopDetected:
            self.init(
                status: 508, number: 1019, message: "Workers are calling each other in a circle.", outcome: outcome)
        case .originFailed:
            self.init(status: 502, message: "The server behind this site did not answer.", outcome: outcome)
        case .ok, .canceled, .internalError:
            self.init(status: 500, message: "Something went wrong in the server.", outcome: outcome)
        }
    }

    /// A burst of requests went over the rate allowed.
    package static let rateLimited = ErrorPage(
        status: 429, number: 1015, message: "Too many requests.", outcome: .loadShed, retryAfter: 10)
    /// The day's requests are used up.
    package static let dailyLimit = ErrorPage(
        status: 429, number: 1027, message: "The Worker has used up its requests for today.", outcome: .loadShed)

    /// The heading: status, its phrase, and Workers' number.
    package var title: String { "\(status) \(StatusPhrase.string(for: status))" }

    /// The header lines of the page, each with its end.
    package func fields(asJSON: Bool) -> String {
        let type = asJSON ? "application/json" : "text/html; charset=utf-8"
        let retry = retryAfter.map { "retry-after: \($0)\r\n" } ?? ""
        return "content-type: \(type)\r\ncache-control: no-store\r\n\(retry)"
    }

    /// The page itself.
    package func body(asJSON: Bool) -> String { asJSON ? json : html }

    private var json: String {
        let code = number.map { "\"code\":\($0)," } ?? ""
        return "{\"error\":{\"status\":\(status),\(code)\"message\":\"\(Self.escapedForJSON(message))\"}}\n"
    }

    private var html: String {
        let numbered = number.map { "Error \($0): " } ?? ""
        let heading = Self.escapedForHTML(title)
        return """
            <!DOCTYPE html>
            <html lang="en"><head><meta charset="utf-8"><title>\(heading)</title></head>
            <body><h1>\(heading)</h1><p>\(numbered)\(Self.escapedForHTML(message))</p></body></html>

            """
    }

    private static func escapedForHTML(_ text: String) -> String {
        text.reduce(into: "") { result, character in
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            default: result.append(character)
            }
        }
    }

    private static func escapedForJSON(_ text: String) -> String {
        text.unicodeScalars.reduce(into: "") { result, scalar in
            switch scalar {
            case "\"", "\\":
                result.unicodeScalars.append("\\")
                result.unicodeScalars.append(scalar)
            case "\0"..<" ":
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
    }
}
