import Foundation
import Testing

private enum FullDisk {
    /// A command that runs a script where it may mount, for itself alone.
    static func mounting(_ script: String) -> [String] {
        ["/usr/bin/unshare", "--map-root-user", "--mount", "/bin/sh", "-c", script]
    }

    static let canMount: Bool = {
        let process = Process()
        let command = mounting("mount -t tmpfs none /mnt")
        process.executableURL = URL(filePath: command[0])
        process.arguments = Array(command.dropFirst())
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }()
}

/// A data folder on a file system of 8 MB of its own, which fills up.
@Suite(
    "A full disk",
    .enabled(if: FullDisk.canMount, "mounts need user namespaces, which this machine does not allow"))
struct FullDiskTests {
    @Test func deploysFailAndServingGoesOn() throws {
        let platform = try Platform(under: { folder in
            let data = "\(folder.path)/data"
            return FullDisk.mounting(
                "mkdir -p \(data) && mount -t tmpfs -o size=8m,mode=700 none \(data) && exec \"$0\" \"$@\"")
        })
        try platform.deploy(Platform.answering("small"), as: "small")
        let namespaces = "/accounts/{A}/storage/kv/namespaces"
        let id = try #require(try platform.done("POST", namespaces, json: #"{"title":"n"}"#)["id"].string)
        let value = [UInt8](repeating: 7, count: 200_000)
        func put(_ number: Int) throws -> Int {
            try platform.call("PUT", "\(namespaces)/\(id)/values/k\(number)", body: value).status
        }
        #expect(try put(0) == 200)
        var refused: Platform.Envelope?
        for number in 0..<20 where refused == nil {
            let filler = (0..<100_000).map { _ in String(UInt64.random(in: 0...UInt64.max), radix: 36) }
            let envelope = try platform.upload(
                "// \(filler.joined())\n\(Platform.answering("big"))", as: "big\(number)")
            if envelope.status != 200 { refused = envelope }
        }
        let envelope = try #require(refused)
        #expect(envelope.status == 507, "\(envelope.summary)")
        #expect(envelope.message == "The server's disk is full; nothing was changed")
        #expect(try platform.get("small").text == "small")
        // The refused upload has taken nothing: what fits is taken.
        try platform.deploy(Platform.answering("changed"), as: "small")
        #expect(try platform.get("small").text == "changed")
        var status = 200
        for number in 1..<60 where status == 200 { status = try put(number) }
        #expect(status == 507)
        #expect(try platform.raw("GET", "\(namespaces)/\(id)/values/k0").body == value)
        #expect(try platform.get("small").text == "changed")
    }
}
