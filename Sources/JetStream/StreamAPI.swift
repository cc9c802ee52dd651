internal import Feed
internal import Foundation
internal import Model

/// JetStream's own interface: requests with bodies in JSON.
struct StreamAPI {
    let link: NATSLink
    /// Of the server that is asked, behind the one that is connected; nil for that itself.
    let domain: String?

    private static let seconds = 5.0

    init(_ link: NATSLink, domain: String? = nil) {
        self.link = link
        self.domain = domain
    }

    /// What others ask it by.
    static func prefix(ofDomain domain: String?) -> String { domain.map { "$JS.\($0).API" } ?? "$JS.API" }

    /// Nil if there is no such thing.
    @discardableResult
    private func ask(_ name: String, _ body: JSONValue? = nil) throws(FeedError) -> JSONValue? {
        let reply = try link.request(
            "\(Self.prefix(ofDomain: domain)).\(name)", Array((body?.text ?? "").utf8), within: Self.seconds,
            of: "JetStream")
        guard let answer = try? JSONDecoder().decode(JSONValue.self, from: Data(reply)) else {
            throw FeedError(.malformed, "JetStream answers with what is no JSON")
        }
        guard let error = answer["error"] else { return answer }
        if error["code"]?.int == 404 { return nil }
        throw FeedError(.failed, "JetStream: \(error["description"]?.string ?? name)")
    }

    /// Of the server that is connected; nil if it has none.
    func ownDomain() throws(FeedError) -> String? { try ask("INFO")?["domain"]?.string }

    func exists(_ stream: String) throws(FeedError) -> Bool { try ask("STREAM.INFO.\(stream)") != nil }

    /// The names of streams that have subjects like that.
    func names(under subjects: String) throws(FeedError) -> [String] {
        try ask("STREAM.NAMES", ["subject": .string(subjects)])?["streams"]?.strings ?? []
    }

    /// - Parameters:
    ///   - filter: of the subjects.
    /// - Returns: those that have messages.
    func subjects(of stream: String, under filter: String) throws(FeedError) -> Set<String> {
        var found: Set<String> = []
        while true {
            let answer = try ask(
                "STREAM.INFO.\(stream)",
                ["subjects_filter": .string(filter), "offset": .number(Double(found.count))])
            let page = answer?["state"]?["subjects"]?.object ?? [:]
            found.formUnion(page.keys)
            if page.isEmpty || found.count >= answer?["total"]?.int ?? 0 { return found }
        }
    }

    /// The last message under a subject; nil if there is none.
    func last(_ subject: String, of stream: String) throws(FeedError) -> [UInt8]? {
        let answer = try ask("STREAM.MSG.GET.\(stream)", ["last_by_subj": .string(subject)])
        return answer?["message"]?["data"]?.string.flatMap { Data(base64Encoded: $0) }.map { Array($0) }
    }

    /// A stream that keeps the latest message of each subject.
    func create(_ stream: String, subjects: String) throws(FeedError) {
        try ask(
            "STREAM.CREATE.\(stream)",
            Self.configuration(stream, ["subjects": .array([.string(subjects)]), "max_msgs_per_subject": 1]))
    }

    /// A copy of a stream of the same name in another domain.
    func createMirror(of stream: String, in domain: String) throws(FeedError) {
        let external: JSONValue = ["api": .string(Self.prefix(ofDomain: domain)), "deliver": ""]
        try ask(
            "STREAM.CREATE.\(stream)",
            Self.configuration(
                stream, ["mirror": ["name": .string(stream), "external": external], "max_msgs_per_subject": 1]))
    }

    private static func configuration(_ stream: String, _ more: [String: JSONValue]) -> JSONValue {
        let own: [String: JSONValue] = [
            "name": .string(stream), "retention": "limits", "storage": "file", "discard": "old", "num_replicas": 1,
        ]
        return .object(own.merging(more) { $1 })
    }

    func purge(_ stream: String) throws(FeedError) { try ask("STREAM.PURGE.\(stream)") }

    /// Removes the last message under a subject. It alone: a purge of some subjects has consumers of all skip what they
    /// were not given yet (nats-server 2.9).
    func removeLast(_ subject: String, of stream: String) throws(FeedError) {
        let last = try ask("STREAM.MSG.GET.\(stream)", ["last_by_subj": .string(subject)])
        guard let sequence = last?["message"]?["seq"] else { return }
        try ask("STREAM.MSG.DELETE.\(stream)", ["seq": sequence, "no_erase": true])
    }

    func delete(_ stream: String) throws(FeedError) { try ask("STREAM.DELETE.\(stream)") }
}
