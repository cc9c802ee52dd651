internal import Model

/// The head of a subrequest: the worker's fields, and those by which the platform marks its requests.
enum SubrequestHead {
    /// What a worker may not say in its own name: how the request came here.
    private static let marks: Set<String> = ["cdn-loop", "cf-ew-via", "cf-worker"]

    /// - Parameters:
    ///   - fields: "name: value\r\n" for each, names in lower case, values in UTF-8.
    ///   - incoming: the request that the worker answers; nil for what goes to no origin, and is not marked.
    ///   - isToService: it stays in this process, and gets no marks but the one by which loops are found.
    static func make(
        method: String, url: String, fields: UnsafeRawBufferPointer, incoming: RequestHead?, isToService: Bool = false
    ) -> RequestHead {
        var head = RequestHead(reservingBytes: url.utf8.count + fields.count + 160, fields: 16)
        head.append(method.utf8)
        head.append(url.utf8)
        var choosesCoding = false
        forEachField(in: fields) { name, value in
            let isOurs = (8...9).contains(name.count) && marks.contains(String(decoding: name, as: UTF8.self))
            guard !isOurs || incoming == nil else { return }
            if name.count == 15, name.elementsEqual("accept-encoding".utf8) { choosesCoding = true }
            head.append(name)
            head.append(value)
        }
        guard let incoming else { return head }
        append("cf-ew-via", String(LoopGuard.hops(of: incoming) + 1), to: &head)
        if isToService { return head }
        if !choosesCoding { append("accept-encoding", "br, gzip", to: &head) }
        append("cf-worker", host(of: incoming), to: &head)
        append("cdn-loop", LoopGuard.mark(behind: incoming), to: &head)
        return head
    }

    private static func append(_ name: String, _ value: String, to head: inout RequestHead) {
        head.append(name.utf8)
        head.append(value.utf8)
    }

    static func forEachField(
        in fields: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) -> Void
    ) {
        var start = 0
        while let end = fields[start...].firstIndex(of: 13) {
            let line = UnsafeRawBufferPointer(rebasing: fields[start..<end])
            start = min(end + 2, fields.count)
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { continue }
            let value = line[(colon + 1)...]
            body(UnsafeRawBufferPointer(rebasing: line[..<colon]), UnsafeRawBufferPointer(rebasing: value.dropFirst()))
        }
    }

    /// The host of an absolute URL.
    static func host(of head: RequestHead) -> String { host(ofURL: head.urlString) }

    static func host(ofURL url: String) -> String {
        let parts = url.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3 else { return "" }
        let authority = parts[2].prefix { $0 != "/" && $0 != "?" }
        if authority.hasPrefix("[") { return String(authority.prefix { $0 != "]" }) + "]" }
        return String(authority.prefix { $0 != ":" })
    }
}

/// Requests that workers send to each other in a circle: each knows how many workers it has passed, by the field
/// `CF-EW-Via` and by that of all delivery networks, `CDN-Loop` (RFC 8586).
enum LoopGuard {
    /// A request that has passed so many workers does not get to another.
    static let limit = 16
    /// Our name among networks.
    private static let network = "martlet"

    /// How many workers the request has passed.
    static func hops(of head: RequestHead) -> Int {
        var hops = 0
        forEachMark(of: head) { isVia, value in
            let text = String(decoding: value, as: UTF8.self)
            if isVia {
                hops = max(hops, Int(text.filter { $0 != " " }) ?? 0)
            } else {
                for member in members(of: text) where name(of: member) == network {
                    hops = max(hops, loops(of: member))
                }
            }
        }
        return min(max(0, hops), limit)
    }

    /// `CDN-Loop` of a request that comes of another, one step on.
    static func mark(behind head: RequestHead) -> String {
        (otherNetworks(of: head) + ["\(network); loops=\(hops(of: head) + 1)"]).joined(separator: ", ")
    }

    /// The members of `CDN-Loop` that are not ours.
    private static func otherNetworks(of head: RequestHead) -> [String] {
        var others: [String] = []
        forEachMark(of: head) { isVia, value in
            guard !isVia else { return }
            others += members(of: String(decoding: value, as: UTF8.self)).filter { name(of: $0) != network }
        }
        return others
    }

    private static func members(of list: String) -> [String] {
        list.split(separator: ",").map { $0.trimmed }.filter { !$0.isEmpty }
    }

    private static func name(of member: String) -> String {
        member.prefix { $0 != ";" }.trimmed.lowercased()
    }

    private static func loops(of member: String) -> Int {
        for parameter in member.split(separator: ";").dropFirst() {
            let pair = parameter.split(separator: "=", maxSplits: 1)
            if pair.count == 2, pair[0].trimmed == "loops" { return Int(pair[1].trimmed) ?? 1 }
        }
        return 1
    }

    /// Asked of every request, so names are compared only if their length fits.
    private static func forEachMark(of head: RequestHead, _ body: (_ isVia: Bool, ArraySlice<UInt8>) -> Void) {
        head.ends.withUnsafeBufferPointer { ends in
            var index = 2
            while index + 1 < ends.count {
                let start = Int(ends[index - 1])
                let end = Int(ends[index])
                if end - start == 8 || end - start == 9 {
                    let name = head.bytes[start..<end]
                    let isVia = name.elementsEqual("cf-ew-via".utf8)
                    if isVia || name.elementsEqual("cdn-loop".utf8) {
                        body(isVia, head.bytes[end..<Int(ends[index + 1])])
                    }
                }
                index += 2
            }
        }
    }
}

extension Substring {
    fileprivate var trimmed: String {
        var rest = drop { $0 == " " || $0 == "\t" }
        while rest.last == " " || rest.last == "\t" { rest.removeLast() }
        return String(rest)
    }
}
