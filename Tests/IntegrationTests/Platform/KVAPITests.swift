import Testing

@Suite("Control API: KV") struct KVAPITests {
    private static let root = "/accounts/{A}/storage/kv/namespaces"

    private static func namespace(_ platform: Platform) throws -> String {
        let made = try platform.done("POST", root, json: #"{"title":"t"}"#)
        #expect(made["supports_url_encoding"] == .bool(true))
        return try "\(root)/\(#require(made["id"].string))"
    }

    @Test func namespaces() throws {
        let platform = try Platform()
        let path = try Self.namespace(platform)
        #expect(try platform.call("POST", Self.root, json: #"{"title":"t"}"#).code == 10014)
        #expect(try platform.call("POST", Self.root, json: #"{}"#).code == 10026)
        try platform.done("PUT", path, json: #"{"title":"u"}"#)
        #expect(try platform.done("GET", path)["title"].string == "u")
        try platform.done("DELETE", path)
        #expect(try platform.call("GET", path).code == 10013)
        #expect(try platform.call("GET", path + "/values/a").code == 10013)
    }

    @Test func values() throws {
        let platform = try Platform()
        let path = try Self.namespace(platform)
        let bytes: [UInt8] = [0, 255, 13, 10, 45, 45]
        #expect(try platform.call("PUT", path + "/values/a%2Fb%20%C3%BC", body: bytes).status == 200)
        #expect(try platform.raw("GET", path + "/values/a%2Fb%20%C3%BC").body == bytes)
        var form = Form()
        form.add("value", bytes, filename: "upload", type: "application/octet-stream")
        form.add("metadata", #"{"m":[1,2]}"#, type: "text/plain")
        let put = try platform.call(
            "PUT", path + "/values/f?expiration_ttl=600", fields: [form.contentType], body: form.bytes)
        #expect(put.status == 200, "\(put.summary)")
        let got = try platform.raw("GET", path + "/values/f")
        #expect(got.body == bytes)
        #expect(got["expiration"] != nil)
        #expect(try platform.done("GET", path + "/metadata/f") == JSON(#"{"m":[1,2]}"#.utf8))
        #expect(try platform.done("GET", path + "/metadata/a%2Fb%20%C3%BC") == .null)
        try platform.done("DELETE", path + "/values/f")
        #expect(try platform.call("GET", path + "/values/f").code == 10009)
        #expect(try platform.call("PUT", path + "/values/x?expiration_ttl=59", body: [1]).code == 10034)
        #expect(try platform.call("PUT", path + "/values/x?expiration=1", body: [1]).code == 10034)
        #expect(try platform.call("PUT", path + "/values/x?expiration_ttl=soon", body: [1]).status == 400)
        #expect(try platform.call("PUT", path + "/values/%2E%2E", body: [1]).status == 400)
        let long = String(repeating: "k", count: 513)
        #expect(try platform.call("PUT", path + "/values/\(long)", body: [1]).status == 400)
        let large = try platform.call("PUT", path + "/values/l", body: [UInt8](repeating: 0, count: (25 << 20) + 1))
        #expect(large.status == 413)
        #expect(large.code == 10027)
    }

    @Test func listsAndBulk() throws {
        let platform = try Platform()
        let path = try Self.namespace(platform)
        let items = (0..<25).map { #"{"key":"k\#(100 + $0)","value":"v\#($0)","metadata":{"n":\#($0)}}"# }
        let written = try platform.done("PUT", path + "/bulk", json: "[\(items.joined(separator: ","))]")
        #expect(written["successful_key_count"].int == 25)
        try platform.done("PUT", path + "/bulk", json: #"[{"key":"b","value":"AP8=","base64":true}]"#)
        #expect(try platform.raw("GET", path + "/values/b").body == [0, 255])
        var names: [String] = []
        var cursor = ""
        repeat {
            let page = try platform.call("GET", path + "/keys?prefix=k&limit=10&cursor=\(cursor)")
            guard case .array(let keys) = page.result else { throw Failure("no keys: \(page.summary)") }
            names += keys.compactMap { $0["name"].string }
            cursor = page.json["result_info"]["cursor"].string ?? ""
        } while !cursor.isEmpty
        #expect(names == (0..<25).map { "k\(100 + $0)" })
        #expect(try platform.call("GET", path + "/keys?cursor=%25").status == 400)
        #expect(try platform.call("GET", path + "/keys?limit=1001").status == 400)
        let got = try platform.done("POST", path + "/bulk/get", json: #"{"keys":["k101","none"],"withMetadata":true}"#)
        #expect(try got["values"]["k101"] == JSON(#"{"value":"v1","metadata":{"n":1}}"#.utf8))
        #expect(got["values"]["none"] == .null)
        #expect(got["values"].keys == ["k101", "none"])
        try platform.done("POST", path + "/bulk/delete", json: #"["k100","k101"]"#)
        try platform.done("DELETE", path + "/bulk", json: #"["k102"]"#)
        let left = try platform.done("GET", path + "/keys?prefix=k10")
        guard case .array(let keys) = left else { throw Failure("no keys") }
        #expect(keys.count == 7)
        #expect(try platform.call("PUT", path + "/bulk", json: #"[{"key":"x","value":1}]"#).code == 10026)
        let half = #"[{"key":"y","value":"1"},{"key":"","value":"1"}]"#
        #expect(try platform.call("PUT", path + "/bulk", json: half).status == 400)
        #expect(try platform.call("GET", path + "/values/y").code == 10009)
    }
}
