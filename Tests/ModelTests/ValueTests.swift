import Foundation
import Model
import Testing

@Suite struct ValueTests {
    @Test(arguments: [
        (Int64(0), "1970-01-01T00:00:00.000Z"), (951_827_696_007, "2000-02-29T12:34:56.007Z"),
        (4_102_444_799_999, "2099-12-31T23:59:59.999Z"),
    ])
    func timestampsAreRFC3339(milliseconds: Int64, text: String) {
        #expect(Timestamp(milliseconds: milliseconds).description == text)
    }

    @Test func outcomesAreNumberedInOrder() {
        #expect(Outcome.allCases.map(\.index) == Array(Outcome.allCases.indices))
    }

    @Test func identifiersDiffer() {
        let ids = (0..<100).map { _ in Identifier.hex() }
        #expect(Set(ids).count == 100)
        #expect(ids.allSatisfy { $0.wholeMatch(of: #/[0-9a-f]{32}/#) != nil })
        let uuid = #/[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/#
        #expect(Identifier.uuid().wholeMatch(of: uuid) != nil)
    }

    @Test func jsonComesBackAsItWas() throws {
        let text = #"{"a":[1,2.5,null,true,"x"],"b":{}}"#
        let value = try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        #expect(String(decoding: try encoder.encode(value), as: UTF8.self) == text)
    }

    @Test func aRoutingSnapshotCanBeSent() throws {
        let key = ScriptKey(account: "a", name: "s")
        let zone = Zone(account: "a", name: "example.com")
        let snapshot = RoutingSnapshot(
            revision: 7,
            items: [
                .account(RoutedAccount(id: "a", subdomain: "me", isSuspended: false)),
                .script(RoutedScript(key: key, isOnSubdomain: true, shares: [.init(version: "v", percentage: 12.5)])),
                .zone(RoutedZone(zone: zone, routes: [Route(pattern: "example.com/*", script: nil)])),
                .domain(CustomDomain(hostname: "h.example.com", zone: zone.id, zoneName: zone.name, script: key)),
                .removed(.script(key)),
            ])
        let data = try JSONEncoder().encode(snapshot)
        #expect(try JSONDecoder().decode(RoutingSnapshot.self, from: data) == snapshot)
    }

    @Test(arguments: ["", ".", "..", String(repeating: "é", count: 257)])
    func badKeysAreNamed(_ key: String) {
        #expect(KVLimits.complaint(aboutKey: key) != nil)
    }

    @Test func goodKeysPass() {
        for key in ["a", "a/b c", "...", String(repeating: "é", count: 256)] {
            #expect(KVLimits.complaint(aboutKey: key) == nil)
        }
    }
}
