package import Model

/// What a host asks of the store. Each call has one answer.
package enum StoreCall: Sendable, Equatable {
    case definition(version: String, ScriptKey)
    /// A piece of an asset's bytes.
    case asset(blob: String, offset: Int, count: Int)
    case value(ValueCall)
    case addUsage([Usage], batch: String)
    case usage(account: String, hours: Range<Int64>)

    /// Bytes of an asset's piece.
    static let mostAssetBytes = 2 << 20

    private enum Kind: UInt8 {
        case definition = 1
        case asset, value, addUsage, usage
    }

    func write(to writer: inout WireWriter) {
        switch self {
        case .definition(let version, let key):
            writer.byte(Kind.definition.rawValue)
            writer.text(version)
            key.write(to: &writer)
        case .asset(let blob, let offset, let count):
            writer.byte(Kind.asset.rawValue)
            writer.text(blob)
            writer.number(offset)
            writer.number(count)
        case .value(let call):
            writer.byte(Kind.value.rawValue)
            call.write(to: &writer)
        case .addUsage(let readings, let batch):
            writer.byte(Kind.addUsage.rawValue)
            writer.value(readings)
            writer.text(batch)
        case .usage(let account, let hours):
            writer.byte(Kind.usage.rawValue)
            writer.text(account)
            writer.number(Int(hours.lowerBound))
            writer.number(Int(hours.upperBound))
        }
    }

    init(from reader: inout WireReader) throws(WireError) {
        switch Kind(rawValue: try reader.byte()) {
        case .definition: self = .definition(version: try reader.text(), try ScriptKey(from: &reader))
        case .asset:
            self = .asset(blob: try reader.text(), offset: try reader.count(), count: try reader.count())
            guard case .asset(_, _, let count) = self, count <= Self.mostAssetBytes else {
                throw WireError("too much of an asset")
            }
        case .value: self = .value(try ValueCall(from: &reader))
        case .addUsage:
            let readings = try reader.value([Usage].self)
            guard readings.allSatisfy(\.amounts.isPlausible) else { throw WireError("no such use") }
            self = .addUsage(readings, batch: try reader.text())
        case .usage:
            let account = try reader.text()
            let (first, end) = (Int64(try reader.count()), Int64(try reader.count()))
            guard first <= end else { throw WireError("no such hours") }
            self = .usage(account: account, hours: first..<end)
        case nil: throw WireError("no such call")
        }
    }
}

/// What the store says to a call.
package enum StoreAnswer: Sendable {
    case done
    case worker(StoredWorker)
    case bytes([UInt8])
    case value(ValueAnswer)
    case usage([Usage])
    case failed(StoreError)

    private enum Kind: UInt8 {
        case done = 1
        case worker, bytes, value, usage, failed
    }

    func write(to writer: inout WireWriter) {
        switch self {
        case .done: writer.byte(Kind.done.rawValue)
        case .worker(let worker):
            writer.byte(Kind.worker.rawValue)
            worker.write(to: &writer)
        case .bytes(let bytes):
            writer.byte(Kind.bytes.rawValue)
            writer.blob(bytes)
        case .value(let answer):
            writer.byte(Kind.value.rawValue)
            answer.write(to: &writer)
        case .usage(let readings):
            writer.byte(Kind.usage.rawValue)
            writer.value(readings)
        case .failed(let error):
            writer.byte(Kind.failed.rawValue)
            writer.value(error)
        }
    }

    init(from reader: inout WireReader) throws(WireError) {
        switch Kind(rawValue: try reader.byte()) {
        case .done: self = .done
        case .worker: self = .worker(try StoredWorker(from: &reader))
        case .bytes: self = .bytes(try reader.blob())
        case .value: self = .value(try ValueAnswer(from: &reader))
        case .usage: self = .usage(try reader.value([Usage].self))
        case .failed: self = .failed(try reader.value(StoreError.self))
        case nil: throw WireError("no such answer")
        }
    }
}

extension ScriptKey {
    func write(to writer: inout WireWriter) {
        writer.text(account)
        writer.text(name)
    }

    init(from reader: inout WireReader) throws(WireError) {
        self.init(account: try reader.text(), name: try reader.text())
    }
}

extension StoredWorker {
    func write(to writer: inout WireWriter) {
        writer.value(version)
        writer.list(files) { writer, file in
            writer.text(file.name)
            writer.text(file.contentType)
            writer.blob(file.bytes)
        }
        writer.value(secrets)
        writer.optional(assets) { $0.value($1) }
    }

    init(from reader: inout WireReader) throws(WireError) {
        let version = try reader.value(ScriptVersion.self)
        let files = try reader.list(least: 24) { (reader) throws(WireError) in
            VersionDraft.File(name: try reader.text(), contentType: try reader.text(), bytes: try reader.blob())
        }
        self.init(
            version: version, files: files, secrets: try reader.value([String: String].self),
            assets: try reader.optional { (reader) throws(WireError) in try reader.value(AssetSet.self) })
    }
}

extension UsageAmounts {
    /// Whether a process can have used so much between two readings, and sums of it stay numbers.
    fileprivate var isPlausible: Bool {
        [
            requests, errors, cpuMicroseconds, wallMicroseconds, wallTenths, subrequests, bytesIn, bytesOut, reads,
            writes, memoryKilobyteSeconds,
        ].allSatisfy { (0...1 << 44).contains($0) }
    }
}
