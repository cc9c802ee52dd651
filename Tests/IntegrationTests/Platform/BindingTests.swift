import Testing

/// What a deployed Worker finds in `env`.
@Suite("Bindings") struct BindingTests {
    @Test func textsSecretsJSONAndTheVersion() throws {
        let platform = try Platform()
        let code = """
            export default { fetch(request, env) {
                const { text, json, list, secret, version } = env;
                return Response.json({ text, json, list, secret, version, names: Object.keys(env) });
            } };
            """
        let metadata = #"""
            ,"annotations":{"workers/tag":"v1"},"bindings":[
                {"type":"plain_text","name":"text","text":"a \"text\""},
                {"type":"json","name":"json","json":{"a":[1,2.5,true,null],"é":"\u2028\n\\"}},
                {"type":"json","name":"list","json":["x"]},
                {"type":"secret_text","name":"secret","text":"hidden"},
                {"type":"version_metadata","name":"version"}]
            """#
        try platform.deploy(code, as: "hello", metadata: metadata)
        let env = try platform.get("hello").json()
        #expect(env["text"].string == "a \"text\"")
        #expect(
            env["json"]
                == .object(["a": .array([.number(1), .number(2.5), .bool(true), .null]), "é": .string("\u{2028}\n\\")]))
        #expect(env["list"] == .array([.string("x")]))
        #expect(env["secret"].string == "hidden")
        #expect(env["version"]["tag"].string == "v1")
        #expect(env["version"]["timestamp"].string?.hasSuffix("Z") == true)
        let versions = try platform.done("GET", "/accounts/{A}/workers/scripts/hello/versions")
        guard case .array(let items) = versions["items"] else { throw Failure("no versions") }
        #expect(env["version"]["id"] == items.first?["id"])
        #expect(env["names"] == .array(["text", "json", "list", "secret", "version"].map { .string($0) }))
    }

    @Test func manyBindings() throws {
        let platform = try Platform()
        let code = "export default { fetch: (r, env) => new Response(Object.values(env).join()) };"
        func bindings(_ count: Int) -> String {
            let list = (0..<count).map { #"{"type":"plain_text","name":"V\#($0)","text":"\#($0)"}"# }
            return #","bindings":[\#(list.joined(separator: ","))]"#
        }
        try platform.deploy(code, as: "hello", metadata: bindings(128))
        #expect(try platform.get("hello").text == (0..<128).map { "\($0)" }.joined(separator: ","))
        #expect(try platform.upload(code, as: "hello", metadata: bindings(129)).code == 10021)
    }

    @Test func typesThatAreNotThereAreRefused() throws {
        let platform = try Platform()
        for type in ["d1", "r2_bucket", "queue", "durable_object_namespace", "ai", "secret_key", "x"] {
            let binding = #","bindings":[{"type":"\#(type)","name":"B","namespace_id":"x","id":"x","text":"x"}]"#
            let envelope = try platform.upload(Platform.answering("x"), as: "x", metadata: binding)
            #expect(envelope.code == 10021, "\(type): \(envelope.summary)")
            #expect(envelope.message.contains(type))
        }
    }
}
