internal import Crypto
internal import Foundation
package import Model

/// Signs what the control node sends: Ed25519. Who has the public key needs to trust nobody on the way.
package struct FeedSigner: Sendable {
    private let key: Curve25519.Signing.PrivateKey

    /// - Parameter seed: 32 bytes.
    package init(seed: [UInt8]) {
        do {
            key = try Curve25519.Signing.PrivateKey(rawRepresentation: seed)
        } catch {
            preconditionFailure("a key is made of 32 bytes")
        }
    }

    /// The installation's name, and what its signatures are checked with: 64 hexadecimal digits.
    package var installation: String { key.publicKey.rawRepresentation.map(Identifier.hexDigits).joined() }

    package func sign(_ head: FeedHead) throws -> [UInt8] { Array(try key.signature(for: head.signedForm)) }

    /// - Parameter keys: of secrets, sealed to the location's own.
    package func sign(keys: [UInt8], for location: String) throws -> [UInt8] {
        Array(try key.signature(for: signedForm(ofKeys: keys, for: location)))
    }

    func sign(orders: [UInt8]) throws -> [UInt8] { Array(try key.signature(for: signedForm(ofOrders: orders))) }

    /// One signature for all of the records: of the root of the tree of their hashes.
    package func sign(_ tree: HashTree, epoch: String) throws -> [UInt8] {
        Array(try key.signature(for: tree.root.signedForm(epoch: epoch)))
    }
}

/// Checks what says that it is the control node's.
package struct FeedVerifier: Sendable {
    private let key: Curve25519.Signing.PublicKey
    package let installation: String

    /// - Parameter installation: 64 hexadecimal digits.
    package init(installation: String) throws(FeedError) {
        guard let bytes = Hexadecimal.bytes(installation), bytes.count == 32,
            let key = try? Curve25519.Signing.PublicKey(rawRepresentation: bytes)
        else { throw FeedError(.malformed, "the installation's key is not 64 hexadecimal digits") }
        self.key = key
        self.installation = installation.lowercased()
    }

    package func check(_ head: FeedHead, _ signature: [UInt8]) throws(FeedError) {
        guard key.isValidSignature(signature, for: head.signedForm) else { throw Self.forged }
    }

    package func check(keys: [UInt8], for location: String, _ signature: [UInt8]) throws(FeedError) {
        guard key.isValidSignature(signature, for: signedForm(ofKeys: keys, for: location)) else { throw Self.forged }
    }

    func check(orders: [UInt8], _ signature: [UInt8]) throws(FeedError) {
        guard key.isValidSignature(signature, for: signedForm(ofOrders: orders)) else { throw Self.forged }
    }

    /// - Parameter root: computed of the records that came.
    package func check(_ root: HashTree.Node, epoch: String, _ signature: [UInt8]) throws(FeedError) {
        guard key.isValidSignature(signature, for: root.signedForm(epoch: epoch)) else { throw Self.forged }
    }

    private static let forged = FeedError(.forged, "a message of the feed was not signed by the control node")
}

private func signedForm(ofKeys keys: [UInt8], for location: String) -> [UInt8] {
    Array("martlet keys\0\(location)\0".utf8) + keys
}

private func signedForm(ofOrders orders: [UInt8]) -> [UInt8] { Array("martlet orders\0".utf8) + orders }

/// What the truth is at a revision, as the control node says it.
package struct FeedHead: Sendable, Equatable {
    package var position: FeedPosition
    /// When it was signed.
    package var time: Timestamp

    package init(position: FeedPosition, time: Timestamp = .now) {
        self.position = position
        self.time = time
    }

    package var encoded: [UInt8] {
        var writer = FeedWriter()
        writer.text(position.epoch)
        writer.number(position.revision)
        writer.data(position.digest.bytes)
        writer.number(time.milliseconds)
        return writer.bytes
    }

    package init(encoded: [UInt8]) throws(FeedError) {
        var reader = FeedReader(encoded)
        let epoch = try reader.text()
        let revision = try reader.number()
        let digest = try reader.data()
        guard digest.count == 32 else { throw FeedError(.malformed, "a digest of \(digest.count) bytes") }
        position = FeedPosition(epoch: epoch, revision: revision, digest: FeedDigest(digest))
        time = Timestamp(milliseconds: try reader.number())
    }

    fileprivate var signedForm: [UInt8] { Array("martlet head\0".utf8) + encoded }
}

/// A tree of the hashes of records, so that one signature is good for each of them, wherever it is sent to.
package struct HashTree: Sendable {
    package struct Node: Sendable, Equatable {
        package var bytes: [UInt8]

        package init(bytes: [UInt8]) { self.bytes = bytes }

        /// Of a record's encoded form.
        package init(leaf: [UInt8]) { bytes = Array(SHA256.hash(data: [0] + leaf)) }

        fileprivate init(_ left: Node, _ right: Node) {
            bytes = Array(SHA256.hash(data: [1] + left.bytes + right.bytes))
        }

        fileprivate func signedForm(epoch: String) -> [UInt8] {
            var writer = FeedWriter()
            writer.text("martlet records")
            writer.text(epoch)
            writer.data(bytes)
            return writer.bytes
        }
    }

    /// The leaves first, the root last.
    private let levels: [[Node]]

    /// - Parameter leaves: one at least.
    package init(_ leaves: [Node]) {
        precondition(!leaves.isEmpty, "a tree has a leaf")
        var levels = [leaves]
        while let last = levels.last, last.count > 1 {
            levels.append(
                stride(from: 0, to: last.count, by: 2).map { index in
                    // One that is left over goes up as it is.
                    index + 1 < last.count ? Node(last[index], last[index + 1]) : last[index]
                })
        }
        self.levels = levels
    }

    package var root: Node { levels[levels.count - 1][0] }

    /// What, beside a leaf, leads to the root: each with the side that it is on.
    package func path(of leaf: Int) -> [(isLeft: Bool, node: Node)] {
        var index = leaf
        var path: [(isLeft: Bool, node: Node)] = []
        for level in levels.dropLast() {
            let sibling = index ^ 1
            if sibling < level.count { path.append((isLeft: sibling < index, node: level[sibling])) }
            index /= 2
        }
        return path
    }

    package static func root(of leaf: Node, _ path: [(isLeft: Bool, node: Node)]) -> Node {
        path.reduce(leaf) { node, step in step.isLeft ? Node(step.node, node) : Node(node, step.node) }
    }
}

/// Bytes as pairs of hexadecimal digits.
package enum Hexadecimal {
    package static func text(_ bytes: some Sequence<UInt8>) -> String { bytes.map(Identifier.hexDigits).joined() }

    /// Nil if it is none.
    package static func bytes(_ text: String) -> [UInt8]? {
        let digits = text.utf8.compactMap { Character(Unicode.Scalar($0)).hexDigitValue }
        guard digits.count == text.utf8.count, digits.count.isMultiple(of: 2) else { return nil }
        return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }
}
