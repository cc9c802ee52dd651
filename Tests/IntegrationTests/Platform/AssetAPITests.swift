import Foundation
import Testing

/// Uploads of assets through the control API: what clients send, and what they should not.
@Suite("The API of static assets") struct AssetAPITests {
    @Test func onlyWhatIsMissingIsAskedFor() throws {
        let platform = try Platform()
        let assets = AssetUpload(platform: platform)
        let files = ["/a.txt": "one", "/b.txt": "two", "/copy.txt": "one"]
        let first = try assets.session(files, for: "s")
        guard case .array(let buckets) = first.result["buckets"], case .array(let hashes)? = buckets.first else {
            throw Failure("no buckets: \(first.summary)")
        }
        #expect(hashes.count == 2)
        let jwt = try #require(first.result["jwt"].string)
        // A client looks into the token for its end.
        let payload = try #require(jwt.split(separator: ".").dropFirst().first)
        let padded = payload + String(repeating: "=", count: (4 - payload.utf8.count % 4) % 4)
        #expect(try JSON(try #require(Data(base64Encoded: String(padded))))["exp"].int ?? 0 > 1_700_000_000)
        #expect(try assets.send(["one"], jwt: jwt, type: "text/plain").result["jwt"] == .null)
        let second = try assets.session(files, for: "s")
        #expect(second.result["buckets"].description == "[[\"\(AssetUpload.hash(Array("two".utf8)))\"]]")
        let completion = try #require(try assets.send(["two"], jwt: jwt).result["jwt"].string)
        #expect(try assets.put(#""assets":{"jwt":"\#(completion)"}"#, as: "s").status == 200)
        // As it was uploaded, and by the name.
        #expect(try platform.get("s", "/a.txt")["Content-Type"] == "text/plain; charset=utf-8")
        #expect(try platform.get("s", "/copy.txt").text == "one")
        let third = try assets.session(files, for: "s")
        #expect(third.result["buckets"].description == "[]")
        let direct = try #require(third.result["jwt"].string)
        #expect(try assets.put(#""assets":{"jwt":"\#(direct)"}"#, as: "s").status == 200)
    }

