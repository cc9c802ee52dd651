internal import Isolates

/// The native half of the Web Cryptography API: what the files in js/ say that they need.
enum CryptoOps {
    static let all: [Op] = hashes + ciphers + derivations + rsa + curves + runningDigests

    // MARK: Arguments

    private static func hash(_ call: OpCall, _ index: Int) throws(OpError) -> WebCrypto.Hash {
        guard let hash = WebCrypto.Hash(rawValue: call.string(index)) else { throw .type("There is no such hash") }
        return hash
    }

    private static func curve(_ call: OpCall, _ index: Int) throws(OpError) -> WebCrypto.Curve {
        guard let curve = WebCrypto.Curve(rawValue: call.string(index)) else { throw .type("There is no such curve") }
        return curve
    }

    private static func padding(_ call: OpCall, _ index: Int) throws(OpError) -> WebCrypto.RSAPadding {
        guard let padding = WebCrypto.RSAPadding(rawValue: call.string(index)) else {
            throw .type("There is no such padding")
        }
        return padding
    }

    private static func bytes(_ call: OpCall, _ index: Int) throws(OpError) -> WebCrypto.Bytes {
        guard let bytes = call.bytes(index) else { throw .type("The argument is no bytes") }
        return WebCrypto.Bytes(bytes)
    }

    private static func returns(_ bytes: [UInt8]?, _ host: WebHost, _ call: OpCall) throws(OpError) {
        guard let bytes else { return call.returnsNull() }
        try host.returns(.bytes(bytes), to: call)
    }

    // MARK: Hashes

    private static let hashes: [Op] = [
        .web("digest") { host, call throws(OpError) in
            let hash = try hash(call, 0)
            try CryptoWork.run(host, call, [1]) { operands, _ in .bytes(WebCrypto.digest(hash, operands[0])) }
        },
        .web("hmac") { host, call throws(OpError) in
            let hash = try hash(call, 0)
            try CryptoWork.run(host, call, [1, 2]) { operands, _ in
                .bytes(WebCrypto.hmac(hash, key: operands[0], operands[1]))
            }
        },
        .web("hmacVerify") { host, call throws(OpError) in
            let hash = try hash(call, 0)
            try CryptoWork.run(host, call, [1, 2, 3]) { operands, _ in
                .bool(WebCrypto.isValidHMAC(hash, key: operands[0], signature: operands[1], operands[2]))
            }
        },
        .web("timingSafeEqual") { _, call throws(OpError) in
            call.returns(WebCrypto.areEqual(try bytes(call, 0), try bytes(call, 1)))
        },
    ]

    // MARK: AES

    private static let ciphers: [Op] = [
        .web("aesCbc") { host, call throws(OpError) in
            let isEncrypting = call.bool(0)
            try CryptoWork.run(host, call, [1, 2, 3]) { operands, _ throws(WebCrypto.Failure) in
                .bytes(
                    isEncrypting
                        ? try WebCrypto.encryptCBC(key: operands[0], iv: operands[1], operands[2])
                        : try WebCrypto.decryptCBC(key: operands[0], iv: operands[1], operands[2]))
            }
        },
        .web("aesCtr") { host, call throws(OpError) in
            let length = call.integer(2)
            try CryptoWork.run(host, call, [0, 1, 3]) { operands, _ throws(WebCrypto.Failure) in
                .bytes(
                    try WebCrypto.applyCTR(key: operands[0], counter: operands[1], length: length, operands[2]))
            }
        },
        .web("aesGcm") { host, call throws(OpError) in
            let isEncrypting = call.bool(0)
            let tagLength = call.integer(4) / 8
            try CryptoWork.run(host, call, [1, 2, 3, 5]) { operands, _ throws(WebCrypto.Failure) in
                let apply = isEncrypting ? WebCrypto.sealGCM : WebCrypto.openGCM
                return .bytes(try apply(operands[0], operands[1], operands[2], tagLength, operands[3]))
            }
        },
        .web("aesKeyWrap") { host, call throws(OpError) in
            let isWrapping = call.bool(0)
            try CryptoWork.run(host, call, [1, 2]) { operands, _ throws(WebCrypto.Failure) in
                .bytes(
                    isWrapping
                        ? try WebCrypto.wrapKey(key: operands[0], operands[1])
                        : try WebCrypto.unwrapKey(key: operands[0], operands[1]))
            }
        },
    ]

