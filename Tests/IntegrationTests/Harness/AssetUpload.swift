import Crypto
import Foundation

/// Assets as clients deploy them: a session, uploads, and a Worker or none.
struct AssetUpload {
    let platform: Platform
    var account = "{A}"
    var token: String?

    static func hash(_ bytes: [UInt8]) -> String {
        SHA256.hash(data: bytes).prefix(16).map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
    }

    /// - Returns: what the platform says: a token, and what it wants to have.
    func session(_ files: [String: String], for name: String) throws -> Platform.Envelope {
        let entries = files.map { path, text in
            "\"\(path)\":{\"hash\":\"\(Self.hash(Array(text.utf8)))\",\"size\":\(text.utf8.count)}"
        }
        return try platform.call(
            "POST", "/accounts/\(account)/workers/scripts/\(name)/assets-upload-session", token: token,
            json: "{\"manifest\":{\(entries.joined(separator: ","))}}")
    }

    /// Sends contents under their hashes. `type` as wrangler has it; without one as the SDK does.
    func send(_ texts: [String], jwt: String, type: String? = nil) throws -> Platform.Envelope {
        var form = Form()
        for text in texts {
            let hash = Self.hash(Array(text.utf8))
            form.add(hash, Data(text.utf8).base64EncodedString(), filename: type == nil ? nil : hash, type: type)
        }
        return try send(form, jwt: jwt)
    }

    func send(_ form: Form, jwt: String, query: String = "?base64=true") throws -> Platform.Envelope {
        try platform.call(
            "POST", "/accounts/\(account)/workers/assets/upload\(query)", token: jwt, fields: [form.contentType],
            body: form.bytes)
    }

    /// All of it, up to the token that can be deployed.
    func upload(_ files: [String: String], for name: String) throws -> String {
        let session = try session(files, for: name)
        guard let jwt = session.result["jwt"].string, case .array(let buckets) = session.result["buckets"] else {
            throw Failure("no session: \(session.summary)")
        }
        guard !buckets.isEmpty else { return jwt }
        let sent = try send(Array(Set(files.values)), jwt: jwt)
        guard let completion = sent.result["jwt"].string else { throw Failure("not complete: \(sent.summary)") }
        return completion
    }

    /// A Worker with assets, or assets alone if there is no code; under the account's subdomain.
    @discardableResult
    func deploy(
        _ files: [String: String], config: String = "{}", code: String? = nil, metadata: String = "", as name: String
    ) throws -> Platform.Envelope {
        let jwt = try upload(files, for: name)
        return try put(
            "\"assets\":{\"jwt\":\"\(jwt)\",\"config\":\(config)}" + metadata, code: code, as: name)
    }

    /// - Parameter metadata: members of it, besides the main module.
    @discardableResult
    func put(_ metadata: String, code: String? = nil, as name: String) throws -> Platform.Envelope {
        var form = Form()
        let main = code == nil ? "" : #""main_module":"index.js","#
        form.add("metadata", "{\(main)\(metadata)}", type: "application/json")
        if let code { form.add("index.js", code, filename: "index.js", type: "application/javascript+module") }
        let envelope = try platform.call(
            "PUT", "/accounts/\(account)/workers/scripts/\(name)", token: token, fields: [form.contentType],
            body: form.bytes)
        if envelope.status == 200 {
            try platform.done(
                "POST", "/accounts/\(account)/workers/scripts/\(name)/subdomain", json: #"{"enabled":true}"#,
                token: token)
        }
        return envelope
    }
}
