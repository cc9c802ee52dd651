import Foundation
import NIOSSL
import Testing

/// Hosts that prove who they are by keys that they have not.
@Suite("TLS without keys") struct HostTLSTests {
    private static func key(_ arguments: [String], _ folder: CertificateFolder, _ label: String) throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/openssl")
        process.arguments =
            ["req", "-x509", "-nodes", "-days", "2", "-subj", "/CN=x", "-addext", "subjectAltName=DNS:a.localhost"]
            + arguments + ["-out", folder.certificate(label), "-keyout", folder.key(label)]
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
    }

    @Test(
        arguments: [
            ["-newkey", "rsa:2048"], ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"],
            ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:secp384r1"],
        ])
    func everyKindOfKeySigns(_ arguments: [String]) throws {
        let certificates = try CertificateFolder()
        try Self.key(arguments, certificates, "default")
        let folder = try ScratchFolder()
        try folder.write("a.js", "export default { fetch: (r) => new Response(r.cf.tlsVersion) };")
        let martlet = try Martlet.serve(folder.path, ["--tls-port", "0", "--tls-dir", certificates.path])
        try martlet.takeAddress()
        for version in [TLSVersion.tlsv12, .tlsv13] {
            let client = try SecureClient(port: martlet.ports[1], name: "a.localhost", newest: version, by: .patient)
            client.send("GET / HTTP/1.1\r\nHost: a.localhost\r\nConnection: close\r\n\r\n")
            let text = String(decoding: try client.receiveAll(by: .patient), as: UTF8.self)
            #expect(text.hasSuffix(version == .tlsv12 ? "TLSv1.2" : "TLSv1.3"), "\(text)")
        }
        let http2 = try SecureClient(port: martlet.ports[1], name: "a.localhost", protocols: ["h2"], by: .patient)
        #expect(http2.negotiated == "h2")
    }

    /// Those that not every client takes: by openssl's.
    @Test(arguments: [["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:secp521r1"], ["-newkey", "ed25519"]])
    func rareKindsOfKeysSign(_ arguments: [String]) throws {
        let certificates = try CertificateFolder()
        try Self.key(arguments, certificates, "default")
        let folder = try ScratchFolder()
        try folder.write("a.js", "export default { fetch: () => new Response('signed') };")
        let martlet = try Martlet.serve(folder.path, ["--tls-port", "0", "--tls-dir", certificates.path])
        try martlet.takeAddress()
        let client = Process()
        client.executableURL = URL(filePath: "/usr/bin/openssl")
        client.arguments = [
            "s_client", "-quiet", "-connect", "127.0.0.1:\(martlet.ports[1])", "-servername", "a.localhost",
        ]
        let (input, output) = (Pipe(), Pipe())
        client.standardInput = input
        client.standardOutput = output
        client.standardError = FileHandle.nullDevice
        try client.run()
        let request = "GET / HTTP/1.1\r\nHost: a.localhost\r\nConnection: close\r\n\r\n"
        try input.fileHandleForWriting.write(contentsOf: Data(request.utf8))
        let answer = try output.fileHandleForReading.readToEnd() ?? Data()
        client.waitUntilExit()
        #expect(String(decoding: answer, as: UTF8.self).hasSuffix("signed"))
    }

    /// The key's bytes are nowhere in the memory of the process that serves.
    @Test func theKeyNeverEntersAHost() throws {
        let certificates = try CertificateFolder()
        try Self.key(["-newkey", "rsa:2048"], certificates, "default")
        let folder = try ScratchFolder()
        try folder.write("a.js", "export default { fetch: () => new Response('a') };")
        let flags = ["--tls-port", "0", "--tls-dir", certificates.path, "--sandbox", "off", "--blank-isolates", "0"]
        let martlet = try Martlet.serve(folder.path, flags)
        try martlet.takeAddress()
        let client = try SecureClient(port: martlet.ports[1], name: "a.localhost", by: .patient)
        client.send("GET / HTTP/1.1\r\nHost: a.localhost\r\nConnection: close\r\n\r\n")
        _ = try client.receiveAll(by: .patient)
        let lines = try String(contentsOfFile: certificates.key("default"), encoding: .utf8).split(separator: "\n")
        let secret = Array(Data(base64Encoded: lines[1...].dropLast().joined())!.suffix(64))
        let status = try Client(port: martlet.ports[2]).get("/__martlet/status").json()
        let host = try #require(status["hosts"][0]["pid"].int)
        #expect(try Self.memory(of: martlet.id, holds: Array(lines[5].utf8)))
        #expect(try !Self.memory(of: pid_t(host), holds: secret))
        #expect(try !Self.memory(of: pid_t(host), holds: Array(lines[5].utf8)))
        // The search finds what is there.
        #expect(try Self.memory(of: pid_t(host), holds: Array("new Response('a')".utf8)))
    }

    /// A host has the certificates that are good for its cordon's names, and no others.
    @Test func certificatesGoByCordon() throws {
        let certificates = try CertificateFolder()
        try certificates.make("default", names: ["*.main.localhost"])
        try certificates.make("shop", names: ["www.shop.example"])
        let flags = ["--tls-port", "0", "--tls-dir", certificates.path, "--sandbox", "off", "--blank-isolates", "0"]
        let platform = try Platform(flags)
        for name in ["a", "b"] { try platform.deploy(Platform.answering(name), as: name) }
        let zone = #"{"name":"shop.example","account":{"id":"\#(platform.account)"}}"#
        try platform.done("POST", "/zones", json: zone)
        try platform.done(
            "PUT", "/accounts/{A}/workers/domains", json: #"{"hostname":"www.shop.example","service":"b"}"#)
        try platform.setCordon("paid")
        try platform.setCordon("free", of: "a")
        func answer(_ name: String) throws -> String {
            let client = try SecureClient(port: platform.martlet.ports[1], name: name, by: .patient)
            client.send("GET / HTTP/1.1\r\nHost: \(name)\r\nConnection: close\r\n\r\n")
            return String(decoding: try client.receiveAll(by: .patient), as: UTF8.self)
        }
        try wait(until: "each is served", by: .patient) {
            try answer("a.main.localhost").hasSuffix("\r\na") && answer("www.shop.example").hasSuffix("\r\nb")
        }
        // A host of each, which was never told of the other's.
        let rows = try platform.martlet.serverStatus()["hosts"].array ?? []
        for row in rows { kill(pid_t(try #require(row["pid"].int)), SIGKILL) }
        try wait(until: "each is served again", by: .patient) {
            (try? answer("a.main.localhost"))?.hasSuffix("\r\na") == true
                && (try? answer("www.shop.example"))?.hasSuffix("\r\nb") == true
        }
        let text = try String(contentsOfFile: certificates.certificate("shop"), encoding: .utf8)
        let line = Array(text.split(separator: "\n")[4].utf8)
        for row in try platform.martlet.serverStatus()["hosts"].array ?? [] {
            let process = pid_t(try #require(row["pid"].int))
            #expect(try Self.memory(of: process, holds: line) == (row["cordon"].string == "paid"))
        }
    }

    private static func memory(of process: pid_t, holds bytes: [UInt8]) throws -> Bool {
        let maps = try String(contentsOfFile: "/proc/\(process)/maps", encoding: .utf8)
        let memory = open("/proc/\(process)/mem", O_RDONLY)
        try #require(memory >= 0)
        defer { close(memory) }
        for line in maps.split(separator: "\n") where line.contains(" rw") {
            let range = line.prefix { $0 != " " }.split(separator: "-").compactMap { UInt64($0, radix: 16) }
            let size = Int(range[1] - range[0])
            guard size <= 1 << 30 else { continue }
            var block = [UInt8](repeating: 0, count: size)
            let count = pread(memory, &block, size, off_t(range[0]))
            guard count > 0 else { continue }
            if Data(block[..<count]).firstRange(of: bytes) != nil { return true }
        }
        return false
    }
}
