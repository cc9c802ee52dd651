package import Model
package import NIOCore
package import NIOPosix

/// Drops content that was uploaded and that no version came to use, again and again.
package final class UploadCleaning: Sendable {
    /// How long such content stays.
    package static let lifetime = TimeAmount.hours(24)

    private let store: any AssetStore
    private let lifetime: TimeAmount
    private let threads: NIOThreadPool
    private let complain: @Sendable (String) -> Void

    /// - Parameters:
    ///   - threads: that may wait for the disk.
    ///   - complain: told why something could not be dropped; it is tried again the next time.
    package init(
        _ store: any AssetStore, lifetime: TimeAmount = lifetime, on threads: NIOThreadPool,
        complain: @escaping @Sendable (String) -> Void
    ) {
        self.store = store
        self.lifetime = lifetime
        self.threads = threads
        self.complain = complain
    }

    /// Begins at once, and goes on as long as the process lives.
    package func start(every interval: TimeAmount = .hours(1)) {
        MultiThreadedEventLoopGroup.singleton.next().scheduleRepeatedTask(initialDelay: .zero, delay: interval) { _ in
            self.threads.submit { _ in self.clean() }
        }
    }

    private func clean() {
        let age = lifetime.nanoseconds / 1_000_000
        do {
            try store.dropUploads(before: Timestamp(milliseconds: Timestamp.now.milliseconds - age))
        } catch {
            complain("uploads that nobody uses cannot be dropped: \(error)")
        }
    }
}
