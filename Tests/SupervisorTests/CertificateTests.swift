import Model
import Supervisor
import Synchronization
import Testing

/// Which host may prove to be whom.
@Suite("Certificates by cordon") struct CertificateTests {
    private static func names(_ hosts: [String], zones: [String] = []) -> HostNames {
        var names = HostNames()
        for host in hosts { names.add(host) }
        for zone in zones { names.add(zone: zone) }
        return names
    }

    @Test(
        arguments: [
            ("a.main.example", true), ("b.main.example", false), ("*.main.example", true), ("*.example", true),
            ("main.example", false), ("shop.example", true), ("www.shop.example", true), ("*.shop.example", true),
            ("x.y.shop.example", true), ("*.y.shop.example", true), ("myshop.example", false), ("*", false),
            ("", false), ("*.", false),
        ])
    func aNameIsCoveredOrNot(_ name: String, _ isCovered: Bool) {
        let names = Self.names(["a.main.example"], zones: ["shop.example"])
        #expect(names.areCovered(by: name) == isCovered)
    }

    @Test func theBookKnowsThem() throws {
        var book = RouteBook()
        func script(_ name: String, _ cordon: String?) -> RoutingItem {
            let key = ScriptKey(account: "me", name: name)
            return .script(RoutedScript(key: key, isOnSubdomain: true, shares: [], cordon: cordon))
        }
        book.replace(
            with: RoutingSnapshot(
                revision: 1,
                items: [
                    .account(RoutedAccount(id: "me", subdomain: "sub", isSuspended: false)), script("a", nil),
                    script("b", "paid"),
                ]))
        let names = book.hostNames(under: "base.example")
        let (free, paid) = (try #require(names[.standard]), try #require(names[Cordon(name: "paid")]))
        #expect(free.areCovered(by: "a.sub.base.example") && !free.areCovered(by: "b.sub.base.example"))
        #expect(paid.areCovered(by: "b.sub.base.example") && !paid.areCovered(by: "a.sub.base.example"))
        #expect(free.areCovered(by: "*.sub.base.example") && paid.areCovered(by: "*.sub.base.example"))
    }

    private final class Keeper: CertificateKeeper {
        let served: [ServedCertificate] = []
        func observe(_ changed: @escaping @Sendable () -> Void) {}
        func sign(_ bytes: [UInt8], certificate id: Int, algorithm: UInt16) -> [UInt8]? { [UInt8(id)] }
    }

    private static func certificate(_ id: Int) -> ServedCertificate {
        ServedCertificate(id: id, chain: "", names: [], algorithms: [], isDefault: false)
    }

    /// What a host never had ends it; what it has no more is refused, once handshakes that began with it are over.
    @Test func onlyWhatTheHostHasSigns() async throws {
        var rules = HostRules()
        try rules.check(.locked(version: FromHost.version, refusals: []))
        rules.has([Self.certificate(1)])
        try rules.check(.sign(id: 1, certificate: 1, algorithm: 0, []))
        #expect(throws: WireError.self) { try rules.check(.sign(id: 2, certificate: 2, algorithm: 0, [])) }

        let desk = SignatureDesk(Keeper(), threads: CallThreads(1))
        let now = ContinuousClock.now
        func sign(_ id: Int, after seconds: Int = 0) async -> [UInt8]? {
            await withCheckedContinuation { answer in
                desk.sign([], certificate: id, algorithm: 0, now: now.advanced(by: .seconds(seconds))) {
                    answer.resume(returning: $0)
                }
            }
        }
        desk.set([Self.certificate(1)], now: now)
        #expect(await sign(1) == [1])
        #expect(await sign(2) == nil)
        desk.set([Self.certificate(2)], now: now)
        #expect(await sign(1, after: 10) == [1])
        #expect(await sign(1, after: 60) == nil)
        #expect(await sign(2, after: 60) == [2])
    }
}
