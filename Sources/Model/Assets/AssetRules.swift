/// Fields that answers with assets get, or lose, where a pattern takes the request. From `_headers`.
package struct HeaderRule: Sendable, Equatable, Codable {
    package struct Field: Sendable, Equatable, Codable {
        /// In lower case.
        package var name: String
        package var value: String
    }

    package var pattern: String
    package var set: [Field] = []
    /// Names in lower case.
    package var unset: [String] = []
}

/// Another address for requests that a pattern takes. From `_redirects`.
package struct RedirectRule: Sendable, Equatable, Codable {
    package var pattern: String
    package var target: String
    /// 200: the asset of that path is served in its place.
    package var status: Int
}

/// What a rules file says, and what of it says nothing.
package struct ParsedRules<Rule: Sendable>: Sendable {
    package var rules: [Rule] = []
    /// Line (from 1) and what is wrong with it.
    package var findings: [(line: Int, message: String)] = []

    /// nil if nothing is wrong.
    package var complaint: String? {
        guard !findings.isEmpty else { return nil }
        return findings.prefix(10).map { "Line \($0.line): \($0.message)" }.joined(separator: "\n")
    }
}

/// Reads `_headers` and `_redirects`. (Cloudflare, Workers, Static Assets, Headers; Redirects.)
package enum AssetRules {
    private static let lineLength = 2_000
    private static let headerRulesAtMost = 100
    private static let staticRedirectsAtMost = 2_000
    private static let dynamicRedirectsAtMost = 100
    private static let statuses: Set<Int> = [200, 301, 302, 303, 307, 308]

    // MARK: Headers

    package static func headers(_ text: String) -> ParsedRules<HeaderRule> {
        var parsed = ParsedRules<HeaderRule>()
        // Whether the rule under way takes fields: one whose pattern is wrong takes them along.
        var rule: HeaderRule?
        var isSkipping = false
        var ruleLine = 0
        func endRule(_ parsed: inout ParsedRules<HeaderRule>) {
            guard let rule else { return }
            if rule.set.isEmpty, rule.unset.isEmpty {
                parsed.findings.append((ruleLine, "there are no headers for '\(rule.pattern)'"))
            } else {
                parsed.rules.append(rule)
            }
        }
        for (number, line) in lines(of: text, &parsed.findings) {
            if line.hasPrefix("/") || line.contains("://") && !line.contains(" ") && !line.hasPrefix("!") {
                endRule(&parsed)
                rule = nil
                guard parsed.rules.count < headerRulesAtMost else {
                    parsed.findings.append((number, "more than \(headerRulesAtMost) rules"))
                    return parsed
                }
                do throws(AssetRuleError) {
                    let pattern = try Self.pattern(line)
                    _ = try AssetPattern(pattern)
                    rule = HeaderRule(pattern: pattern)
                    isSkipping = false
                } catch {
                    parsed.findings.append((number, error.description))
                    isSkipping = true
                }
                ruleLine = number
            } else if !isSkipping {
                guard rule != nil else {
                    parsed.findings.append((number, "a path has to come before headers"))
                    continue
                }
                do throws(AssetRuleError) {
                    try take(line, into: &rule!)
                } catch {
                    parsed.findings.append((number, error.description))
                }
            }
        }
        endRule(&parsed)
        return parsed
    }

    private static func take(_ line: String, into rule: inout HeaderRule) throws(AssetRuleError) {
        guard let colon = line.firstIndex(of: ":") else {
            guard line.hasPrefix("! ") else { throw AssetRuleError("expected 'name: value', or '! name'") }
            let name = line.dropFirst(2).trimmedBlanks.lowercased()
            guard isToken(name) else { throw AssetRuleError("'\(name)' is not the name of a header") }
            rule.unset.append(name)
            return
        }
        let name = line[..<colon].trimmedBlanks.lowercased()
        let value = line[line.index(after: colon)...].trimmedBlanks
        guard isToken(name) else { throw AssetRuleError("'\(name)' is not the name of a header") }
        guard !value.isEmpty else { throw AssetRuleError("the header '\(name)' has no value") }
        guard !hasControls(value) else { throw AssetRuleError("the value of '\(name)' has a control character") }
        if let index = rule.set.firstIndex(where: { $0.name == name }) {
            rule.set[index].value += ", \(value)"
        } else {
            rule.set.append(HeaderRule.Field(name: name, value: value))
        }
    }

    /// What no field's value may have. (RFC 9110, section 5.5.)
    private static func hasControls(_ value: String) -> Bool {
        value.utf8.contains { $0 < 0x20 && $0 != 9 || $0 == 0x7f }
    }

    /// (RFC 9110, section 5.6.2.)
    private static func isToken(_ name: String) -> Bool {
        !name.isEmpty
            && name.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || "!#$%&'*+-.^_`|~".utf8.contains(byte)
            }
    }

    // MARK: Redirects

    package static func redirects(
        _ text: String, htmlHandling: AssetConfiguration.HTMLHandling
    ) -> ParsedRules<RedirectRule> {
        var parsed = ParsedRules<RedirectRule>()
        var patterns: Set<String> = []
        var (staticCount, dynamicCount) = (0, 0)
        for (number, line) in lines(of: text, &parsed.findings) {
            do throws(AssetRuleError) {
                let rule = try redirect(line)
                if dynamicCount == 0, try !AssetPattern(rule.pattern).hasWildcards {
                    staticCount += 1
                    guard staticCount <= staticRedirectsAtMost else {
                        throw AssetRuleError("more than \(staticRedirectsAtMost) redirects without wildcards")
                    }
                } else {
                    dynamicCount += 1
                    guard dynamicCount <= dynamicRedirectsAtMost else {
                        parsed.findings.append((number, "more than \(dynamicRedirectsAtMost) redirects with wildcards"))
                        return parsed
                    }
                }
                try refuseCircles(rule, htmlHandling)
                guard patterns.insert(rule.pattern).inserted else {
                    throw AssetRuleError("there is a redirect from '\(rule.pattern)' already")
                }
                parsed.rules.append(rule)
            } catch {
                parsed.findings.append((number, error.description))
            }
        }
        return parsed
    }

    private static func redirect(_ line: String) throws(AssetRuleError) -> RedirectRule {
        var tokens = line.split(whereSeparator: { $0 == " " || $0 == "\t" }).map(String.init)
        // A comment behind the rule; a fragment is part of its token.
        if let comment = tokens.indices.dropFirst(2).first(where: { tokens[$0].hasPrefix("#") }) {
            tokens.removeSubrange(comment...)
        }
        guard (2...3).contains(tokens.count) else {
            throw AssetRuleError("expected 'from to', or 'from to status'")
        }
        let from = tokens[0]
        guard !from.contains("://") else { throw AssetRuleError("'\(from)': only a path can be redirected from") }
        let pattern = try pattern(from.hasPrefix("/") ? from : "/" + from)
        _ = try AssetPattern(pattern)
        let target = tokens[1]
        guard target.hasPrefix("/") || target.hasPrefix("https://") && target.utf8.count > 8 else {
            throw AssetRuleError("'\(target)' begins neither with '/' nor with 'https://'")
        }
        guard !hasControls(target) else { throw AssetRuleError("the target has a control character") }
        let text = tokens.count == 3 ? tokens[2] : "302"
        guard let status = Int(text), statuses.contains(status) else {
            throw AssetRuleError("the status is 200, 301, 302, 303, 307 or 308, not \(text)")
        }
        guard status != 200 || target.hasPrefix("/") else {
            throw AssetRuleError("with the status 200 the target must be a path")
        }
        return RedirectRule(pattern: pattern, target: target, status: status)
    }

    /// What strips `/index` and `.html` would lead back to such a rule, for ever.
    private static func refuseCircles(
        _ rule: RedirectRule, _ handling: AssetConfiguration.HTMLHandling
    ) throws(AssetRuleError) {
        guard rule.target.hasPrefix("/"), rule.target.hasSuffix("/index") || rule.target.hasSuffix("/index.html") else {
            return
        }
        let isRoot = rule.pattern.hasSuffix("/") && handling != .none
        guard rule.pattern.hasSuffix("/*") || isRoot else { return }
        throw AssetRuleError("Infinite loop detected in this rule: the target leads back to it")
    }

    // MARK: Lines

    /// Those that say something, without blanks around them, each with its number.
    private static func lines(
        of text: String, _ findings: inout [(line: Int, message: String)]
    ) -> [(number: Int, line: String)] {
        var result: [(number: Int, line: String)] = []
        let lines = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }
        for (index, line) in lines.enumerated() {
            let line = line.trimmedBlanks
            guard !line.isEmpty, !line.hasPrefix("#") else { continue }
            guard line.utf8.count <= lineLength else {
                findings.append((index + 1, "longer than \(lineLength) characters"))
                continue
            }
            result.append((index + 1, line))
        }
        return result
    }

    /// A path, or an absolute URL without a port; in the spelling that requests have.
    private static func pattern(_ text: String) throws(AssetRuleError) -> String {
        guard !text.hasPrefix("/") else { return spelled(text) }
        guard text.hasPrefix("https://") else {
            throw AssetRuleError("'\(text)' begins neither with '/' nor with 'https://'")
        }
        let rest = text.dropFirst(8)
        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        let host = rest[..<slash]
        guard !host.isEmpty else { throw AssetRuleError("'\(text)' has no host") }
        if let colon = host.lastIndex(of: ":"), host[host.index(after: colon)...].allSatisfy(\.isNumber) {
            throw AssetRuleError("'\(text)': a rule has no port")
        }
        return "https://\(host)" + spelled(slash == rest.endIndex ? "/" : String(rest[slash...]))
    }

    private static func spelled(_ path: String) -> String {
        AssetPath(Array(path.prefix { $0 != "?" && $0 != "#" }.utf8)).encoded
    }
}

extension StringProtocol {
    /// Without blanks, tabs and carriage returns around it.
    fileprivate var trimmedBlanks: String {
        func isBlank(_ character: Character) -> Bool { character.isWhitespace }
        let start = drop(while: isBlank)
        return String(start.reversed().drop(while: isBlank).reversed())
    }
}
