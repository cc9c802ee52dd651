import Foundation
import Testing

/// Open-source programs as Debian packages them, unmodified, bundled with Debian's esbuild as Workers are, and run as
/// workers. Each folder of `Tests/RealCode` uses one in its `index.js`. Right is what Node.js answers with the same
/// bundle.
@Suite("Real code") struct RealCodeTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardized
    private static let programs = root.appending(path: "Tests/RealCode")
    /// What tools/real-code.sh has unpacked.
    private static let packages = root.appending(path: ".deps/real-code")

    static let names: [String] = {
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: programs.path)) ?? []
        return entries.filter { !$0.contains(".") }.sorted()
    }()

    @Test func thereAreTenAtLeast() { #expect(Self.names.count >= 10) }

    @Test(arguments: names)
    func program(_ name: String) throws {
        let folder = try ScratchFolder()
        let bundle = "\(folder.path)/index.js"
        try folder.write("package.json", "{ \"type\": \"module\" }")
        try Self.run(
            "usr/bin/esbuild",
            [
                Self.programs.appending(path: "\(name)/index.js").path, "--bundle", "--format=esm", "--target=es2022",
                "--platform=browser", "--main-fields=browser,module,main", "--conditions=workerd,worker,browser",
                "--define:process.env.NODE_ENV=\"production\"", "--loader:.wasm=copy", "--asset-names=[name]",
                "--log-level=error", "--outfile=\(bundle)",
            ])
        let expected = try Self.run("node", [Self.programs.appending(path: "node.mjs").path, bundle])
        try #require(expected.count > 2, "Node.js answers with nothing")
        let martlet = try Martlet.dev(bundle, ["--cpu-ms", "10000", "--startup-cpu-ms", "10000"])
        let answer = try martlet.client().get("/", by: .patient)
        #expect(answer.status == 200, "\(answer.summary)")
        for difference in try answer.json().differences(from: JSON(expected)) { Issue.record("\(name): \(difference)") }
    }

    /// What a program prints.
    @discardableResult
    private static func run(_ program: String, _ arguments: [String]) throws -> Data {
        let executable = packages.appending(path: program)
        try #require(
            FileManager.default.isExecutableFile(atPath: executable.path), "there is no \(program): run make deps")
        let process = Process()
        process.executableURL = executable
        process.arguments = arguments
        process.environment = ["NODE_PATH": packages.appending(path: "usr/share/nodejs").path]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "\(program) failed: \(arguments[0])")
        return data
    }
}
