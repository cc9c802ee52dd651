internal import Model

/// How long a response may be kept (RFC 9111, as a shared cache sees it), and what of it.
struct Freshness: Equatable {
    /// How old the response was when it came here (its `Age`), in seconds.
    let age: Double
    /// How much longer it is fresh, in seconds.
    let lifetime: Double
    /// Whether `Cache-Control: private="set-cookie"` leaves the cookies out.
    let dropsCookies: Bool

    /// Seconds for responses that say nothing, by status: those of Cloudflare's caches. Others are not kept.
    private static let defaults: [Int: Double] = [
        200: 7_200, 301: 7_200, 302: 1_200, 303: 1_200, 404: 180, 410: 180, 403: 60,
    ]
    /// RFC 9111, section 1.2.2: what more seconds count as.
    private static let longest = UInt64(1) << 31

    /// Nil if the response may not be kept.
    init?(status: Int, fields: [CacheRequest.Field], now: Double) {
        let directives = Self.directives(fields.filter { $0.name == "cache-control" }.map(\.value))
        func seconds(_ name: String) -> Double? {
            directives.first { $0.name == name }.map { Self.seconds($0.argument) }
        }
        for directive in directives where ["no-store", "no-cache", "private"].contains(directive.name) {
            if directive.argument.isEmpty { return nil }
        }
        dropsCookies = directives.contains { directive in
            directive.name == "private"
                && directive.argument.split(separator: ",").contains { $0.trimmed.lowercased() == "set-cookie" }
        }
        if !dropsCookies, fields.contains(where: { $0.name == "set-cookie" }) { return nil }
        age = fields.first { $0.name == "age" }.map { Self.seconds($0.value) } ?? 0
        if let explicit = seconds("s-maxage") ?? seconds("max-age") {
            lifetime = explicit - age
        } else if let expires = fields.first(where: { $0.name == "expires" }) {
            lifetime = (HTTPDate.seconds(expires.value) ?? 0) - now
        } else if let usual = Self.defaults[status] {
            lifetime = usual
        } else {
            return nil
        }
        guard lifetime > 0 else { return nil }
    }

    /// Zero for what is no number: such a response is not fresh.
    private static func seconds(_ text: String) -> Double {
        guard !text.isEmpty, text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else {
            return 0
        }
        return Double(min(UInt64(text) ?? longest, longest))
    }

    /// Names in lower case, with their arguments; "" for none.
    private static func directives(_ values: [String]) -> [(name: String, argument: String)] {
        values.flatMap(split).map { part in
            let pieces = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let argument = pieces.count > 1 ? pieces[1].trimmed : ""
            let isQuoted = argument.count >= 2 && argument.hasPrefix("\"") && argument.hasSuffix("\"")
            return (pieces[0].trimmed.lowercased(), isQuoted ? String(argument.dropFirst().dropLast()) : argument)
        }
    }

    /// At commas that are not in quotes.
    private static func split(_ value: String) -> [Substring] {
        var isQuoted = false
        return value.split { character in
            if character == "\"" { isQuoted.toggle() }
            return character == "," && !isQuoted
        }
    }
}

extension StringProtocol {
    /// Without blanks around it.
    var trimmed: String {
        let isBlank = { (character: Character) in character == " " || character == "\t" }
        return String(drop(while: isBlank).reversed().drop(while: isBlank).reversed())
    }
}
