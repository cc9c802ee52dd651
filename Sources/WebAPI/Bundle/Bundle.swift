internal import CBundle
package import Isolates

/// The runtime's JavaScript as one expression, with the ops it calls and the entries it is called by.
package enum Bundle {
    /// Functions of the bundle that the runtime calls. The order is that of the bundle's list.
    package enum Entry: Int, CaseIterable, Sendable {
        case loaded, warmUp, prepare, exposeEnvironment, applyCompatibility
        case dispatchFetch, dispatchEntrypoint, dispatchCall, dispatchScheduled, settle
        case ticketsDrop, timerFire, timersDrop, requestAborted, responseCanceled, exchangeEnded, fetchEnded
        case webSocketEvent

        package var isolateEntry: Isolate.Entry { Isolate.Entry(rawValue) }
    }

    /// Every op, by its number.
    static let ops: [Op] = [
        HostOps.all, FetchOps.all, URLOps.all, EncodingOps.all, RandomOps.all, CryptoOps.all, CompressionOps.all,
        WebSocketOps.all, KVOps.all, ServiceOps.all,
    ].flatMap { $0 }

    /// Assembles the bundle; the text lives as long as the process.
    package static func make() -> Engine.Bundle {
        let text = source()
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: text.count, alignment: 1)
        memory.copyBytes(from: text)
        return Engine.Bundle(
            source: UnsafeRawBufferPointer(memory), ops: ops, entries: Entry.allCases.map { "\($0)" },
            warmUp: Entry.warmUp.rawValue)
    }

    /// `(ops, engine) => loader(ops, engine, primordials, [name, isLazy, function, ...])`.
    private static func source() -> [UInt8] {
        var text: [UInt8] = []
        func append(_ string: String) { text.append(contentsOf: string.utf8) }
        func append(_ module: cbundle_module) {
            text.append(contentsOf: UnsafeRawBufferPointer(start: module.source, count: module.length))
        }
        append("(function (ops, engine) { return (\n")
        append(cbundle_loader)
        append(")(ops, engine, (\n")
        append(cbundle_primordials)
        append("), [\n")
        for module in UnsafeBufferPointer(start: cbundle_modules, count: cbundle_module_count) {
            append("\"\(String(cString: module.name))\", \(module.is_lazy), ")
            append("function (use, provide, primordials, ops, engine, entries) { \"use strict\";\n")
            append(module)
            append("\n},\n")
        }
        append("]); })")
        return text
    }
}
