package import Model

/// The static assets of a worker as requests meet them: in front of its code, and as a binding. No isolate is needed.
package struct WorkerAssets: Sendable {
    let site: AssetSite
    let source: any AssetSource

    package init(site: AssetSite, source: any AssetSource) {
        self.site = site
        self.source = source
    }

    /// Answers with an asset; false if the request is the Worker's.
    func take(_ exchange: any Exchange, of worker: Worker, on lane: Lane) -> Bool {
        let request = AssetSite.Request(exchange.head)
        guard let response = site.route(request) else { return false }
        AssetAnswer(response, to: exchange, of: worker, source: source, lane: lane).begin()
        return true
    }

    /// Answers with an asset, or says that there is none.
    func answer(_ exchange: any Exchange, of worker: Worker, on lane: Lane) {
        let response = site.response(to: AssetSite.Request(exchange.head))
        AssetAnswer(response, to: exchange, of: worker, source: source, lane: lane).begin()
    }
}

extension AssetSite.Request {
    init(_ head: RequestHead) {
        func text(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }
        // The URL is absolute: the parser, or the worker's fetch, has made it so.
        let url = head.bytes[head.url]
        let slash = UInt8(ascii: "/")
        var rest = url
        if let colon = url.firstIndex(of: UInt8(ascii: ":")), url[(colon + 1)...].starts(with: [slash, slash]) {
            rest = url[(colon + 3)...]
        }
        let end =
            rest.firstIndex { $0 == slash || $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "\\") } ?? rest.endIndex
        var host = rest[..<end]
        if host.last != UInt8(ascii: "]"), let colon = host.lastIndex(of: UInt8(ascii: ":")) { host = host[..<colon] }
        let target = rest[end...]
        self.init(
            method: head.methodString, host: text(host).lowercased(),
            path: AssetPath(target.first == UInt8(ascii: "?") || target.isEmpty ? [slash] + target : Array(target)),
            ifNoneMatch: head.firstValue(of: "if-none-match").map(text),
            isPrivate: head.firstValue(of: "authorization") != nil || head.firstValue(of: "range") != nil,
            isNavigation: head.firstValue(of: "sec-fetch-mode")?.elementsEqual("navigate".utf8) ?? false)
    }
}
