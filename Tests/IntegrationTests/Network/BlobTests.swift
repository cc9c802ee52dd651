import Foundation
import Testing

/// What is large: in pieces through a NATS server that takes a mebibyte at once, as it comes; and what is old.
@Suite("blobs by NATS", .enabled(if: NATSServer.isInstalled)) struct BlobTests {
    @Test func largeValuesGoBothWays() throws {
        let nats = try NATSServer()
        let platform = try Platform(["--feed", nats.address])
        let flags = ["--cpu-ms", "20000"]
        let namespace = try #require(
            try platform.done("POST", "/accounts/{A}/storage/kv/namespaces", json: #"{"title":"n"}"#)["id"].string)
        // Random bytes, which compress to no less; the largest value that there is.
        let code = """
            export default { async fetch(request, { KV }) {
              const key = new URL(request.url).pathname.slice(1);
              if (request.method === "PUT") {
                const bytes = new Uint8Array(Number(await request.text()));
                for (let i = 0; i < bytes.length; i += 65536) crypto.getRandomValues(bytes.subarray(i, i + 65536));
                await KV.put(key, bytes);
              }
              const value = await KV.get(key, "arrayBuffer");
              if (value === null) return new Response("none");
              const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", value));
              return new Response(`${value.byteLength} ${hash.toHex?.() ?? [...hash].join("-")}`);
            } };
            """
        try platform.deploy(
            code, as: "kv",
            metadata: #","bindings":[{"type":"kv_namespace","name":"KV","namespace_id":"\#(namespace)"}]"#)
        let edges = try ["cdg", "nrt"].map { location in
            let folder = try ScratchFolder()
            try EdgeNode.add(location, to: platform, in: folder)
            let edge = try EdgeNode(location, folder: folder, join: nats.address, flags: flags)
            try edge.takeAddresses()
            return edge
        }
        for size in [1 << 20, 3_000_000, 25 << 20] {
            let client = try edges[0].client()
            try client.send(
                "PUT", "/v\(size)", fields: [("Host", "kv.main.localhost")], body: Array("\(size)".utf8))
            var written = try client.answer(by: .patient).text
            // On a loaded machine a large value comes back later than its writer waits for it.
            try wait(until: "\(size) bytes are where they were written", by: .patient) {
                if written == "none" { written = try edges[0].get("kv", "/v\(size)").text }
                return written.hasPrefix("\(size) ")
            }
            try wait(until: "\(size) bytes are there", by: .patient) {
                try edges[1].get("kv", "/v\(size)").text == written
            }
        }
    }

    @Test func whatNothingUsesLeavesTheStream() throws {
        let nats = try NATSServer()
        let platform = try Platform(["--feed", nats.address])
        func padded(_ number: Int) -> String {
            Platform.answering("\(number)") + "// \(String(repeating: "\(number)", count: 2_000))"
        }
        try platform.deploy(padded(1), as: "hello")
        try platform.deploy(Platform.answering("kept"), as: "kept")
        let edge = try EdgeNode("cdg", of: platform, join: nats.address)
        let slow = try EdgeNode("nrt", of: platform, join: nats.address)
        try edge.wait(for: "1", of: "hello")
        let text = try String(contentsOfFile: EdgeNode.credentials("cdg", edge.folder), encoding: .utf8)
        let name = try #require(text.firstMatch(of: #/"installation" : "([0-9a-f]{16})/#)).1
        func blobs() throws -> Set<String> {
            try NATSClient(nats).blobs(of: "MARTLET_FEED_\(name)_all", "martlet.feed.\(name).all")
        }
        let before = try blobs()
        let listener = try NATSClient(nats)
        #expect(try listener.maySubscribe("$JS.API.STREAM.*.>"))
        // One that has read the old record may still have to fetch what it speaks of.
        slow.martlet.suspend()
        for number in 2...6 { try platform.change("hello", to: padded(number)) }
        try edge.wait(for: "6", of: "hello")
        // Those of "kept" and of the last version.
        try wait(until: "the others are gone", by: Deadline(seconds: 120)) { try blobs().count == 2 }
        #expect(try blobs().intersection(before).count == 1)
        // A purge would have locations skip what the server had not sent them yet.
        #expect(try !listener.heard().contains { $0.hasPrefix("$JS.API.STREAM.PURGE.") })
        slow.martlet.resume()
        try slow.wait(for: "6", of: "hello")
        // What comes back is brought again, for those who never had it, too.
        for _ in 0..<5 { #expect(try platform.command(["rollback", "--name", "hello"]).status == 0) }
        let fresh = try EdgeNode("lhr", of: platform, join: nats.address)
        let answer = try platform.get("hello").text
        for node in [edge, slow, fresh] { try node.wait(for: answer, of: "hello") }
        #expect(try fresh.get("kept").text == "kept")
    }
}
