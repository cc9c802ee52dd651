package import Model

/// Which of a deployment's versions answers a request.
package enum VersionChoice {
    /// By what a request's fields say.
    static func version(of script: RoutedScript, _ head: RequestHead) -> String? {
        guard script.shares.count > 1 else { return script.shares.first?.version }
        func text(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }
        return version(
            of: script, affinity: head.firstValue(of: "cloudflare-workers-version-key").map(text),
            overrides: head.firstValue(of: "cloudflare-workers-version-overrides").map(text))
    }

    /// - Parameters:
    ///   - affinity: `Cloudflare-Workers-Version-Key`: requests that say the same get the same version, as long as
    ///     the deployment does not change.
    ///   - overrides: `Cloudflare-Workers-Version-Overrides`: `script="version"`, in a list with commas. Counts if the
    ///     deployment has that version.
    ///   - draw: a number from 0 up to 100, for those without a key.
    package static func version(
        of script: RoutedScript, affinity: String?, overrides: String?,
        draw: () -> Double = { Double.random(in: 0..<100) }
    ) -> String? {
        guard script.shares.count > 1 else { return script.shares.first?.version }
        if let overrides, let wanted = override(for: script.key.name, in: overrides),
            script.shares.contains(where: { $0.version == wanted })
        {
            return wanted
        }
        let point = affinity.map { self.point(of: $0, in: script.key) } ?? draw()
        var reached = 0.0
        for share in script.shares {
            reached += share.percentage
            if point < reached { return share.version }
        }
        return script.shares.last { $0.percentage > 0 }?.version
    }

    /// A dictionary of strings (RFC 9651, section 3.2).
    private static func override(for name: String, in text: String) -> String? {
        for member in text.split(separator: ",") {
            let parts = member.split(separator: "=", maxSplits: 1)
            guard parts.count == 2, parts[0].filter({ $0 != " " }) == name else { continue }
            return String(parts[1].filter { $0 != "\"" && $0 != " " })
        }
        return nil
    }

    /// From 0 up to 100, evenly: FNV-1a, mixed once more so that its high bits depend on all of the key.
    private static func point(of key: String, in script: ScriptKey) -> Double {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in [Array(script.account.utf8), Array(script.name.utf8), Array(key.utf8)].joined(separator: [0]) {
            hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3
        }
        hash = (hash ^ (hash >> 33)) &* 0xff51_afd7_ed55_8ccd
        hash ^= hash >> 33
        return Double(hash >> 11) / Double(1 << 53) * 100
    }
}
