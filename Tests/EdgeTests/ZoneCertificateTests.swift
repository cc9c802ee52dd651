import Edge
import Foundation
import Model
import Synchronization
import Testing

/// What is served follows the certificates of zones.
@Suite("Certificates of zones") struct ZoneCertificateTests {
    /// Whose first reading fails.
    private final class Source: CertificateSource {
        private let certificates: [KeyedCertificate]
        private let isFirst = Mutex(true)

        init(_ certificates: [KeyedCertificate]) { self.certificates = certificates }

        func certificateMark() throws -> String { "1" }

        func keyedCertificates() throws -> [KeyedCertificate] {
            let isFirst = isFirst.withLock { isFirst in
                defer { isFirst = false }
                return isFirst
            }
            if isFirst { throw StoreError(.failed, "the disk is busy") }
            return certificates
        }

        func observe(_ changed: @escaping @Sendable () -> Void) {}
    }

    private final class Log: EventSink {
        private let lines = Mutex<[String]>([])
        var texts: [String] { lines.withLock { $0 } }
        let wantsRequests = false
        let wantsRays = false
        func log(_ event: LogEvent) { lines.withLock { $0.append(event.text) } }
        func requestEnded(_ event: RequestEvent) {}
    }

    private static func certificate(_ id: String, for name: String) throws -> KeyedCertificate {
        let openssl = Process()
        openssl.executableURL = URL(filePath: "/usr/bin/openssl")
        openssl.arguments = [
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=test",
            "-addext", "subjectAltName=DNS:\(name)", "-keyout", "/dev/stdout",
        ]
        let output = Pipe()
        openssl.standardOutput = output
        openssl.standardError = FileHandle.nullDevice
        try openssl.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        openssl.waitUntilExit()
        let chain = try #require(text.range(of: "-----BEGIN CERTIFICATE-----"))
        return KeyedCertificate(
            id: id, chain: String(text[chain.lowerBound...]), key: String(text[..<chain.lowerBound]))
    }

    /// Nobody says again that there is something new.
    @Test func whatCouldNotBeReadIsReadAgain() throws {
        let source = Source([try Self.certificate("1", for: "a.example")])
        let served = CertificateStore()
        let log = Log()
        let changed = DispatchSemaphore(value: 0)
        served.observe { changed.signal() }
        ZoneCertificates.follow(source, for: served, log: log)
        #expect(changed.wait(timeout: .now() + 30) == .success)
        #expect(served.served.map(\.names) == [["a.example"]])
        #expect(log.texts.count == 1)
    }

    /// Hosts need not begin anew with a certificate because another has changed.
    @Test func whatStaysKeepsItsNumber() throws {
        let store = CertificateStore()
        let a = try Self.certificate("a", for: "a.example")
        let b = try Self.certificate("b", for: "b.example")
        #expect(store.keep([a]).isEmpty)
        let first = try #require(store.served.first)
        #expect(first.isDefault)
        #expect(store.keep([b, a]).isEmpty)
        #expect(store.served.map(\.names) == [["b.example"], ["a.example"]])
        #expect(store.served.map(\.isDefault) == [true, false])
        #expect(store.served[1].id == first.id)
        #expect(store.served[0].id != first.id)
        // A renewed one is another, and handshakes that began with the one before still end.
        let p256 = first.algorithms[0]
        #expect(store.keep([b, try Self.certificate("a", for: "a.example")]).isEmpty)
        #expect(store.served[1].id != first.id)
        #expect(store.sign([1], certificate: first.id, algorithm: p256) != nil)
        #expect(store.keep([b]).isEmpty)
        #expect(store.sign([1], certificate: first.id, algorithm: p256) == nil)
    }
}
