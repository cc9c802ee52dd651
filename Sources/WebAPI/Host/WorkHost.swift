internal import Glibc
package import Isolates

/// Memory of the isolate that native code holds for its JavaScript, and native work that takes long.
package protocol WorkHost: AnyObject {
    /// Makes `bytes` the isolate's, for the result of an op. Nil if that would go over its memory limit.
    func adopt(_ bytes: WorkBytes) -> ChargedBuffer?
    /// Charges bytes of native memory to the isolate. False, and nothing has happened, if it may not have them.
    func charge(_ bytes: Int) -> Bool
    func discharge(_ bytes: Int)

    /// Lets another thread do `work`, on the account of the request whose code is running. `memory`: bytes that it
    /// holds, charged to the isolate until it has ended.
    /// - Returns: the ticket for its result; nil if no request's code is running, and nothing has happened.
    func begin(holding memory: Int, _ work: @escaping Work) throws(OpError) -> Int?
}

/// Native work that may take long: done on any thread, once. What can be stopped looks at its allowance now and then.
package typealias Work = @Sendable (WorkAllowance) -> WorkResult

/// What native work came to.
package enum WorkResult: Sendable {
    case bytes(WorkBytes)
    case bool(Bool)
    case failed(OpError)
    /// The allowance was used up. Nobody sees a result: the request is over its limit, or gone.
    case stopped
}

/// The CPU time that work may use on the thread that does it.
package struct WorkAllowance: Sendable {
    /// For work that runs while a worker's top level is evaluated, in nanoseconds: half of the time that is for that.
    static let atStart: UInt64 = 500_000_000

    private let end: UInt64
    private let isCanceled: @Sendable () -> Bool

    /// Made on the thread that does the work, when it begins. `nanoseconds` of its CPU time.
    package init(nanoseconds: UInt64, isCanceled: @escaping @Sendable () -> Bool = { false }) {
        end = CPUClock.threadTime().addingReportingOverflow(nanoseconds).partialValue
        self.isCanceled = isCanceled
    }

    /// Whether the work must stop. Costs a system call, 0.4 us.
    package var isUsedUp: Bool { CPUClock.threadTime() >= end || isCanceled() }
}

/// Bytes that native code has made, on their way to an isolate: malloc's memory, until somebody takes it.
package final class WorkBytes: @unchecked Sendable {
    // Sound because it has one owner at a time, who passes it on.
    private var memory: UnsafeMutableRawBufferPointer?

    /// Uninitialised. Nil if there is no such memory.
    package init?(count: Int) {
        guard let start = malloc(max(count, 1)) else { return nil }
        memory = UnsafeMutableRawBufferPointer(start: start, count: count)
    }

    package convenience init?(copying bytes: UnsafeRawBufferPointer) {
        self.init(count: bytes.count)
        self.bytes.copyMemory(from: bytes)
    }

    deinit { free(memory?.baseAddress) }

    package var bytes: UnsafeMutableRawBufferPointer { memory! }

    /// Hands the memory over to `taker`, who frees it, if it takes it.
    package func give<Taken>(to taker: (UnsafeMutableRawBufferPointer) -> Taken?) -> Taken? {
        guard let memory, let taken = taker(memory) else { return nil }
        self.memory = nil
        return taken
    }
}

extension OpError {
    static let outOfMemory = OpError.range("Array buffer allocation failed")
}

extension WebHost {
    /// Ends an op with what its work came to.
    func returns(_ result: WorkResult, to call: OpCall) throws(OpError) {
        switch result {
        case .bytes(let bytes):
            guard let owned = work.adopt(bytes) else { throw .outOfMemory }
            call.returns(.owned(owned))
        case .bool(let flag): call.returns(flag)
        case .failed(let error): throw error
        case .stopped: throw OpError("OperationError", "The operation takes too long to be done here.")
        }
    }
}
