internal import AsyncHTTPClient
internal import Foundation
package import Model
internal import NIOCore
internal import NIOHTTP1

/// Calls a platform's control API. Every call waits for its answer; never on an event loop.
package final class PlatformClient {
    package struct Body {
        let bytes: [UInt8]
        let type: String

        package static func json(_ value: JSONValue) -> Body {
            Body(bytes: Array(value.text.utf8), type: "application/json")
        }
        package static func raw(_ bytes: [UInt8]) -> Body { Body(bytes: bytes, type: "application/octet-stream") }

        /// A form of files, each with its name and type, behind its metadata.
        package static func form(metadata: JSONValue?, files: [(name: String, type: String, bytes: [UInt8])]) -> Body {
            let boundary = "martlet-\(Identifier.hex())"
            var bytes: [UInt8] = []
            func add(_ name: String, _ filename: String?, _ type: String, _ content: [UInt8]) {
                let name = name.replacing("\"", with: "%22")
                let file = filename.map { "; filename=\"\($0.replacing("\"", with: "%22"))\"" } ?? ""
                bytes += Array("--\(boundary)\r\nContent-Disposition: form-data; name=\"\(name)\"\(file)\r\n".utf8)
                bytes += Array("Content-Type: \(type)\r\n\r\n".utf8) + content + [13, 10]
            }
            if let metadata { add("metadata", nil, "application/json", Array(metadata.text.utf8)) }
            for file in files { add(file.name, file.name, file.type, file.bytes) }
            bytes += Array("--\(boundary)--\r\n".utf8)
            return Body(bytes: bytes, type: "multipart/form-data; boundary=\(boundary)")
        }
    }

    package struct Answer {
        package let status: Int
        package let bytes: [UInt8]
    }

    /// For an upload and its start-up check.
    private static let patience = TimeAmount.seconds(120)
    private static let answerBytes = 256 << 20

    /// Bytes that are handed to the connection at a time.
    private static let pieceBytes = 64 << 10

    /// Gets how many bytes of an upload have been taken, and how many there are.
    package var progress: (@Sendable (_ sent: Int, _ total: Int) -> Void)?

    /// As long as the process: a shutdown right behind an answer meets the connection on its way back to the pool, and
    /// async-http-client then ends the process.
    private static let http = {
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        configuration.timeout = .init(connect: .seconds(10), read: patience)
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }()
    private let credentials: Credentials

    package init(_ credentials: Credentials) { self.credentials = credentials }

    /// The account that is meant: the one named, that of the login, or the only one that the token can see.
    package func account(_ named: String?) throws(ClientError) -> String {
        if let account = named ?? credentials.account { return account }
        let accounts = try call("GET", "/accounts").array ?? []
        guard accounts.count == 1, let id = accounts[0]["id"]?.string else {
            throw ClientError("the token is for \(accounts.count) accounts: name one with --account")
        }
        return id
    }

    /// - Parameter token: shown in the place of the login's.
    /// - Returns: the envelope's result.
    @discardableResult
    package func call(
        _ method: String, _ path: String, query: [(String, String)] = [], _ body: Body? = nil, token: String? = nil
    ) throws(ClientError) -> JSONValue {
        let answer = try send(method, path, query: query, body, token: token)
        guard let json = try? JSONDecoder().decode(JSONValue.self, from: Data(answer.bytes)),
            let isSuccess = json["success"]?.bool
        else {
            throw ClientError("\(credentials.endpoint) is not a platform's admin port: it answered \(answer.status)")
        }
        guard isSuccess else {
            let error = json["errors"]?.array?.first
            throw ClientError(
                error?["message"]?.string ?? "the platform answered \(answer.status)", code: error?["code"]?.int)
        }
        return json["result"] ?? .null
    }

    /// A list that comes in pages, whole.
    package func pages(_ path: String, query: [(String, String)] = []) throws(ClientError) -> [JSONValue] {
        var all: [JSONValue] = []
        var page = 1
        while true {
            let place = [("page", String(page)), ("per_page", "100")]
            let part = try call("GET", path, query: query + place).array ?? []
            all += part
            if part.count < 100 { return all }
            page += 1
        }
    }

    /// The answer as it is.
    package func send(
        _ method: String, _ path: String, query: [(String, String)] = [], _ body: Body? = nil, token: String? = nil
    ) throws(ClientError) -> Answer {
        var url = credentials.endpoint + "/client/v4" + path
        let pairs = query.map { "\(Self.escaped($0))=\(Self.escaped($1))" }
        if !pairs.isEmpty { url += "?" + pairs.joined(separator: "&") }
        do {
            var request = try HTTPClient.Request(url: url, method: HTTPMethod(rawValue: method))
            request.headers.add(name: "Authorization", value: "Bearer \(token ?? credentials.token)")
            request.headers.add(name: "User-Agent", value: "martlet/1")
            if let body {
                request.headers.add(name: "Content-Type", value: body.type)
                request.body = progress.map { Self.stream(body.bytes, telling: $0) } ?? .bytes(body.bytes)
            }
            let delegate = ResponseAccumulator(request: request, maxBodySize: Self.answerBytes)
            let response = try Self.http.execute(request: request, delegate: delegate).wait()
            return Answer(
                status: Int(response.status.code), bytes: response.body.map { Array($0.readableBytesView) } ?? [])
        } catch {
            throw ClientError("\(credentials.endpoint) cannot be reached: \(error)")
        }
    }

    /// A body in pieces, each sent when the one before is under way.
    private static func stream(
        _ bytes: [UInt8], telling progress: @escaping @Sendable (Int, Int) -> Void
    ) -> HTTPClient.Body {
        .stream(contentLength: Int64(bytes.count)) { writer in
            @Sendable func send(from start: Int) -> EventLoopFuture<Void> {
                let end = min(start + pieceBytes, bytes.count)
                let sent = writer.write(.byteBuffer(ByteBuffer(bytes: bytes[start..<end])))
                return sent.flatMap {
                    progress(end, bytes.count)
                    return end == bytes.count ? sent : send(from: end)
                }
            }
            return send(from: 0)
        }
    }

    /// A piece of a path or a query, percent-encoded.
    package static func escaped(_ text: String) -> String {
        text.utf8.map { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."),
                UInt8(ascii: "~"):
                String(UnicodeScalar(byte))
            default: "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }.joined()
    }
}
