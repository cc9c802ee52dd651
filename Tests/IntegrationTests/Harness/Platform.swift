/// `martlet serve --data` with its first account, and a client of its control API.
final class Platform {
    let folder: ScratchFolder
    private(set) var martlet: Martlet
    let account: String
    let token: String
    /// Its locations, which run as long as it does: arrays, unlike classes, end with their last use, and what is only
    /// asked by its port would be gone.
    var locations: [EdgeNode] = []
    private let flags: [String]

    /// - Parameter wrapper: makes of the scratch folder what runs Martlet.
    init(_ flags: [String] = [], under wrapper: (ScratchFolder) -> [String] = { _ in [] }) throws {
        folder = try ScratchFolder()
        self.flags = flags
        martlet = try Martlet(Self.arguments(folder, flags), under: wrapper(folder))
        account = try martlet.takeLine(after: "Account")
        token = try martlet.takeLine(after: "Token")
        try takeAddresses()
    }

    /// That of Workers, over TLS too if the flags say so, and that of the control API.
    private func takeAddresses() throws {
        for _ in 0..<(flags.contains("--tls-port") ? 3 : 2) { try martlet.takeAddress() }
    }

    static func arguments(_ folder: ScratchFolder, _ flags: [String]) -> [String] {
        ["serve", "--data", "\(folder.path)/data", "--port", "0", "--admin-port", "0"] + flags
    }

    /// Ends the process by SIGKILL and starts it again on the same data.
    func killAndStart() throws {
        try martlet.kill9()
        try start()
    }

    /// Starts it on the same data, after it was ended.
    func start() throws {
        martlet = try Martlet(Self.arguments(folder, flags))
        try takeAddresses()
    }

    // MARK: The control API

    /// What the API answered.
    struct Envelope {
        let answer: Answer
        let json: JSON

        var status: Int { answer.status }
        var result: JSON { json["result"] }
        /// Of the first error.
        var code: Int? { if case .array(let errors) = json["errors"] { errors.first?["code"].int } else { nil } }
        var message: String {
            if case .array(let errors) = json["errors"] { errors.first?["message"].string ?? "" } else { "" }
        }
        var summary: String { "\(status) \(json)" }
    }

    /// One call. `{A}` in the path is the account.
    func raw(
        _ method: String, _ path: String, token: String? = nil, fields: [(String, String)] = [], body: [UInt8]? = nil
    ) throws -> Answer {
        let client = try Client(port: martlet.ports.last!)
        let token = token ?? self.token
        let authorization = token.isEmpty ? [] : [("Authorization", "Bearer \(token)")]
        try client.send(
            method, "/client/v4" + path.replacing("{A}", with: account), fields: authorization + fields, body: body)
        return try client.answer(by: .patient)
    }

    @discardableResult
    func call(
        _ method: String, _ path: String, token: String? = nil, fields: [(String, String)] = [], body: [UInt8]? = nil
    ) throws -> Envelope {
        let answer = try raw(method, path, token: token, fields: fields, body: body)
        return Envelope(answer: answer, json: try answer.json())
    }

    @discardableResult
    func call(
        _ method: String, _ path: String, token: String? = nil, json: String,
        fields: [(String, String)] = [("Content-Type", "application/json")]
    ) throws -> Envelope {
        try call(method, path, token: token, fields: fields, body: Array(json.utf8))
    }

    /// One that has to succeed.
    @discardableResult
    func done(_ method: String, _ path: String, json: String? = nil, token: String? = nil) throws -> JSON {
        let envelope = try call(method, path, token: token, body: json.map { Array($0.utf8) })
        guard envelope.status == 200, envelope.json["success"] == .bool(true) else {
            throw Failure("\(method) \(path): \(envelope.summary)")
        }
        return envelope.result
    }

    // MARK: Workers

    static func answering(_ text: String) -> String {
        "export default { fetch(request, env) { return new Response(`\(text)`); } };\n"
    }

    @discardableResult
    func upload(
        _ code: String, as name: String, metadata: String = "", method: String = "PUT", path: String = "",
        account: String = "{A}", token: String? = nil
    ) throws -> Envelope {
        var form = Form()
        form.add("metadata", #"{"main_module":"index.js"\#(metadata)}"#, type: "application/json")
        form.add("index.js", code, filename: "index.js", type: "application/javascript+module")
        return try call(
            method, "/accounts/\(account)/workers/scripts/\(name)\(path)", token: token, fields: [form.contentType],
            body: form.bytes)
    }

    /// Uploads and puts the Worker under the account's subdomain.
    func deploy(_ code: String, as name: String, metadata: String = "", account: String = "{A}") throws {
        let envelope = try upload(code, as: name, metadata: metadata, account: account)
        guard envelope.status == 200 else { throw Failure("upload of \(name): \(envelope.summary)") }
        try done("POST", "/accounts/\(account)/workers/scripts/\(name)/subdomain", json: #"{"enabled":true}"#)
    }

    /// Puts an account, or one of its Workers, in a cordon (nil: where they begin).
    func setCordon(_ cordon: String?, of script: String? = nil) throws {
        let path = script.map { "/accounts/{A}/workers/scripts/\($0)/cordon" } ?? "/accounts/{A}/cordon"
        try done("PUT", path, json: #"{"cordon":\#(cordon.map { "\"\($0)\"" } ?? "null")}"#)
    }

    /// What the Worker answers under the account's subdomain. A host may have to be started for it.
    func get(_ name: String, _ path: String = "/", fields: [(String, String)] = []) throws -> Answer {
        try martlet.get(path, host: "\(name).main.localhost", fields: fields, by: .patient)
    }
}

/// A body of type multipart/form-data.
struct Form {
    static let boundary = "----form-boundary"
    private var parts: [UInt8] = []

    mutating func add(_ name: String, _ body: String, filename: String? = nil, type: String? = nil) {
        add(name, Array(body.utf8), filename: filename, type: type)
    }

    mutating func add(_ name: String, _ body: [UInt8], filename: String? = nil, type: String? = nil) {
        var head = "--\(Self.boundary)\r\nContent-Disposition: form-data; name=\"\(name)\""
        if let filename { head += "; filename=\"\(filename)\"" }
        if let type { head += "\r\nContent-Type: \(type)" }
        parts += Array("\(head)\r\n\r\n".utf8) + body + [13, 10]
    }

    var bytes: [UInt8] { parts + Array("--\(Self.boundary)--\r\n".utf8) }
    var contentType: (String, String) { ("Content-Type", "multipart/form-data; boundary=\(Self.boundary)") }
}
