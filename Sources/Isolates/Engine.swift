internal import CV8
internal import Synchronization

/// V8 in this process: initialised once, with the runtime's JavaScript in a start-up snapshot.
///
/// Must be started on a thread that is an ancestor of every thread that runs isolates: V8's memory-protection keys are
/// inherited by descent (architecture.md, section 2).
package final class Engine: Sendable {
    /// The bundle that every isolate starts with.
    package struct Bundle: Sendable {
        /// One ASCII expression, `(ops, engine) => entries`. Lives as long as the process.
        nonisolated(unsafe) package let source: UnsafeRawBufferPointer
        package let ops: [Op]
        /// Names of the functions on `entries` that the host calls, in the order of `Entry` numbers.
        package let entries: [String]
        /// The entry that answers a made-up request before the snapshot is taken.
        package let warmUp: Int?

        package init(source: UnsafeRawBufferPointer, ops: [Op], entries: [String], warmUp: Int?) {
            self.source = source
            self.ops = ops
            self.entries = entries
            self.warmUp = warmUp
        }
    }

    /// Settings of V8 for the whole process.
    package struct Options: Sendable {
        /// Without machine code: slower, and less to attack. WebAssembly is gone then.
        package var isJitless = false
        /// V8's flags for tests and experiments, after our own.
        package var extraFlags = ""
        package init() {}
    }

    /// Immutable once made, so any thread may read it.
    nonisolated(unsafe) let snapshot: OpaquePointer
    package let snapshotBytes: Int
    package static var v8Version: String { String(cString: cv8_version()) }

    /// No shared memory, no threads, no code from strings, no background compilation; memory is never writable and
    /// executable at once.
    private static let flags = """
        --single-threaded --no-verify-snapshot-checksum --harmony-import-assertions \
        --no-harmony-sharedarraybuffer --no-harmony-atomics --no-experimental-wasm-threads \
        --disallow-code-generation-from-strings --no-write-code-using-rwx --wasm-max-mem-pages=2048 --stack-size=800
        """

    private static let isStarted = Mutex(false)
    /// Ops by number. Written once, before any isolate exists.
    nonisolated(unsafe) fileprivate static var ops: [Op.Body] = []

    /// - Parameter warmUpHost: what ops meet while the snapshot is made.
    /// - Throws: `EngineError` if the bundle throws.
    package init(bundle: Bundle, options: Options = Options(), warmUpHost: AnyObject) throws(EngineError) {
        let isFirst = Self.isStarted.withLock { started in
            defer { started = true }
            return !started
        }
        precondition(isFirst, "V8 is initialised once per process")
        Self.ops = bundle.ops.map(\.body)
        cv8_initialize(Self.flags + (options.isJitless ? " --jitless " : " ") + options.extraFlags, dispatchOp)
        _ = cv8_thread_attach()
        snapshot = try Self.makeSnapshot(bundle, warmUpHost)
        snapshotBytes = cv8_snapshot_size(snapshot)
    }

    private static func makeSnapshot(_ bundle: Bundle, _ host: AnyObject) throws(EngineError) -> OpaquePointer {
        var error = cv8_error()
        let made = withCStrings(bundle.ops.map(\.name)) { opNames in
            withCStrings(bundle.entries) { entryNames in
                var description = cv8_bundle(
                    source: bundle.source.baseAddress!.assumingMemoryBound(to: CChar.self),
                    source_length: bundle.source.count,
                    op_names: opNames, op_count: bundle.ops.count,
                    entry_names: entryNames, entry_count: bundle.entries.count,
                    warm_up_entry: Int32(bundle.warmUp ?? -1),
                    host: Unmanaged.passUnretained(host).toOpaque())
                return cv8_snapshot_create(&description, &error)
            }
        }
        guard let made else {
            throw EngineError(message: text(error.message), stack: text(error.stack))
        }
        return made
    }
}

/// The runtime's own JavaScript failed to start: a bug in the bundle.
package struct EngineError: Error, Sendable, CustomStringConvertible {
    package let message: String
    package let stack: String
    package var description: String { "The runtime's JavaScript failed at start: \(message)\n\(stack)" }
}

/// The one callback of V8 into Swift. No V8 frame lies above it, so nothing here may enter an isolate.
private func dispatchOp(
    host: UnsafeMutableRawPointer?, index: UInt32, arguments: UnsafePointer<cv8_value>, count: Int,
    result: UnsafeMutablePointer<cv8_value>
) {
    guard let host else { return }
    let call = OpCall(arguments: arguments, count: count, result: result)
    do {
        try Engine.ops[Int(index)](Unmanaged<AnyObject>.fromOpaque(host).takeUnretainedValue(), call)
    } catch {
        call.fails(error)
    }
}

private func withCStrings<Result>(
    _ strings: [String], _ body: (UnsafePointer<UnsafePointer<CChar>>) -> Result
) -> Result {
    let copies = strings.map { string -> UnsafePointer<CChar> in
        let bytes = Array(string.utf8CString)
        let copy = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count)
        copy.initialize(from: bytes, count: bytes.count)
        return UnsafePointer(copy)
    }
    defer { for copy in copies { copy.deallocate() } }
    return copies.withUnsafeBufferPointer { pointers in
        // A list without elements still needs an address.
        pointers.baseAddress.map(body) ?? withUnsafePointer(to: UnsafePointer<CChar>(bitPattern: 8)!, body)
    }
}

/// A text of the bridge, copied.
func text(_ characters: UnsafePointer<CChar>?) -> String { characters.map { String(cString: $0) } ?? "" }
