// The decoders that need more than a lead byte: gb18030, section 10.2, and ISO-2022-JP, section 12.2.

// MARK: gb18030

extension LegacyDecoder {
    /// The state is the first, second and third byte, the first lowest.
    mutating func decodeGB18030(_ queue: inout ByteQueue, _ output: inout CodeUnits) throws(Malformed) {
        let index = LegacyIndex.gb18030
        while let byte = queue.next() {
            if state == 0 {
                if byte < 0x80 {
                    output.append(UInt32(byte))
                } else if byte == 0x80 {
                    output.append(0x20AC)
                } else if byte <= 0xFE {
                    state = UInt32(byte)
                } else {
                    try output.error()
                }
                continue
            }
            let first = Int(state & 0xFF)
            let second = UInt8(truncatingIfNeeded: state >> 8)
            let third = UInt8(truncatingIfNeeded: state >> 16)
            let isDigit = byte >= 0x30 && byte <= 0x39
            if third != 0 {
                state = 0
                guard isDigit else {
                    queue.restore(byte)
                    queue.restore(third)
                    queue.restore(second)
                    try output.error()
                    continue
                }
                let pairs = (first - 0x81) * 10 + Int(second) - 0x30
                let pointer = pairs * 1_260 + (Int(third) - 0x81) * 10 + Int(byte) - 0x30
                try output.append(LegacyRanges.gb18030[pointer])
            } else if second != 0 {
                if byte >= 0x81 && byte <= 0xFE {
                    state |= UInt32(byte) << 16
                    continue
                }
                state = 0
                queue.restore(byte)
                queue.restore(second)
                try output.error()
            } else if isDigit {
                state |= UInt32(byte) << 8
            } else {
                state = 0
                var codePoint: UInt32?
                if byte >= 0x40 && byte <= 0xFE && byte != 0x7F {
                    codePoint = index[(first - 0x81) * 190 + Int(byte) - (byte < 0x7F ? 0x40 : 0x41)]
                }
                if codePoint == nil && byte < 0x80 { queue.restore(byte) }
                try output.append(codePoint)
            }
        }
        if queue.isEnded && state != 0 { try output.error() }
    }
}

// MARK: ISO-2022-JP

extension LegacyDecoder {
    private enum ISO2022JPMode: UInt8 {
        case ascii, roman, katakana, leadByte, trailByte, escapeStart, escape

        /// What the last two bytes of an escape sequence switch to.
        init?(escape first: UInt8, _ second: UInt8) {
            switch (first, second) {
            case (0x28, 0x42): self = .ascii
            case (0x28, 0x4A): self = .roman
            case (0x28, 0x49): self = .katakana
            case (0x24, 0x40), (0x24, 0x42): self = .leadByte
            default: return nil
            }
        }
    }

    /// The decoder's state, output state, lead byte and output flag, a byte each, the first lowest.
    private struct ISO2022JPState {
        var mode: ISO2022JPMode
        var outputMode: ISO2022JPMode
        var lead: UInt8
        var hasSwitched: Bool

        init(_ packed: UInt32) {
            mode = ISO2022JPMode(rawValue: UInt8(truncatingIfNeeded: packed)) ?? .ascii
            outputMode = ISO2022JPMode(rawValue: UInt8(truncatingIfNeeded: packed >> 8)) ?? .ascii
            lead = UInt8(truncatingIfNeeded: packed >> 16)
            hasSwitched = packed >> 24 != 0
        }

        var packed: UInt32 {
            UInt32(mode.rawValue) | UInt32(outputMode.rawValue) << 8 | UInt32(lead) << 16 | (hasSwitched ? 1 << 24 : 0)
        }
    }

    mutating func decodeISO2022JP(_ queue: inout ByteQueue, _ output: inout CodeUnits) throws(Malformed) {
        var now = ISO2022JPState(state)
        defer { state = now.packed }
        while true {
            let next = queue.next()
            if next == nil && !queue.isEnded { return }
            switch now.mode {
            case .escapeStart:
                if let byte = next, byte == 0x24 || byte == 0x28 {
                    now.lead = byte
                    now.mode = .escape
                    continue
                }
                if let byte = next { queue.restore(byte) }
                now.hasSwitched = false
                now.mode = now.outputMode
                try output.error()
            case .escape:
                if let byte = next, let mode = ISO2022JPMode(escape: now.lead, byte) {
                    now.mode = mode
                    now.outputMode = mode
                    // Two escape sequences in a row are an error.
                    let isRepeated = now.hasSwitched
                    now.hasSwitched = true
                    if isRepeated { try output.error() }
                    continue
                }
                if let byte = next { queue.restore(byte) }
                queue.restore(now.lead)
                now.hasSwitched = false
                now.mode = now.outputMode
                try output.error()
            case .trailByte:
                now.mode = next == 0x1B ? .escapeStart : .leadByte
                if let byte = next, byte >= 0x21 && byte <= 0x7E {
                    try output.append(LegacyIndex.jis0208[(Int(now.lead) - 0x21) * 94 + Int(byte) - 0x21])
                } else {
                    try output.error()
                }
            case .ascii, .roman, .katakana, .leadByte:
                guard let byte = next else { return }
                if byte == 0x1B {
                    now.mode = .escapeStart
                    continue
                }
                now.hasSwitched = false
                if now.mode == .leadByte && byte >= 0x21 && byte <= 0x7E {
                    now.lead = byte
                    now.mode = .trailByte
                } else {
                    try output.append(singleByteOfISO2022JP(byte, now.mode))
                }
            }
        }
    }

    /// What a byte stands for where no pair is expected.
    private func singleByteOfISO2022JP(_ byte: UInt8, _ mode: ISO2022JPMode) -> UInt32? {
        switch mode {
        case .katakana: return byte >= 0x21 && byte <= 0x5F ? 0xFF61 - 0x21 + UInt32(byte) : nil
        case .roman where byte == 0x5C: return 0xA5
        case .roman where byte == 0x7E: return 0x203E
        case .ascii, .roman: return byte < 0x80 && byte != 0x0E && byte != 0x0F ? UInt32(byte) : nil
        case .leadByte, .trailByte, .escapeStart, .escape: return nil
        }
    }
}
