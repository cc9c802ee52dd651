import Foundation
import Model
import Project
import Testing

@Suite struct AssetFolderTests {
    /// Paths of a folder's assets.
    private static func assets(of names: [String], ignoring rules: String) throws -> [String] {
        let folder = NSTemporaryDirectory() + "/martlet-assets-\(Identifier.hex())"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for name in names + [".assetsignore"] {
            let file = URL(filePath: "\(folder)/\(name)")
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data((name == ".assetsignore" ? rules : name).utf8).write(to: file)
        }
        return try AssetFolder(folder).files.map(\.path)
    }

    @Test(arguments: [
        ("", ["/a.js", "/a.map", "/d/b.map", "/d/e/a.js", "/x y"]),
        ("*.map", ["/a.js", "/d/e/a.js", "/x y"]), ("/*.map", ["/a.js", "/d/b.map", "/d/e/a.js", "/x y"]),
        ("d/", ["/a.js", "/a.map", "/x y"]), ("a.js/", ["/a.js", "/a.map", "/d/b.map", "/d/e/a.js", "/x y"]),
        ("*.map\n!b.map", ["/a.js", "/d/b.map", "/d/e/a.js", "/x y"]),
        ("d/**/a.js", ["/a.js", "/a.map", "/d/b.map", "/x y"]), ("**/a.js", ["/a.map", "/d/b.map", "/x y"]),
        ("d/**", ["/a.js", "/a.map", "/x y"]), ("# no\n\n?.js", ["/a.map", "/d/b.map", "/x y"]),
        ("[b-z].map", ["/a.js", "/a.map", "/d/e/a.js", "/x y"]),
        ("[!b].map", ["/a.js", "/d/b.map", "/d/e/a.js", "/x y"]),
        ("x\\ y", ["/a.js", "/a.map", "/d/b.map", "/d/e/a.js"]), ("*", []),
    ])
    func ignoreRules(_ rules: String, _ expected: [String]) throws {
        let names = ["a.js", "a.map", "d/b.map", "d/e/a.js", "x y"]
        // The file with the rules is none of the assets, nor are other rules.
        #expect(
            try Self.assets(of: names + ["_headers", "_redirects", ".dev.vars"], ignoring: rules).sorted() == expected)
    }

    @Test func aFolderAnswersAsASite() throws {
        let folder = NSTemporaryDirectory() + "/martlet-assets-\(Identifier.hex())"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Data("hello".utf8).write(to: URL(filePath: "\(folder)/index.html"))
        let assets = try AssetFolder(folder)
        let site = AssetSite(assets.set(AssetConfiguration()), hasWorker: false)
        let response = site.response(
            to: AssetSite.Request(method: "GET", host: "localhost", path: AssetPath("/".utf8)))
        let file = try #require(response.file)
        #expect(try assets.assetBytes(file.blob, from: 1, count: 3) == Array("ell".utf8))
        #expect(throws: (any Error).self) { _ = try assets.assetBytes(file.blob, from: 1, count: 9) }
    }
}
