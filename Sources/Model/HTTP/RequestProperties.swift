/// Where this server stands, as far as its operator says so.
package struct EdgeLocation: Sendable, Equatable {
    /// The data centre's code, three letters as airports have: the end of `CF-Ray`. `--colo`.
    package var colo: String
    /// The clients' country, two letters, where it is the same for all. `--country`.
    package var country: String?

    package init(colo: String = "LOC", country: String? = nil) {
        self.colo = colo
        self.country = country
    }
}

/// What is known of a request besides its head: what `request.cf` shows. Nothing here is made up: what is not known is
/// not there.
package struct RequestProperties: Sendable, Equatable {
    package var location: EdgeLocation
    /// "HTTP/1.1".
    package var httpProtocol: String
    /// "TLSv1.3", and the cipher's name, nil if it is not known; empty for a connection in the clear.
    package var tlsVersion = ""
    package var tlsCipher: String? = ""
    /// The round trip to the client as the kernel measures it, in milliseconds.
    package var clientRoundTrip: Int?

    package init(location: EdgeLocation, httpProtocol: String) {
        self.location = location
        self.httpProtocol = httpProtocol
    }

    private static let europeanUnion: Set<String> = [
        "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT", "LU",
        "LV",
        "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
    ]

    /// The object that the worker sees, as JSON.
    /// - Parameter acceptEncoding: the field's value as the client sent it.
    package func json(acceptEncoding: String?) -> String {
        var members = [("colo", Self.quoted(location.colo)), ("httpProtocol", Self.quoted(httpProtocol))]
        if let country = location.country {
            members.append(("country", Self.quoted(country)))
            if Self.europeanUnion.contains(country) { members.append(("isEUCountry", "\"1\"")) }
        }
        members.append(("tlsVersion", Self.quoted(tlsVersion)))
        if let tlsCipher { members.append(("tlsCipher", Self.quoted(tlsCipher))) }
        if let clientRoundTrip { members.append(("clientTcpRtt", String(clientRoundTrip))) }
        if let acceptEncoding { members.append(("clientAcceptEncoding", Self.quoted(acceptEncoding))) }
        return "{" + members.map { "\"\($0)\":\($1)" }.joined(separator: ",") + "}"
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": result += "\\\(scalar)"
            case "\0"..<" ":
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
