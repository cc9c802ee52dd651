internal import Synchronization

/// Small assets, kept in memory for the whole process. Any thread.
///
/// Two generations: what is asked for moves to the younger one; when that is full it becomes the older one, and what
/// nobody asked for since then goes.
final class AssetCache: Sendable {
    /// Bytes of the largest asset that is kept. Larger ones are read piece by piece.
    static let largest = 1 << 20
    /// Bytes of one generation.
    private static let generation = 32 << 20

    private struct State {
        var young: [String: [UInt8]] = [:]
        var old: [String: [UInt8]] = [:]
        var youngBytes = 0

        mutating func insert(_ blob: String, _ bytes: [UInt8]) {
            guard young.updateValue(bytes, forKey: blob) == nil else { return }
            youngBytes += bytes.count
            guard youngBytes > generation else { return }
            old = young
            young = [:]
            youngBytes = 0
        }
    }

    private let state = Mutex(State())

    subscript(blob: String) -> [UInt8]? {
        state.withLock { state in
            if let bytes = state.young[blob] { return bytes }
            guard let bytes = state.old[blob] else { return nil }
            state.insert(blob, bytes)
            return bytes
        }
    }

    func keep(_ blob: String, _ bytes: [UInt8]) {
        guard bytes.count <= Self.largest else { return }
        state.withLock { $0.insert(blob, bytes) }
    }
}
