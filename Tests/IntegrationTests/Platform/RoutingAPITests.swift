import Testing

@Suite("Control API: zones, routes, domains, schedules") struct RoutingAPITests {
    private static func zone(_ platform: Platform, _ name: String = "example.com") throws -> String {
        let body = #"{"name":"\#(name)","account":{"id":"\#(platform.account)"},"type":"full"}"#
        return try #require(try platform.done("POST", "/zones", json: body)["id"].string)
    }

    @Test func routesFindTheirWorkers() throws {
        let platform = try Platform()
        let zone = try Self.zone(platform)
        for name in ["a", "b", "domain"] {
            #expect(try platform.upload(Platform.answering(name), as: name).status == 200)
        }
        let routes = "/zones/\(zone)/workers/routes"
        func add(_ pattern: String, _ script: String?) throws -> Platform.Envelope {
            let script = script.map { #","script":"\#($0)""# } ?? ""
            return try platform.call("POST", routes, json: #"{"pattern":"\#(pattern)"\#(script)}"#)
        }
        #expect(try add("example.com/*", "a").status == 200)
        #expect(try add("example.com/b/*", "b").status == 200)
        #expect(try add("example.com/b/none", nil).status == 200)
        #expect(try add("example.com/*", "b").code == 10020)
        #expect(try add("example.org/*", "b").code == 10022)
        #expect(try add("example.com/*/x", "b").code == 10022)
        #expect(try add("example.com/c", "gone").code == 10019)
        func text(_ host: String, _ path: String) throws -> String {
            let answer = try platform.martlet.get(path, host: host)
            return answer.status == 200 ? answer.text : "\(answer.status)"
        }
        #expect(try text("example.com", "/") == "a")
        #expect(try text("EXAMPLE.com:80", "/x?y") == "a")
        #expect(try text("example.com", "/b/x") == "b")
        #expect(try text("example.com", "/b/none") == "404")
        #expect(try text("www.example.com", "/") == "404")
        let domain = try platform.done(
            "PUT", "/accounts/{A}/workers/domains", json: #"{"hostname":"www.example.com","service":"domain"}"#)
        #expect(domain["zone_name"].string == "example.com")
        #expect(try text("www.example.com", "/") == "domain")
        // A route goes before a custom domain.
        let route = try add("www.example.com/r", "a")
        #expect(try text("www.example.com", "/r") == "a")
        let id = try #require(route.result["id"].string)
        #expect(
            try platform.call("PUT", routes + "/\(id)", json: #"{"pattern":"www.example.com/s","script":"b"}"#).status
                == 200)
        #expect(try text("www.example.com", "/r") == "domain")
        #expect(try text("www.example.com", "/s") == "b")
        try platform.done("DELETE", routes + "/\(id)")
        #expect(try platform.call("GET", routes + "/\(id)").code == 10009)
        #expect(try platform.call("DELETE", routes + "/\(id)").code == 10009)
        try platform.done("DELETE", "/accounts/{A}/workers/domains/\(domain["id"].string ?? "")")
        #expect(try text("www.example.com", "/") == "404")
        try platform.killAndStart()
        #expect(try text("example.com", "/b/x") == "b")
    }

    @Test func wranglersWayOfSettingRoutes() throws {
        let platform = try Platform()
        _ = try Self.zone(platform)
        #expect(try platform.upload(Platform.answering("a"), as: "a").status == 200)
        let path = "/accounts/{A}/workers/scripts/a"
        #expect(try platform.call("PUT", path + "/routes", json: #"[{"pattern":"example.com/*"}]"#).status == 200)
        #expect(try platform.martlet.get(host: "example.com").text == "a")
        let other = #"[{"pattern":"x.example.com/*","zone_name":"example.com"}]"#
        #expect(try platform.call("PUT", path + "/routes", json: other).status == 200)
        #expect(try platform.martlet.get(host: "example.com").status == 404)
        #expect(try platform.martlet.get(host: "x.example.com").text == "a")
        #expect(try platform.call("PUT", path + "/routes", json: #"[{"pattern":"example.org/*"}]"#).code == 10022)
        #expect(try platform.call("PUT", path + "/routes", json: #"{}"#).code == 10026)
        let records = #"{"override_scope":true,"origins":[{"hostname":"y.example.com"}]}"#
        func changes(_ origins: String) throws -> String {
            let changeset = path + "/domains/changeset?replace_state=true"
            let result = try platform.done("POST", changeset, json: #"{"origins":[\#(origins)]}"#)
            return ["added", "removed", "updated", "conflicting"].map { kind in
                guard case .array(let domains) = result[kind] else { return "no \(kind)" }
                return domains.map { "\($0["hostname"].string ?? "") \($0["modified"])" }.joined(separator: ",")
            }.joined(separator: "|")
        }
        #expect(try changes(#"{"hostname":"y.example.com"}"#) == "y.example.com null|||")
        #expect(try platform.call("PUT", path + "/domains/records", json: records).status == 200)
        #expect(try platform.martlet.get(host: "y.example.com").text == "a")
        #expect(try changes(#"{"hostname":"y.example.com"}"#) == "||y.example.com false|")
        #expect(try changes("") == "|y.example.com null||")
        #expect(try platform.call("PUT", path + "/domains/records", json: #"{"origins":[]}"#).status == 200)
        #expect(try platform.martlet.get(host: "y.example.com").status == 404)
    }

    @Test func aDomainNameIsOneAccounts() throws {
        let platform = try Platform()
        _ = try Self.zone(platform)
        let other = try #require(try platform.done("POST", "/accounts", json: #"{"name":"other"}"#)["id"].string)
        let made = try platform.done("POST", "/accounts/\(other)/tokens", json: #"{"name":"t","scope":"admin"}"#)
        let token = try #require(made["value"].string)
        func add(_ name: String) throws -> Platform.Envelope {
            try platform.call(
                "POST", "/zones", token: token, json: #"{"name":"\#(name)","account":{"id":"\#(other)"}}"#)
        }
        #expect(try add("other.org").status == 403)
        let allow = "/accounts/\(other)/allowed-zones"
        #expect(try platform.call("POST", allow, token: token, json: #"{"name":"other.org"}"#).status == 403)
        for name in ["other.org", "example.com", "localhost"] {
            try platform.done("POST", allow, json: #"{"name":"\#(name)"}"#)
        }
        #expect(try add("other.org").status == 200)
        for name in ["example.com", "sub.example.com", "localhost", "main.localhost", "other.org"] {
            #expect(try add(name).code == 1061, "\(name)")
        }
        #expect(try add("not a name").code == 10026)
        guard case .array(let zones) = try platform.done("GET", "/zones", token: token) else { throw Failure("none") }
        #expect(zones.map { $0["name"].string } == ["other.org"])
        guard case .array(let all) = try platform.done("GET", "/zones?name=example.com") else { throw Failure("none") }
        let id = all.first?["id"].string ?? ""
        #expect(try platform.call("GET", "/zones/\(id)", token: token).status == 404)
        #expect(try platform.call("GET", "/zones/\(id)/workers/routes", token: token).status == 404)
        #expect(try platform.call("DELETE", "/zones/\(id)", token: token).status == 404)
    }

    @Test func subdomains() throws {
        let platform = try Platform()
        #expect(try platform.upload(Platform.answering("x"), as: "hello").status == 200)
        let path = "/accounts/{A}/workers/scripts/hello/subdomain"
        #expect(try platform.done("GET", path)["enabled"] == .bool(false))
        #expect(try platform.get("hello").status == 404)
        let set = try platform.done("POST", path, json: #"{"enabled":true}"#)
        #expect(set["previews_enabled"] == .bool(true))
        #expect(try platform.get("hello").text == "x")
        try platform.done("PUT", "/accounts/{A}/workers/subdomain", json: #"{"subdomain":"Me"}"#)
        #expect(try platform.done("GET", "/accounts/{A}/workers/subdomain")["subdomain"].string == "me")
        #expect(try platform.get("hello").status == 404)
        #expect(try platform.martlet.get(host: "hello.me.localhost").text == "x")
        #expect(try platform.call("GET", "/accounts/{A}/workers/subdomains/me").code == 10031)
        #expect(try platform.call("GET", "/accounts/{A}/workers/subdomains/free").code == 10032)
        #expect(
            try platform.call("PUT", "/accounts/{A}/workers/subdomain", json: #"{"subdomain":"a.b"}"#).code == 10016)
        try platform.done("DELETE", path)
        #expect(try platform.martlet.get(host: "hello.me.localhost").status == 404)
        let other = try #require(try platform.done("POST", "/accounts", json: #"{"name":"o"}"#)["id"].string)
        #expect(try platform.call("GET", "/accounts/\(other)/workers/subdomain").code == 10007)
    }

    @Test func schedules() throws {
        let platform = try Platform()
        let path = "/accounts/{A}/workers/scripts/hello/schedules"
        #expect(try platform.call("GET", path).code == 10007)
        #expect(try platform.upload(Platform.answering("x"), as: "hello").status == 200)
        let set = try platform.done("PUT", path, json: #"[{"cron":"*/5 * * * *"},{"cron":"0 0 L * *"}]"#)
        guard case .array(let schedules) = set["schedules"] else { throw Failure("no schedules") }
        #expect(schedules.map { $0["cron"].string } == ["*/5 * * * *", "0 0 L * *"])
        for bad in [#"[{"cron":"* * * *"}]"#, #"[{"cron":"60 * * * *"}]"#, #"[{}]"#, #"{}"#] {
            #expect(try platform.call("PUT", path, json: bad).code == 10026)
        }
        #expect(try platform.done("GET", path) == set)
        try platform.done("PUT", path, json: "[]")
        #expect(try platform.done("GET", path)["schedules"] == .array([]))
    }
}
