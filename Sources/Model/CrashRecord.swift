/// What hosts write down for their supervisor to read after a crash: for each thread that runs Workers two words, the
/// tag of the Worker whose code it runs, or 0, and the signal that it crashed by, or 0.
package enum CrashRecord {
    package static let slots = 1_024
    /// In bytes.
    package static let size = slots * 16

    /// A number for a Worker's name (FNV-1a, 64 bits); never 0.
    package static func tag(of name: String) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return max(hash, 1)
    }
}
