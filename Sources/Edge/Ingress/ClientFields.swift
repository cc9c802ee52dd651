internal import Model

/// The fields by which a worker learns who asks and how: `CF-Connecting-IP`, `CF-IPCountry`, `CF-Visitor`,
/// `X-Forwarded-Proto`, `X-Forwarded-For`, `X-Real-IP` and `CF-Ray`. A client's own of these names are not believed:
/// they are replaced, and all others that begin with `cf-` dropped; only its `X-Forwarded-For` is kept, in front of its
/// address.
struct ClientFields {
    /// Fields that are the same for all requests of a connection, as in a `RequestHead`.
    private let bytes: [UInt8]
    private let ends: [UInt32]
    private let address: [UInt8]
    /// "-" and the data centre.
    let raySuffix: [UInt8]

    init(of address: ClientAddress, at location: EdgeLocation, isSecure: Bool) {
        self.address = Array(address.text.utf8)
        raySuffix = Array("-\(location.colo)".utf8)
        var head = RequestHead()
        let scheme = isSecure ? "https" : "http"
        for (name, value) in [
            ("cf-connecting-ip", address.text), ("cf-ipcountry", location.country ?? "XX"),
            ("cf-visitor", "{\"scheme\":\"\(scheme)\"}"), ("x-forwarded-proto", scheme), ("x-real-ip", address.text),
        ] {
            head.append(name.utf8)
            head.append(value.utf8)
        }
        bytes = head.bytes
        ends = head.ends
    }

    /// Puts the fields of one request behind those that the client sent.
    func mark(_ head: inout RequestHead, ray: UInt64) {
        head.edit { bytes, ends in
            var forwardedFor: [UInt8] = []
            if Self.hasOurs(bytes, ends) { forwardedFor = Self.dropOurs(&bytes, &ends) }
            let start = UInt32(bytes.count)
            bytes.append(contentsOf: self.bytes)
            for end in self.ends { ends.append(start + end) }
            Self.append("cf-ray", to: &bytes, &ends)
            Self.appendHexadecimal(ray, to: &bytes)
            bytes.append(contentsOf: raySuffix)
            ends.append(UInt32(bytes.count))
            Self.append("x-forwarded-for", to: &bytes, &ends)
            bytes.append(contentsOf: forwardedFor)
            bytes.append(contentsOf: address)
            ends.append(UInt32(bytes.count))
        }
    }

    private static func append(_ name: StaticString, to bytes: inout [UInt8], _ ends: inout [UInt32]) {
        name.withUTF8Buffer { bytes.append(contentsOf: $0) }
        ends.append(UInt32(bytes.count))
    }

    private static func appendHexadecimal(_ number: UInt64, to bytes: inout [UInt8]) {
        for shift in stride(from: 60, through: 0, by: -4) {
            let digit = UInt8(truncatingIfNeeded: number >> UInt64(shift)) & 15
            bytes.append(digit < 10 ? ASCII.zero + digit : UInt8(ascii: "a") + digit - 10)
        }
    }

    // MARK: The client's own

    private enum Name {
        case ours
        case forwardedFor
        case other
    }

    private static func kind(_ name: ArraySlice<UInt8>) -> Name {
        guard let first = name.first, first == UInt8(ascii: "c") || first == UInt8(ascii: "x") else { return .other }
        if first == UInt8(ascii: "c") { return name.starts(with: "cf-".utf8) && !isHop(name) ? .ours : .other }
        if name.elementsEqual("x-forwarded-for".utf8) { return .forwardedFor }
        return name.elementsEqual("x-forwarded-proto".utf8) || name.elementsEqual("x-real-ip".utf8) ? .ours : .other
    }

    /// What tells of workers that call each other in a circle comes from workers, and must stay.
    private static func isHop(_ name: ArraySlice<UInt8>) -> Bool {
        name.elementsEqual("cf-ew-via".utf8) || name.elementsEqual("cf-worker".utf8)
    }

    private static func hasOurs(_ bytes: [UInt8], _ ends: [UInt32]) -> Bool {
        for index in stride(from: 2, to: ends.count, by: 2) {
            let start = Int(ends[index - 1])
            let first = start < bytes.count ? bytes[start] : 0
            guard first == UInt8(ascii: "c") || first == UInt8(ascii: "x") else { continue }
            if kind(bytes[start..<Int(ends[index])]) != .other { return true }
        }
        return false
    }

    /// Takes the client's own out. Gives the values of its `X-Forwarded-For`, each with a comma behind it.
    private static func dropOurs(_ bytes: inout [UInt8], _ ends: inout [UInt32]) -> [UInt8] {
        var forwardedFor: [UInt8] = []
        var kept = Array(bytes[..<Int(ends[1])])
        var keptEnds = Array(ends[..<2])
        for index in stride(from: 2, to: ends.count, by: 2) {
            let name = bytes[Int(ends[index - 1])..<Int(ends[index])]
            let value = bytes[Int(ends[index])..<Int(ends[index + 1])]
            switch kind(name) {
            case .ours: continue
            case .forwardedFor:
                guard !value.isEmpty else { continue }
                forwardedFor.append(contentsOf: value)
                forwardedFor.append(contentsOf: ", ".utf8)
            case .other:
                kept.append(contentsOf: name)
                keptEnds.append(UInt32(kept.count))
                kept.append(contentsOf: value)
                keptEnds.append(UInt32(kept.count))
            }
        }
        bytes = kept
        ends = keptEnds
        return forwardedFor
    }
}

/// Numbers for `CF-Ray`, by SplitMix64 from a random start: they tell requests apart and are no secret.
struct RayNumbers {
    private var state = UInt64.random(in: .min ... .max)

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var number = state
        number = (number ^ (number >> 30)) &* 0xBF58_476D_1CE4_E5B9
        number = (number ^ (number >> 27)) &* 0x94D0_49BB_1331_11EB
        return number ^ (number >> 31)
    }
}
