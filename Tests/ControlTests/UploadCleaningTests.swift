import Control
import Foundation
import Model
import NIOCore
import NIOPosix
import Store
import Testing

@Suite struct UploadCleaningTests {
    @Test func uploadsThatNobodyUsesGo() async throws {
        let path = NSTemporaryDirectory() + "/martlet-cleaning-\(Identifier.hex())"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let store = try SQLiteStore(folder: path)
        let account = Account(name: "first")
        try store.add(account)
        let hash = String(repeating: "a", count: 32)
        try store.addUploads([(hash, Array("one".utf8), nil)], of: account.id)
        let threads = NIOThreadPool(numberOfThreads: 1)
        threads.start()
        // Older than a minute that is still to come: everything is.
        UploadCleaning(store, lifetime: .minutes(-1), on: threads) { _ in }.start(every: .milliseconds(20))
        let clock = ContinuousClock()
        let deadline = clock.now + .seconds(60)
        func isThere() throws -> Bool { try !store.uploads([hash], of: account.id).isEmpty }
        while try isThere(), clock.now < deadline { try await Task.sleep(for: .milliseconds(5)) }
        #expect(try !isThere())
    }
}