    // MARK: Derivation

    private static let derivations: [Op] = [
        .web("hkdf") { host, call throws(OpError) in
            let hash = try hash(call, 0)
            let length = call.integer(4)
            try CryptoWork.run(host, call, [1, 2, 3]) { operands, _ throws(WebCrypto.Failure) in
                .bytes(
                    try WebCrypto.hkdf(
                        hash, key: operands[0], salt: operands[1], info: operands[2], length: length))
            }
        },
        .web("pbkdf2") { host, call throws(OpError) in
            let hash = try hash(call, 0)
            let iterations = call.integer(3)
            let length = call.integer(4)
            try CryptoWork.run(host, call, [1, 2], .long) { operands, allowance throws(WebCrypto.Failure) in
                let bits = try WebCrypto.pbkdf2(
                    hash, password: operands[0], salt: operands[1], iterations: iterations, length: length
                ) { !allowance.isUsedUp }
                return bits.map { .bytes($0) } ?? .stopped
            }
        },
    ]

    // MARK: RSA

    private static let rsa: [Op] = [
        .web("rsaGenerate") { host, call throws(OpError) in
            let bits = call.integer(0)
            try CryptoWork.run(host, call, [1], .long) { operands, allowance throws(WebCrypto.Failure) in
                let exponent = operands[0].prefix(4).reduce(0) { $0 << 8 | Int($1) }
                let key = try WebCrypto.generateRSAKey(bits: bits, exponent: exponent) { !allowance.isUsedUp }
                return key.map { .bytes($0) } ?? .stopped
            }
        },
        .web("rsaCheck") { _, call throws(OpError) in
            call.returns(WebCrypto.isUsableRSAKey(try bytes(call, 1), isPrivate: call.bool(0)))
        },
        .web("rsaSign") { host, call throws(OpError) in
            let padding = try padding(call, 0)
            let hash = try hash(call, 1)
            let saltLength = call.integer(2)
            try CryptoWork.run(host, call, [3, 4], .long) { operands, _ throws(WebCrypto.Failure) in
                .bytes(
                    try WebCrypto.signRSA(
                        padding, hash, saltLength: saltLength, privateKey: operands[0], operands[1]))
            }
        },
        .web("rsaVerify") { host, call throws(OpError) in
            let padding = try padding(call, 0)
            let hash = try hash(call, 1)
            let saltLength = call.integer(2)
            try CryptoWork.run(host, call, [3, 4, 5]) { operands, _ in
                .bool(
                    WebCrypto.isValidRSASignature(
                        padding, hash, saltLength: saltLength, publicKey: operands[0], signature: operands[1],
                        operands[2]))
            }
        },
        .web("rsaOaep") { host, call throws(OpError) in
            let isEncrypting = call.bool(0)
            let hash = try hash(call, 1)
            let cost = isEncrypting ? CryptoWork.Cost.bySize : .long
            try CryptoWork.run(host, call, [2, 3, 4], cost) { operands, _ throws(WebCrypto.Failure) in
                .bytes(
                    isEncrypting
                        ? try WebCrypto.encryptOAEP(hash, publicKey: operands[0], label: operands[1], operands[2])
                        : try WebCrypto.decryptOAEP(hash, privateKey: operands[0], label: operands[1], operands[2]))
            }
        },
    ]

    // MARK: Curves

