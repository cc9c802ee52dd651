/// The running hashes of one isolate's DigestStreams, by the numbers that JavaScript has for them. Belongs to the
/// isolate's thread. Not charged to the isolate: the stream in its heap is larger than the hash.
final class DigestTable {
    private var digests: [Int: WebCrypto.RunningDigest] = [:]
    private var lastNumber = 0

    func start(_ hash: WebCrypto.Hash) -> Int {
        lastNumber += 1
        digests[lastNumber] = WebCrypto.RunningDigest(hash)
        return lastNumber
    }

    /// False if there is no such hash.
    func update(_ number: Int, _ data: WebCrypto.Bytes) -> Bool {
        guard digests[number] != nil else { return false }
        digests[number]?.update(data)
        return true
    }

    /// The hash; nil if there is none of that number, as there is not afterwards.
    func finish(_ number: Int) -> [UInt8]? { digests.removeValue(forKey: number)?.finish() }

    func drop(_ number: Int) { digests[number] = nil }
}
