import Foundation
import Model
import Store

/// What Workers under `martlet dev` store: a store of their own, in the project's folder or for this run only.
final class LocalStorage: Sendable {
    let store: SQLiteStore
    /// Nil if it stays.
    private let scratch: String?

    /// - Parameter folder: the project's; nil keeps nothing.
    init(in folder: String?) throws {
        let path: String
        if let folder {
            path = "\(folder)/.martlet/state"
            scratch = nil
        } else {
            path = "\(NSTemporaryDirectory())/martlet-\(Identifier.hex())"
            scratch = path
        }
        do {
            let above = path[..<path.lastIndex(of: "/")!]
            try FileManager.default.createDirectory(atPath: String(above), withIntermediateDirectories: true)
            store = try SQLiteStore(folder: path)
            if try store.account(DevWorker.account) == nil {
                try store.add(Account(id: DevWorker.account, name: DevWorker.account))
            }
        } catch {
            let remedy =
                (error as? StoreError)?.kind == .locked ? ": another 'martlet dev'? --no-persist goes besides it" : ""
            throw CleanFailure("\(error)\(remedy)")
        }
    }

    /// Makes namespaces that are not there.
    func prepare(_ namespaces: [String]) throws {
        for id in namespaces where try store.namespace(id, of: DevWorker.account) == nil {
            try store.add(KVNamespace(id: id, title: id), to: DevWorker.account)
        }
    }

    /// Before the process ends.
    func close() {
        if let scratch { try? FileManager.default.removeItem(atPath: scratch) }
    }
}
