internal import Foundation
internal import HTTPTypes
internal import Hummingbird
internal import Model
internal import NIOCore

/// What a service answers.
enum Reply: Sendable {
    /// In the envelope. `info` is its `result_info`.
    case result(JSONValue, info: JSONValue? = nil)
    /// As it is, without the envelope.
    case bytes([UInt8], type: String, fields: [(String, String)] = [])

    /// One page of a list, as Cloudflare counts: pages past the end are empty.
    static func page(_ all: [JSONValue], of call: Call) throws -> Reply {
        let (page, info) = try Page(call).cut(all)
        return .result(.array(page), info: info)
    }
}

/// `page` and `per_page` of a query.
struct Page {
    let number: Int
    let size: Int

    init(_ call: Call) throws {
        number = try call.number("page", in: 1...1_000_000_000) ?? 1
        size = try call.number("per_page", in: 1...1_000) ?? 20
    }

    func cut(_ all: [JSONValue]) -> (page: [JSONValue], info: JSONValue) {
        let start = min(all.count, (number - 1) * size)
        let page = Array(all[start..<min(all.count, start + size)])
        let pages = (all.count + size - 1) / size
        return (
            page,
            [
                "page": .number(Double(number)), "per_page": .number(Double(size)),
                "count": .number(Double(page.count)),
                "total_count": .number(Double(all.count)), "total_pages": .number(Double(pages)),
            ]
        )
    }
}

extension Response {
    init(_ reply: Reply) {
        switch reply {
        case .result(let result, let info):
            var envelope: [String: JSONValue] = [
                "success": true, "errors": [], "messages": [], "result": result,
            ]
            envelope["result_info"] = info
            self.init(json: .object(envelope), status: .ok)
        case .bytes(let bytes, let type, let fields):
            var headers: HTTPFields = [.contentType: type]
            for (name, value) in fields {
                if let name = HTTPField.Name(name) { headers[name] = value }
            }
            self.init(status: .ok, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
        }
    }

    init(_ error: APIError) {
        var entry: [String: JSONValue] = ["code": .number(Double(error.code)), "message": .string(error.message)]
        if !error.chain.isEmpty {
            entry["error_chain"] = .array(
                error.chain.map { ["code": .number(Double($0.code)), "message": .string($0.message)] })
        }
        self.init(
            json: ["success": false, "errors": [.object(entry)], "messages": [], "result": .null],
            status: HTTPResponse.Status(code: error.status))
    }

    private init(json: JSONValue, status: HTTPResponse.Status) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let data = (try? encoder.encode(json)) ?? Data()
        self.init(
            status: status, headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: data)))
    }
}
