import Feed
import Model
import Testing

/// What travels between the control node and locations, and what is made of it if somebody has changed it.
@Suite struct FeedFormTests {
    private static func record(_ id: String, _ revision: Int64 = 1, _ body: FeedRecord.Body = .value([1])) -> FeedRecord
    {
        FeedRecord(key: FeedKey(.entry, id), account: "a", revision: revision, body: body)
    }

    @Test func recordsComeBackAsTheyWere() throws {
        let bodies: [FeedRecord.Body] = [.value([]), .value([0, 255]), .blob(hash: "ab", size: 7), .removed]
        for body in bodies {
            let record = Self.record("n/k\u{0}é", .max, body)
            #expect(try FeedRecord(encoded: record.encoded) == record)
        }
    }

    @Test func whatIsCutOrLongerIsRefused() throws {
        let bytes = Self.record("n/k").encoded
        for count in 0..<bytes.count {
            #expect(throws: FeedError.self) { try FeedRecord(encoded: Array(bytes.prefix(count))) }
        }
        #expect(throws: FeedError.self) { try FeedRecord(encoded: bytes + [0]) }
    }

    @Test func eachRecordIsSignedWhereverItGoes() throws {
        let signer = FeedSigner(seed: [UInt8](repeating: 7, count: 32))
        let verifier = try FeedVerifier(installation: signer.installation)
        for count in 1...9 {
            let leaves = (0..<count).map { HashTree.Node(leaf: Self.record("n/\($0)").encoded) }
            let tree = HashTree(leaves)
            let signature = try signer.sign(tree, epoch: "e")
            for (index, leaf) in leaves.enumerated() {
                let root = HashTree.root(of: leaf, tree.path(of: index))
                try verifier.check(root, epoch: "e", signature)
                #expect(throws: FeedError.self) { try verifier.check(root, epoch: "other", signature) }
                let forged = HashTree.Node(leaf: Self.record("forged").encoded)
                #expect(throws: FeedError.self) {
                    try verifier.check(HashTree.root(of: forged, tree.path(of: index)), epoch: "e", signature)
                }
            }
        }
    }

    @Test func headsOfOthersAreRefused() throws {
        let signer = FeedSigner(seed: [UInt8](repeating: 7, count: 32))
        let other = FeedSigner(seed: [UInt8](repeating: 8, count: 32))
        var head = FeedHead(position: FeedPosition(epoch: "e", revision: 3, digest: FeedDigest()))
        let signature = try signer.sign(head)
        #expect(try FeedHead(encoded: head.encoded) == head)
        try FeedVerifier(installation: signer.installation).check(head, signature)
        #expect(throws: FeedError.self) { try FeedVerifier(installation: other.installation).check(head, signature) }
        head.position.revision = 4
        #expect(throws: FeedError.self) { try FeedVerifier(installation: signer.installation).check(head, signature) }
        #expect(throws: FeedError.self) { try FeedVerifier(installation: "12") }
    }

    @Test func digestsDoNotMindTheOrder() {
        let hashes = (0..<3).map { FeedDigest([UInt8](repeating: UInt8(200 + $0), count: 32)) }
        var one = FeedDigest()
        for hash in hashes { one += hash }
        var other = FeedDigest()
        for hash in hashes.reversed() { other += hash }
        #expect(one == other)
        #expect(FeedDigest(one.bytes) == one)
        for hash in hashes { other -= hash }
        #expect(other == FeedDigest())
        #expect(one != other)
    }

    @Test func blobsAreCheckedByTheirHash() throws {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        #expect(try BlobForm.restored(BlobForm.compressed([]), hash: empty) == [])
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        let form = BlobForm.compressed(Array("abc".utf8))
        #expect(try BlobForm.restored(form, hash: abc) == Array("abc".utf8))
        #expect(throws: FeedError.self) { try BlobForm.restored(form, hash: empty) }
        #expect(throws: FeedError.self) { try BlobForm.restored(Array(form.prefix(5)), hash: abc) }
        #expect(throws: FeedError.self) { try BlobForm.restored(Array(form.dropLast(3)), hash: abc) }
    }

    @Test func theWorldHas155Places() {
        #expect(WorldList.places.count == 155)
        #expect(Set(WorldList.places.map(\.code)).count == 155)
        for place in WorldList.places {
            #expect(place.code.utf8.count == 3 && place.country.utf8.count == 2 && !place.city.isEmpty)
            #expect(abs(place.latitude) < 70 && abs(place.longitude) <= 180)
        }
        #expect(WorldList.place("cdg")?.city == "Paris")
    }

    @Test func addressesAreUnderstoodOrRefused() throws {
        #expect(try FeedAddress("https://control.example").port == 443)
        #expect(try FeedAddress("nats://127.0.0.1").port == 4_222)
        #expect(try FeedAddress("http://[::1]:8788/").host == "::1")
        for text in ["", "control", "ftp://a", "http://", "http://a:99999", "http://a/path", "http://u:p@a"] {
            #expect(throws: FeedError.self, "\(text)") { try FeedAddress(text) }
        }
    }
}
