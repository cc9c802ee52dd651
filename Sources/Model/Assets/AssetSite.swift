/// An asset set as it answers requests: rules read, patterns ready. A value that lanes share.
package struct AssetSite: Sendable {
    /// What the rules need to know of a request.
    package struct Request: Sendable {
        package var method: String
        /// Without port, in lower case.
        package var host: String
        package var path: AssetPath
        package var ifNoneMatch: String?
        /// The client sent `Authorization` or `Range`: what it gets is not for caches.
        package var isPrivate: Bool
        /// A browser that goes to a page.
        package var isNavigation: Bool

        package init(
            method: String, host: String, path: AssetPath, ifNoneMatch: String? = nil, isPrivate: Bool = false,
            isNavigation: Bool = false
        ) {
            self.method = method
            self.host = host
            self.path = path
            self.ifNoneMatch = ifNoneMatch
            self.isPrivate = isPrivate
            self.isNavigation = isNavigation
        }
    }

    /// An answer but for the bytes of its body.
    package struct Response: Sendable, Equatable {
        package var status: Int
        /// Names in lower case.
        package var fields: [(name: String, value: String)]
        /// Whose bytes are the body.
        package var file: AssetFile?

        package static func == (left: Response, right: Response) -> Bool {
            left.status == right.status && left.file == right.file
                && left.fields.elementsEqual(right.fields) { $0 == $1 }
        }

        package subscript(name: String) -> String? { fields.first { $0.name == name }?.value }

        fileprivate mutating func set(_ name: String, _ value: String) {
            unset(name)
            fields.append((name, value))
        }

        fileprivate mutating func unset(_ name: String) { fields.removeAll { $0.name == name } }
    }

    package let set: AssetSet
    /// Whether there is a Worker besides.
    package let hasWorker: Bool
    private let headers: [(pattern: AssetPattern, rule: HeaderRule)]
    /// Without wildcards, by path.
    private let staticRedirects: [String: RedirectRule]
    private let redirects: [(pattern: AssetPattern, rule: RedirectRule)]

    package init(_ set: AssetSet, hasWorker: Bool) {
        self.set = set
        self.hasWorker = hasWorker
        // Rules whose patterns cannot be read were refused.
        headers = set.configuration.headers.compactMap { rule in
            (try? AssetPattern(rule.pattern)).map { ($0, rule) }
        }
        var fixed: [String: RedirectRule] = [:]
        var patterns: [(pattern: AssetPattern, rule: RedirectRule)] = []
        for rule in set.configuration.redirects {
            guard let pattern = try? AssetPattern(rule.pattern) else { continue }
            if patterns.isEmpty, !pattern.hasWildcards {
                fixed[rule.pattern] = rule
            } else {
                patterns.append((pattern, rule))
            }
        }
        staticRedirects = fixed
        redirects = patterns
    }

    /// For browsers, which ask again each time and are told that nothing has changed.
    private static let cacheControl = "public, max-age=0, must-revalidate"

    // MARK: Assets or Worker

    /// The answer with an asset; nil if the request is the Worker's.
    package func route(_ request: Request) -> Response? {
        guard hasWorker else { return response(to: request) }
        switch set.configuration.workerFirst {
        case .always: return nil
        case .never: break
        case .patterns(let patterns):
            let path = request.path.encoded
            guard path.utf8.count <= AssetPattern.longestPath else { return nil }
            if patterns.contains(where: { $0.hasPrefix("!") && AssetPattern.glob($0.dropFirst(), takes: path) }) {
                return response(to: request)
            }
            if patterns.contains(where: { !$0.hasPrefix("!") && AssetPattern.glob($0[...], takes: path) }) {
                return nil
            }
        }
        let handlesMissing = set.configuration.prefersNavigation && request.isNavigation
        return answer(request, notFound: handlesMissing ? set.configuration.notFoundHandling : .none)
    }

    /// The answer with an asset, be it that there is none.
    package func response(to request: Request) -> Response {
        answer(request, notFound: set.configuration.notFoundHandling)
            ?? finished(Response(status: 404, fields: [], file: nil), request)
    }

    /// nil if there is nothing to answer with.
    private func answer(_ request: Request, notFound: AssetConfiguration.NotFoundHandling) -> Response? {
        var path = request.path
        var isProxied = false
        if let rule = redirect(request) {
            guard rule.status == 200 else {
                let fields = [(name: "location", value: location(rule.target, request))]
                return finished(Response(status: rule.status, fields: fields, file: nil), request)
            }
            path = AssetPath(Array(rule.target.prefix { $0 != "#" }.utf8))
            isProxied = true
        }
        let meaning = set.meaning(of: path.decoded, notFound: notFound)
        if meaning == .nothing {
            return isProxied ? finished(Response(status: 404, fields: [], file: nil), request) : nil
        }
        guard request.method == "GET" || request.method == "HEAD" else {
            return finished(Response(status: 405, fields: [("allow", "GET, HEAD")], file: nil), request)
        }
        switch meaning {
        case .redirect(let target): return moved(to: AssetPath.encode(target), request)
        case .file(let file):
            let canonical = AssetPath.encode(path.decoded)
            if canonical != path.encoded { return moved(to: canonical, request) }
            return asset(file, 200, request)
        case .notFound(let file): return asset(file, 404, request)
        case .nothing: return nil
        }
    }

    private func asset(_ file: AssetFile, _ status: Int, _ request: Request) -> Response {
        let tag = "\"\(file.hash)\""
        var response = Response(status: status, fields: [("etag", tag)], file: file)
        if let type = file.contentType { response.set("content-type", type) }
        if !request.isPrivate { response.set("cache-control", Self.cacheControl) }
        if let given = request.ifNoneMatch, Self.matches(given, tag) {
            response.status = 304
            response.file = nil
        }
        return finished(response, request)
    }

    /// (RFC 9110, section 13.1.2.)
    private static func matches(_ field: String, _ tag: String) -> Bool {
        field.split(separator: ",").contains { entry in
            let entry = entry.drop { $0 == " " || $0 == "\t" }
            let bare = (entry.hasPrefix("W/") ? entry.dropFirst(2) : entry).prefix { $0 != " " && $0 != "\t" }
            return bare == tag || bare == "*"
        }
    }

    private func moved(to path: String, _ request: Request) -> Response {
        let fields = [(name: "location", value: path + request.path.query)]
        return finished(Response(status: 307, fields: fields, file: nil), request)
    }

    // MARK: Rules

    private func redirect(_ request: Request) -> RedirectRule? {
        if let rule = staticRedirects[request.path.encoded] { return rule }
        for (pattern, rule) in redirects {
            guard let values = pattern.match(host: request.host, path: request.path.encoded) else { continue }
            var filled = rule
            filled.target = AssetPattern.fill(rule.target, with: values)
            if filled.target.hasPrefix("/") { filled.target = AssetPath.collapsed(filled.target) }
            return filled
        }
        return nil
    }

    /// The target, with the request's query if it has none of its own.
    private func location(_ target: String, _ request: Request) -> String {
        let hash = target.firstIndex(of: "#") ?? target.endIndex
        let address = target[..<hash]
        let query = address.contains("?") ? "" : request.path.query
        return "\(address)\(query)\(target[hash...])"
    }

    /// With what `_headers` says for the request: fields of several rules add up, and replace ours.
    private func finished(_ response: Response, _ request: Request) -> Response {
        guard !headers.isEmpty else { return response }
        var response = response
        var own: Set<String> = []
        for (pattern, rule) in headers {
            guard let values = pattern.match(host: request.host, path: request.path.encoded) else { continue }
            for name in rule.unset { response.unset(name) }
            for field in rule.set {
                let value = AssetPattern.fill(field.value, with: values)
                if own.insert(field.name).inserted || response[field.name] == nil {
                    response.set(field.name, value)
                } else {
                    response.set(field.name, "\(response[field.name] ?? ""), \(value)")
                }
            }
        }
        return response
    }
}