    private static let curves: [Op] = [
        .web("ecGenerate") { host, call throws(OpError) in
            try returns(WebCrypto.generateECKey(try curve(call, 0)), host, call)
        },
        .web("ecPoint") { host, call throws(OpError) in
            try returns(WebCrypto.ecPoint(try curve(call, 0), encoded: try bytes(call, 1)), host, call)
        },
        .web("ecPublic") { host, call throws(OpError) in
            try returns(WebCrypto.ecPublicPoint(try curve(call, 0), scalar: try bytes(call, 1)), host, call)
        },
        .web("ecdsaSign") { host, call throws(OpError) in
            let curve = try curve(call, 0)
            let hash = try hash(call, 1)
            try CryptoWork.run(host, call, [2, 3]) { operands, _ throws(WebCrypto.Failure) in
                .bytes(try WebCrypto.signECDSA(curve, hash, scalar: operands[0], operands[1]))
            }
        },
        .web("ecdsaVerify") { host, call throws(OpError) in
            let curve = try curve(call, 0)
            let hash = try hash(call, 1)
            try CryptoWork.run(host, call, [2, 3, 4]) { operands, _ in
                .bool(
                    WebCrypto.isValidECDSASignature(
                        curve, hash, point: operands[0], signature: operands[1], operands[2]))
            }
        },
        .web("ecdh") { host, call throws(OpError) in
            let curve = try curve(call, 0)
            try atOnce(host, call, [1, 2]) { operands throws(WebCrypto.Failure) in
                try WebCrypto.agreeECDH(curve, scalar: operands[0], point: operands[1])
            }
        },
        .web("okpPublic") { host, call throws(OpError) in
            let isSigning = call.string(0) == "Ed25519"
            try atOnce(host, call, [1]) { operands throws(WebCrypto.Failure) in
                isSigning
                    ? try WebCrypto.ed25519PublicKey(scalar: operands[0])
                    : try WebCrypto.x25519PublicKey(scalar: operands[0])
            }
        },
        .web("ed25519Sign") { host, call throws(OpError) in
            try CryptoWork.run(host, call, [0, 1]) { operands, _ throws(WebCrypto.Failure) in
                .bytes(try WebCrypto.signEd25519(scalar: operands[0], operands[1]))
            }
        },
        .web("ed25519Verify") { host, call throws(OpError) in
            try CryptoWork.run(host, call, [0, 1, 2]) { operands, _ in
                .bool(
                    WebCrypto.isValidEd25519Signature(
                        point: operands[0], signature: operands[1], operands[2]))
            }
        },
        .web("x25519") { host, call throws(OpError) in
            try atOnce(host, call, [0, 1]) { operands throws(WebCrypto.Failure) in
                try WebCrypto.agreeX25519(scalar: operands[0], point: operands[1])
            }
        },
    ]

    /// For what JavaScript takes no ticket for: the arguments at `indices` are keys, which are short.
    private static func atOnce(
        _ host: WebHost, _ call: OpCall, _ indices: [Int],
        _ operation: ([WebCrypto.Bytes]) throws(WebCrypto.Failure) -> [UInt8]
    ) throws(OpError) {
        let operands = try indices.map { (index) throws(OpError) in try bytes(call, index) }
        let result: [UInt8]
        do { result = try operation(operands) } catch { throw OpError("OperationError", error.message) }
        try returns(result, host, call)
    }

    // MARK: DigestStream

    private static let runningDigests: [Op] = [
        .web("digestStart") { host, call throws(OpError) in call.returns(host.digests.start(try hash(call, 0))) },
        .web("digestUpdate") { host, call throws(OpError) in
            guard host.digests.update(call.integer(0), try bytes(call, 1)) else { throw noDigest }
        },
        .web("digestFinish") { host, call throws(OpError) in
            guard let digest = host.digests.finish(call.integer(0)) else { throw noDigest }
            try returns(digest, host, call)
        },
        .web("digestDrop") { host, call in host.digests.drop(call.integer(0)) },
    ]

    private static let noDigest = OpError.type("The hash of the DigestStream has ended already")
}
