import Foundation
import GRDB
import Model
import Store

/// A data folder for one test, gone with it.
final class Fixture {
    let path: String
    private(set) var store: SQLiteStore
    let account: Account

    init() throws {
        path = NSTemporaryDirectory() + "/martlet-store-\(Identifier.hex())"
        store = try SQLiteStore(folder: path)
        account = Account(name: "first", subdomain: "first")
        try store.add(account)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func key(_ name: String) -> ScriptKey { ScriptKey(account: account.id, name: name) }

    /// Adds a version of one module and deploys it.
    @discardableResult
    func deploy(
        _ text: String, as name: String, secrets: [String: String] = [:], bindings: [Binding] = [],
        deploying: Bool = true
    ) throws -> ScriptVersion {
        let version = ScriptVersion(
            source: "api", author: "me", syntax: .modules,
            bindings: bindings + secrets.keys.sorted().map { Binding(name: $0, type: "secret_text") })
        let file = VersionDraft.File(
            name: "index.js", contentType: "application/javascript+module", bytes: Array(text.utf8))
        let base = try store.script(key(name))?.latestVersion
        return try store.add(
            VersionDraft(version: version, files: [file], secrets: secrets, base: base), to: key(name),
            deploying: deploying ? Deployment(source: "api", author: "me", shares: []) : nil)
    }

    /// Closes the store, lets `change` loose on the folder, and opens it again.
    func reopen(after change: (String) throws -> Void = { _ in }) throws {
        store = try SQLiteStore(folder: path + "-other")
        defer { try? FileManager.default.removeItem(atPath: path + "-other") }
        try change(path)
        store = try SQLiteStore(folder: path)
    }

    /// Runs SQL on the database, past the store.
    func execute(_ sql: String) throws {
        try DatabaseQueue(path: "\(path)/martlet.sqlite").write { db in try db.execute(sql: sql) }
    }

    /// The first column of the first row.
    func number(_ sql: String) throws -> Int? {
        try DatabaseQueue(path: "\(path)/martlet.sqlite").read { db in try Int.fetchOne(db, sql: sql) }
    }

    /// Every file of the folder.
    var files: [String] {
        let names = FileManager.default.enumerator(atPath: path)?.compactMap { $0 as? String } ?? []
        return names.map { "\(path)/\($0)" }.filter { name in
            var isFolder: ObjCBool = false
            return FileManager.default.fileExists(atPath: name, isDirectory: &isFolder) && !isFolder.boolValue
        }
    }

    var blobs: [String] { files.filter { $0.contains("/blobs/") } }

    /// Whether a text stands in some file of the folder.
    func holds(_ text: String) throws -> Bool {
        try files.contains { try Data(contentsOf: URL(filePath: $0)).range(of: Data(text.utf8)) != nil }
    }

    /// Flips a bit of a file, where that text begins or at an offset.
    static func damage(_ file: String, at text: String) throws {
        var data = try Data(contentsOf: URL(filePath: file))
        guard let range = data.range(of: Data(text.utf8)) else { throw StoreError(.missing, "\(text) is not there") }
        data[range.lowerBound] ^= 1
        try data.write(to: URL(filePath: file))
    }
}
