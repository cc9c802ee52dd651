package import Isolates
package import Model
internal import Synchronization
internal import WebAPI

/// A worker that is being served: its definition, its modules in V8's form, and its counts. Shared by all lanes.
package final class Worker: Sendable {
    package let definition: WorkerDefinition
    package let source: WorkerSource
    package let counts = Counts()
    private let retired = Atomic<Bool>(false)

    /// Replaced or deleted: only requests that were on their way then still come here.
    var isRetired: Bool { retired.load(ordering: .acquiring) }
    func retire() { retired.store(true, ordering: .releasing) }

    package var name: String { definition.name }
    /// Service-worker syntax: variables are globals, handlers are listeners.
    var isScript: Bool { definition.modules.first?.kind == .script }

    /// Entries to call before the worker's top level is evaluated.
    var preparations: [Bundle.Entry] {
        (definition.compatibility.isStandard ? [] : [.applyCompatibility]) + (isScript ? [.exposeEnvironment] : [])
    }

    package init(_ definition: WorkerDefinition) {
        self.definition = definition
        source = WorkerSource(
            modules: definition.modules.map {
                WorkerSource.Module(name: $0.name, kind: WorkerSource.Kind($0.kind), bytes: $0.bytes)
            })
    }

    /// Counters, all since the start.
    package final class Counts: Sendable {
        private let requestCount = Atomic<Int>(0)
        private let errorCount = Atomic<Int>(0)
        private let cpuNanoseconds = Atomic<UInt64>(0)
        private let coldStartCount = Atomic<Int>(0)
        private let isolateCount = Atomic<Int>(0)
        private let memoryBytes = Atomic<Int>(0)

        package var requests: Int { requestCount.load(ordering: .relaxed) }
        /// Requests whose outcome was not `ok`.
        package var errors: Int { errorCount.load(ordering: .relaxed) }
        /// In nanoseconds, start-up included.
        package var cpuTime: UInt64 { cpuNanoseconds.load(ordering: .relaxed) }
        package var coldStarts: Int { coldStartCount.load(ordering: .relaxed) }
        /// Isolates that run the worker now, and what they use as of their last collections, in bytes.
        package var isolates: Int { isolateCount.load(ordering: .relaxed) }
        package var memory: Int { memoryBytes.load(ordering: .relaxed) }

        func addRequest() { requestCount.add(1, ordering: .relaxed) }
        func addError() { errorCount.add(1, ordering: .relaxed) }
        func addCPUTime(_ nanoseconds: UInt64) { cpuNanoseconds.add(nanoseconds, ordering: .relaxed) }
        func addColdStart() { coldStartCount.add(1, ordering: .relaxed) }
        func addIsolate(_ count: Int) { isolateCount.add(count, ordering: .relaxed) }
        func addMemory(_ bytes: Int) { memoryBytes.add(bytes, ordering: .relaxed) }
    }
}

extension WorkerSource.Kind {
    fileprivate init(_ kind: WorkerDefinition.Module.Kind) {
        switch kind {
        case .javaScript: self = .javaScript
        case .text: self = .text
        case .data: self = .data
        case .json: self = .json
        case .wasm: self = .wasm
        case .script: self = .script
        }
    }
}
