package import Isolates
package import Model
internal import Synchronization
internal import WebAPI

/// A worker that is being served: its definition, its modules in V8's form, and its counts. Shared by all lanes.
package final class Worker: Sendable {
    package let definition: WorkerDefinition
    package let source: WorkerSource
    /// Nil if there are none.
    let assets: WorkerAssets?
    package let counts = Counts()
    package let sourceMaps: SourceMaps
    private let retired = Atomic<Bool>(false)

    /// Replaced or deleted: only requests that were on their way then still come here.
    package var isRetired: Bool { retired.load(ordering: .acquiring) }
    func retire() { retired.store(true, ordering: .releasing) }

    package var name: String { definition.name }
    /// False if there are only assets.
    package var hasCode: Bool { !definition.modules.isEmpty }
    /// Service-worker syntax: variables are globals, handlers are listeners.
    var isScript: Bool { definition.modules.first?.kind == .script }

    /// Entries to call before the worker's top level is evaluated.
    var preparations: [Bundle.Entry] {
        (definition.compatibility.isStandard ? [] : [.applyCompatibility]) + (isScript ? [.exposeEnvironment] : [])
    }

    package init(_ definition: WorkerDefinition, assets: WorkerAssets? = nil) {
        self.assets = assets
        self.definition = definition
        sourceMaps = SourceMaps(definition.sourceMaps)
        source = WorkerSource(
            name: definition.name,
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

        private let wallMicroseconds = Atomic<Int64>(0)
        private let wallTenths = Atomic<Int64>(0)
        private let subrequestCount = Atomic<Int64>(0)
        private let byteCountIn = Atomic<Int64>(0)
        private let byteCountOut = Atomic<Int64>(0)
        private let readCount = Atomic<Int64>(0)
        private let writeCount = Atomic<Int64>(0)

        /// What is billed, all since the start; memory is not in it.
        package var amounts: UsageAmounts {
            var amounts = UsageAmounts()
            amounts.requests = Int64(requests)
            amounts.errors = Int64(errors)
            amounts.cpuMicroseconds = Int64(cpuTime / 1_000)
            amounts.wallMicroseconds = wallMicroseconds.load(ordering: .relaxed)
            amounts.wallTenths = wallTenths.load(ordering: .relaxed)
            amounts.subrequests = subrequestCount.load(ordering: .relaxed)
            amounts.bytesIn = byteCountIn.load(ordering: .relaxed)
            amounts.bytesOut = byteCountOut.load(ordering: .relaxed)
            amounts.reads = readCount.load(ordering: .relaxed)
            amounts.writes = writeCount.load(ordering: .relaxed)
            return amounts
        }

        /// A request took so long.
        func addWallTime(_ nanoseconds: UInt64) {
            wallMicroseconds.add(Int64(nanoseconds / 1_000), ordering: .relaxed)
            wallTenths.add(Int64(nanoseconds / 100_000_000 + 1), ordering: .relaxed)
        }

        func addSubrequest() { subrequestCount.add(1, ordering: .relaxed) }
        func addBytesIn(_ count: Int) { byteCountIn.add(Int64(count), ordering: .relaxed) }
        func addBytesOut(_ count: Int) { byteCountOut.add(Int64(count), ordering: .relaxed) }
        func addRead() { readCount.add(1, ordering: .relaxed) }
        func addWrite() { writeCount.add(1, ordering: .relaxed) }

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
