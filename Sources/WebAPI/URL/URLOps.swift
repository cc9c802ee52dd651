internal import Isolates

/// The native half of the URL Standard: domains with characters beyond ASCII (section 3.3).
enum URLOps {
    static let all: [Op] = [
        .web("idnaToASCII") { _, call in
            let domain = call.text(0)?.utf16 ?? []
            let name = domain.withUnsafeBufferPointer { IDNA.toASCII($0, beStrict: call.bool(1)) }
            guard let name else { return call.returnsNull() }
            name.withUnsafeBytes { call.returns(latin1: $0) }
        }
    ]
}

extension FlatText {
    /// The code units, copied.
    var utf16: [UInt16] {
        switch self {
        case .latin1(let units): units.map(UInt16.init)
        case .utf16(let units): Array(units)
        }
    }
}
