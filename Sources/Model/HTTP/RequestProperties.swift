/// Where this server stands, as far as its operator says so.
package struct EdgeLocation: Sendable, Equatable, Codable {
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
package struct RequestProperties: Sendable, Equatable, Codable {
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
        var members = [("colo", JSONValue.quoted(location.colo)), ("httpProtocol", JSONValue.quoted(httpProtocol))]
        if let country = location.country {
            members.append(("country", JSONValue.quoted(country)))
            if Self.europeanUnion.contains(country) { members.append(("isEUCountry", "\"1\"")) }
        }
        members.append(("tlsVersion", JSONValue.quoted(tlsVersion)))
        if let tlsCipher { members.append(("tlsCipher", JSONValue.quoted(tlsCipher))) }
        if let clientRoundTrip { members.append(("clientTcpRtt", String(clientRoundTrip))) }
        if let acceptEncoding { members.append(("clientAcceptEncoding", JSONValue.quoted(acceptEncoding))) }
        return "{" + members.map { "\"\($0)\":\($1)" }.joined(separator: ",") + "}"
    }
}
