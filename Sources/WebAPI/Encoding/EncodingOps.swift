internal import Isolates

/// Decoders of the Encoding Standard for all but UTF-8, UTF-16 and windows-1252.
enum EncodingOps {
    static let all: [Op] = [
        .web("decodeLegacy") { _, call throws(OpError) in
            let state = UInt32(exactly: call.number(4)) ?? 0
            guard var decoder = LegacyDecoder(label: call.string(0), fatal: call.bool(3), state: state) else {
                throw .range("There is no decoder for the encoding '\(call.string(0))'")
            }
            let bytes = UnsafeRawBufferPointer(call.bytes(1) ?? UnsafeMutableRawBufferPointer(start: nil, count: 0))
            let units = bytes.withMemoryRebound(to: UInt8.self) { try? decoder.push($0, flush: call.bool(2)) }
            guard let units else { return call.returnsNull() }
            call.returns(.list([.string(String(decoding: units, as: UTF16.self)), .number(Double(decoder.state))]))
        }
    ]
}
