internal import CV8

/// Why a call into JavaScript did not end well.
package enum CallFailure: Error, Sendable {
    /// JavaScript threw, and nobody caught it. The isolate is fine.
    case exception(ScriptError)
    /// The CPU budget was used up. The isolate is condemned.
    case exceededCPU
    /// Over the memory limit. The isolate is condemned.
    case exceededMemory
    /// V8 failed fatally in another way. The isolate is condemned.
    case fatal(String)

    package var condemns: Bool {
        if case .exception = self { return false }
        return true
    }
}

/// An uncaught exception, with the place it came from.
package struct ScriptError: Sendable {
    package var message: String
    package var stack: String
    /// The module's name; empty if unknown.
    package var resource: String
    package var sourceLine: String
    /// From 1; 0 if unknown.
    package var line: Int
    package var column: Int
}

/// One V8 isolate with one context. Used by one thread at a time; handed on only through `Detached`.
package final class Isolate {
    /// A function of the bundle that the host calls: its place in `Engine.Bundle.entries`.
    package struct Entry: Sendable {
        let number: UInt32
        package init(_ number: Int) { self.number = UInt32(number) }
    }

    /// Memory in bytes, as V8 counts it.
    package struct Memory: Sendable {
        package var heapUsed = 0
        package var heapCommitted = 0
        package var buffers = 0
        package var wasm = 0
        package var malloced = 0
        /// What counts against the limit.
        package var counted: Int { heapUsed + buffers + wasm }
    }

    let pointer: OpaquePointer
    /// After a limit or a fatal error: never entered again, only disposed of.
    package private(set) var isCondemned = false
    /// CPU time of all calls so far, in nanoseconds, and of the last one.
    package private(set) var cpuTime: UInt64 = 0
    package private(set) var lastCallCPUTime: UInt64 = 0
    /// Keeps alive what the isolate's modules point into.
    private var source: WorkerSource?
    private var compiledSources: [WorkerSource] = []
    private var host: AnyObject?
    /// Whose code it runs, for `CrashSlots`; 0: nobody's.
    package var tag: UInt64 = 0

    /// A blank isolate: about 3 ms. Nil if the process has no memory for one.
    package init?(engine: Engine, memoryLimit: Int) {
        var limits = cv8_limits(memory_bytes: memoryLimit)
        guard let pointer = cv8_isolate_create(engine.snapshot, &limits) else { return nil }
        self.pointer = pointer
    }

    /// What ops get as their host from now on; kept alive by the isolate.
    package func setHost(_ host: AnyObject?) {
        self.host = host
        cv8_isolate_set_host(pointer, host.map { Unmanaged.passUnretained($0).toOpaque() })
    }

    package func setMemoryLimit(_ bytes: Int) { cv8_isolate_set_memory_limit(pointer, bytes) }

    // MARK: Calls

    /// Calls an entry and runs all microtasks, on at most `budget` nanoseconds of CPU time.
    package func call(_ entry: Entry, _ arguments: FlatValue..., on thread: IsolateThread, budget: UInt64)
        throws(CallFailure)
    {
        let failure = withUnsafeTemporaryAllocation(of: cv8_value.self, capacity: max(1, arguments.count)) { flat in
            for (index, argument) in arguments.enumerated() { argument.write(to: flat.baseAddress! + index) }
            return run(on: thread, budget: budget) { error in
                cv8_isolate_call(pointer, entry.number, flat.baseAddress, arguments.count, &error)
            }
        }
        if let failure { throw failure }
    }

    /// The same with one number, which is what the hot entries take: no array is made.
    package func call(_ entry: Entry, number: Double, on thread: IsolateThread, budget: UInt64) throws(CallFailure) {
        var argument = cv8_value()
        argument.kind = UInt32(CV8_NUMBER)
        argument.number = number
        let failure = run(on: thread, budget: budget) { error in
            cv8_isolate_call(pointer, entry.number, &argument, 1, &error)
        }
        if let failure { throw failure }
    }

    /// Calls an entry of the runtime's own, after which nothing of the tenant's runs either: what it queues runs with
    /// the next call.
    package func tell(_ entry: Entry, _ argument: FlatValue, on thread: IsolateThread, budget: UInt64)
        throws(CallFailure)
    {
        var flat = cv8_value()
        argument.write(to: &flat)
        let failure = run(on: thread, budget: budget) { error in
            cv8_isolate_tell(pointer, entry.number, &flat, 1, &error)
        }
        if let failure { throw failure }
    }

    /// Compiles, links and evaluates a worker's modules, then calls `loaded` with the main module's namespace.
    package func load(
        _ source: WorkerSource, loaded: Entry, on thread: IsolateThread, budget: UInt64
    ) throws(CallFailure) {
        self.source = source
        let failure = source.withModules { modules in
            run(on: thread, budget: budget) { error in
                cv8_isolate_load(pointer, modules.baseAddress!, modules.count, loaded.number, &error)
            }
        }
        if let failure { throw failure }
    }

    /// Collects all garbage.
    package func collectGarbage(on thread: IsolateThread, budget: UInt64) throws(CallFailure) {
        if let failure = run(on: thread, budget: budget, { cv8_isolate_collect(pointer, &$0) }) { throw failure }
    }

    /// Compiles a module of `source` without running it and gives its code cache, if it compiles.
    func precompile(
        _ module: inout cv8_module, of source: WorkerSource, on thread: IsolateThread, budget: UInt64
    ) -> cv8_code_cache {
        // V8's strings point into it as long as the isolate lives.
        if compiledSources.last !== source { compiledSources.append(source) }
        var cache = cv8_code_cache()
        _ = run(on: thread, budget: budget) { error in
            cv8_isolate_precompile(pointer, &module, &cache, &error)
        }
        return cache
    }

    /// Gives the code caches and compiled Wasm of the modules to other isolates of the same worker. After the first
    /// request that is what requests need. Once per worker; none of its code runs.
    package func shareCompiledCode(on thread: IsolateThread, budget: UInt64) throws(CallFailure) {
        guard let source, source.beginSharing() else { return }
        for module in 0..<source.moduleCount {
            var cache = cv8_code_cache()
            let failure = run(on: thread, budget: budget) { error in
                cv8_isolate_code_cache(pointer, module, &cache, &error)
            }
            source.adopt(cache, wasm: failure == nil ? cv8_isolate_compiled_wasm(pointer, module) : nil, at: module)
            if let failure { throw failure }
        }
    }

    private func run(
        on thread: IsolateThread, budget: UInt64, _ body: (inout cv8_error) -> cv8_status
    ) -> CallFailure? {
        precondition(!isCondemned, "A condemned isolate is never entered again")
        var error = cv8_error()
        thread.beginCall(of: pointer, tag: tag, budget: budget)
        let status = body(&error)
        let call = thread.endCall()
        lastCallCPUTime = call.cpuTime
        cpuTime &+= call.cpuTime
        if status == CV8_OK && !call.wasTerminated { return nil }
        return failure(status, error, wasTerminated: call.wasTerminated)
    }

    private func failure(_ status: cv8_status, _ error: cv8_error, wasTerminated: Bool) -> CallFailure {
        if status == CV8_EXCEPTION && !wasTerminated {
            return .exception(ScriptError(error))
        }
        isCondemned = true
        switch error.cause {
        case CV8_CAUSE_MEMORY: return .exceededMemory
        case CV8_CAUSE_FATAL: return .fatal(text(error.message))
        default: return .exceededCPU
        }
    }

    // MARK: Memory

    /// Memory as of now: walks the heap's spaces, some microseconds.
    package var memory: Memory {
        let now = cv8_isolate_memory(pointer)
        return Memory(
            heapUsed: now.heap_used, heapCommitted: now.heap_committed, buffers: now.buffers, wasm: now.wasm,
            malloced: now.malloced)
    }

    /// What counts against the limit, as of the last collection; free.
    package var memoryEstimate: Int { cv8_isolate_memory_estimate(pointer) }

    /// What the isolate's buffers are charged to.
    package private(set) lazy var account = MemoryAccount(of: self)

    /// Charges memory that the host holds for the isolate's code. False, and nothing has happened, if that goes over
    /// the limit.
    package func charge(_ bytes: Int) -> Bool { cv8_isolate_charge(pointer, bytes) }

    package func discharge(_ bytes: Int) { cv8_isolate_discharge(pointer, bytes) }

    // MARK: Handing on

    /// An isolate between two threads: nobody uses it, so it may cross.
    package struct Detached: @unchecked Sendable {
        // Sound because `detach` is the owner's last use, and `attach` the new owner's first.
        fileprivate let isolate: Isolate
        package func attach() -> Isolate { isolate }
    }

    package consuming func detach() -> Detached { Detached(isolate: self) }

    /// Ends the isolate on the calling thread. Nobody may use it any more.
    package consuming func discard() { _ = dispose() }

    /// Ends the isolate. False if V8 failed fatally while it did: then the memory is lost.
    func dispose() -> Bool { cv8_isolate_dispose(pointer) }
}

extension ScriptError {
    fileprivate init(_ error: cv8_error) {
        message = text(error.message)
        stack = text(error.stack)
        resource = text(error.resource)
        sourceLine = text(error.source_line)
        line = Int(error.line)
        column = Int(error.column)
    }
}
