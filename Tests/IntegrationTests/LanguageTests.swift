import Foundation
import Testing

/// `examples/`: Workers in other languages, made with Debian's compilers.
@Suite("Other languages") struct LanguageTests {
    private static let examples = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../examples").standardized

    /// Builds an example and runs it. Its compiler is Debian's, whatever else is in PATH.
    private static func start(_ language: String, _ compiler: (variable: String, path: String)) throws -> Martlet {
        let folder = try ScratchFolder()
        let isThere = FileManager.default.isExecutableFile(atPath: compiler.path)
        try #require(isThere, "there is no \(compiler.path): run make deps")
        let result = try Program.run(
            examples.appending(path: "\(language)/build").path, ["\(folder.path)/out"],
            environment: [compiler.variable: compiler.path, "GOCACHE": "\(folder.path)/cache"])
        try #require(result.status == 0, "\(result.output)")
        // A Go program takes half of what a request may use to start.
        return try Martlet.dev("\(folder.path)/out", ["--cpu-ms", "5000", "--startup-cpu-ms", "5000"])
    }

    private static func post(_ martlet: Martlet, _ text: String) throws -> Answer {
        let client = try martlet.client()
        try client.send("POST", "/", body: Array(text.utf8))
        return try client.answer(by: .patient)
    }

    @Test func rust() throws {
        let martlet = try Self.start("rust", ("RUSTC", "/usr/bin/rustc"))
        #expect(
            try Self.post(martlet, "über alle Worte").text == "3 words, 13 letters; the longest is \"Worte\".\n")
        #expect(try Self.post(martlet, "").text == "0 words, 0 letters; the longest is \"\".\n")
        // More than fits into the memory that it began with.
        let long = String(repeating: "word ", count: 1 << 20)
        #expect(try Self.post(martlet, long).text.hasPrefix("1048576 words, 4194304 letters"))
        #expect(try martlet.get().status == 405)
    }

    @Test func go() throws {
        let martlet = try Self.start("go", ("GO", "/usr/bin/go"))
        #expect(try Self.post(martlet, "pear apple fig").text == "apple\nfig\npear\n")
        #expect(try Self.post(martlet, "b a").text == "a\nb\n")
        #expect(try martlet.get().status == 405)
    }

    @Test func c() throws {
        let martlet = try Self.start("c", ("CLANG", "/usr/bin/clang"))
        let lines = try martlet.get("/?width=41&height=11").text.split(separator: "\n")
        #expect(lines.count == 11)
        #expect(lines.allSatisfy { $0.count == 41 })
        // The set is there, and so is what surrounds it.
        #expect(lines[5].contains("@@@@"))
        #expect(lines[0].hasPrefix("..."))
        #expect(try martlet.get("/?width=500").status == 400)
    }
}