    @Test func tokensOfUploadsAreForOneThingOnly() throws {
        let platform = try Platform()
        let assets = AssetUpload(platform: platform)
        let other = try platform.done("POST", "/accounts", json: #"{"name":"other"}"#)
        let theirs = AssetUpload(platform: platform, account: try #require(other["id"].string))
        let jwt = try #require(try assets.session(["/a": "x"], for: "s").result["jwt"].string)
        let foreign = try #require(try theirs.session(["/a": "x"], for: "s").result["jwt"].string)
        // Another account's, none, a login's, and one that was changed.
        for token in [foreign, "x", "a.b.c", platform.token, String(jwt.dropLast(2)) + "xx"] {
            let refused = try assets.send(["x"], jwt: token)
            #expect(refused.status == 401)
            #expect(refused.code == 10000)
        }
        // An upload's token is no login, and cannot be deployed.
        #expect(try platform.call("GET", "/accounts/{A}/workers/scripts", token: jwt).status == 401)
        let early = try assets.put(#""assets":{"jwt":"\#(jwt)"}"#, as: "s")
        #expect(early.status == 400)
        #expect(early.code == 10021)
        let completion = try #require(try assets.send(["x"], jwt: jwt).result["jwt"].string)
        // Of another Worker, and another account.
        #expect(try assets.put(#""assets":{"jwt":"\#(completion)"}"#, as: "t").code == 10021)
        #expect(try theirs.put(#""assets":{"jwt":"\#(completion)"}"#, as: "s").code == 10021)
        #expect(try assets.put(#""assets":{"jwt":"\#(completion)"}"#, as: "s").status == 200)
        // Content that one account has uploaded is still missing for another.
        #expect(try theirs.session(["/a": "x"], for: "u").result["buckets"].description != "[]")
        // A reader may not begin.
        let reader = try platform.done("POST", "/accounts/{A}/tokens", json: #"{"name":"r","scope":"read"}"#)
        let weak = AssetUpload(platform: platform, token: reader["value"].string)
        #expect(try weak.session(["/a": "x"], for: "s").status == 403)
    }

    @Test func whatDoesNotFitTheManifestIsRefused() throws {
        let platform = try Platform(["--asset-file-mb", "1", "--asset-files", "5"])
        let assets = AssetUpload(platform: platform)
        let jwt = try #require(try assets.session(["/a": "four", "/b": "b"], for: "s").result["jwt"].string)
        let hash = AssetUpload.hash(Array("four".utf8))
        func send(_ name: String, _ text: String, query: String = "?base64=true") throws -> (Int, Int?) {
            var form = Form()
            form.add(name, text)
            let refused = try assets.send(form, jwt: jwt, query: query)
            return (refused.status, refused.code)
        }
        #expect(try send(hash, "!!!") == (400, 10006))
        #expect(try send(hash, Data("five5".utf8).base64EncodedString()) == (400, 10021))
        #expect(try send(AssetUpload.hash([1]), "AA==") == (400, 10021))
        #expect(try send("../../etc/passwd", "AA==") == (400, 10021))
        #expect(try send(hash, Data("four".utf8).base64EncodedString(), query: "") == (400, 10026))
        let large = Data(repeating: 0, count: 2 << 20).base64EncodedString()
        #expect(try send(hash, large) == (413, 10027))
        #expect(try assets.send(["four"], jwt: jwt).result["jwt"] == .null)
        // The same hash for other content of the same size.
        #expect(try send(hash, Data("FOUR".utf8).base64EncodedString()) == (400, 10021))
        func begin(_ manifest: String) throws -> (Int, Int?) {
            let refused = try platform.call(
                "POST", "/accounts/{A}/workers/scripts/s/assets-upload-session", json: "{\"manifest\":\(manifest)}")
            return (refused.status, refused.code)
        }
        let entry = "{\"hash\":\"\(hash)\",\"size\":4}"
        for path in ["/../x", "/a/./b", "x", "/", "//x", "/x/", "/a\\u0000b"] {
            #expect(try begin("{\"\(path)\":\(entry)}") == (400, 10016), "\(path)")
        }
        #expect(try begin("{\"/a\":{\"hash\":\"\(hash)\",\"size\":5}}") == (400, 10021))
        #expect(try begin("{\"/a\":{\"hash\":\"short\",\"size\":5}}") == (400, 10026))
        #expect(try begin("{\"/a\":{\"hash\":\"\(hash)\",\"size\":-1}}") == (400, 10026))
        #expect(try begin("{\"/a\":{\"hash\":\"\(hash)\",\"size\":2000000}}") == (413, 10027))
        #expect(try begin("[]") == (400, 10026))
        let many = (0..<6).map { "\"/\($0)\":\(entry)" }.joined(separator: ",")
        #expect(try begin("{\(many)}") == (413, 10027))
    }

    @Test func configurationsAreChecked() throws {
        let platform = try Platform()
        let assets = AssetUpload(platform: platform)
        for (config, code, words) in [
            (#"{"html_handling":"magic"}"#, 10026, "auto-trailing-slash"), ("[]", 10026, "object"),
            (#"{"not_found_handling":7}"#, 10026, "404-page"), (#"{"run_worker_first":"x"}"#, 10026, "patterns"),
            (#"{"run_worker_first":["x"]}"#, 10021, "'/'"), (#"{"run_worker_first":true}"#, 10021, "only assets"),
            (#"{"_redirects":"/* /index.html 200"}"#, 100_324, "Line 1: Infinite loop"),
            (#"{"_headers":"x"}"#, 10021, "Line 1"), (#"{"base_path":"/docs"}"#, 10021, "base_path"),
        ] {
            let refused = try assets.deploy(["/a": "x"], config: config, as: "s")
            #expect(refused.code == code, "\(config): \(refused.summary)")
            #expect(refused.message.contains(words), "\(config): \(refused.message)")
        }
        #expect(try assets.put(#""assets":{}"#, as: "s").code == 10021)
        #expect(try assets.put(#""keep_assets":true"#, as: "s").code == 10021)
        let bound = #","bindings":[{"type":"assets","name":"A"}]"#
        #expect(try assets.deploy(["/a": "x"], metadata: bound, as: "s").code == 10021)
        #expect(try platform.call("GET", "/accounts/{A}/workers/services/s").code == 10090)
    }
}
