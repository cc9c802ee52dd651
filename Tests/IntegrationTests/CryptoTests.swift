import Testing

/// What `crypto.subtle` does off the lane: on whose account, beside whom, and with which bytes. That its answers are
/// right is the worker case `web-crypto`.
@Suite("Crypto") struct CryptoTests {
    private static let prelude = """
        const hex = (bytes) => [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
        const { subtle } = crypto;
        const derive = async (iterations, bits, hash = "SHA-512") => {
            const key = await subtle.importKey("raw", new Uint8Array(8), "PBKDF2", false, ["deriveBits"]);
            const algorithm = { name: "PBKDF2", hash, salt: new Uint8Array(8), iterations };
            return subtle.deriveBits(algorithm, key, bits);
        };
        const generate = (modulusLength) => subtle.generateKey({
            name: "RSASSA-PKCS1-v1_5", modulusLength, publicExponent: new Uint8Array([1, 0, 1]), hash: "SHA-256",
        }, true, ["sign", "verify"]);

        """

    private func dev(_ folder: ScratchFolder, _ worker: String, _ flags: [String] = []) throws -> Martlet {
        try folder.write("index.js", Self.prelude + worker)
        return try Martlet.dev(folder.path, flags)
    }

    /// SHA-256 of a megabyte of zeros, as sha256sum gives it.
    private static let digestOfZeros = "30e14955ebf1352266dc2ff8067e68104607e750abb9d3b36582b8af909fcb58"

    @Test func whatIsHashedIsWhatTheBytesWereAtTheCall() throws {
        let folder = try ScratchFolder()
        let martlet = try dev(
            folder,
            """
            export default { async fetch(request) {
              const bytes = new Uint8Array(1 << 20);
              const digest = subtle.digest("SHA-256", bytes);
              if (request.url.endsWith("/fill")) bytes.fill(255);
              if (request.url.endsWith("/detach")) structuredClone(bytes, { transfer: [bytes.buffer] });
              return new Response(hex(await digest));
            } };
            """)
        for path in ["/", "/fill", "/detach"] {
            #expect(try martlet.get(path).text == Self.digestOfZeros, "\(path)")
        }
    }

    @Test func largeDataGoesRoundInEveryCipher() throws {
        let folder = try ScratchFolder()
        let martlet = try dev(
            folder,
            """
            export default { async fetch() {
              const data = new Uint8Array(3_000_001);
              for (let i = 0; i < data.length; i++) data[i] = i * 7 >> 3;
              const wanted = hex(await subtle.digest("SHA-1", data));
              const right = [];
              for (const [name, rest] of [
                ["AES-GCM", { iv: new Uint8Array(12) }], ["AES-CBC", { iv: new Uint8Array(16) }],
                ["AES-CTR", { counter: new Uint8Array(16), length: 64 }],
              ]) {
                const key = await subtle.importKey("raw", new Uint8Array(16), name, false, ["encrypt", "decrypt"]);
                const sealed = await subtle.encrypt({ name, ...rest }, key, data);
                const opened = await subtle.decrypt({ name, ...rest }, key, sealed);
                const broken = new Uint8Array(sealed);
                broken[broken.length - 1] ^= 255;
                const failure = await subtle.decrypt({ name, ...rest }, key, broken).then(() => "none", (e) => e.name);
                right.push([name, hex(await subtle.digest("SHA-1", opened)) === wanted, failure]);
              }
              return Response.json(right);
            } };
            """, ["--cpu-ms", "10000"])
        let answer = try martlet.get().json()
        let expected = try JSON(
            #"[["AES-GCM", true, "OperationError"], ["AES-CBC", true, "OperationError"], ["AES-CTR", true, "none"]]"#
                .utf8)
        #expect(answer == expected)
    }

    @Test func generatedKeysOfAllLengthsWork() throws {
        let folder = try ScratchFolder()
        let martlet = try dev(
            folder,
            """
            export default { async fetch() {
              const results = [];
              for (const bits of [1024, 1032, 2048]) {
                const { privateKey, publicKey } = await generate(bits);
                const data = new TextEncoder().encode("data");
                const signature = await subtle.sign("RSASSA-PKCS1-v1_5", privateKey, data);
                results.push(publicKey.algorithm.modulusLength, signature.byteLength,
                  await subtle.verify("RSASSA-PKCS1-v1_5", publicKey, signature, data));
              }
              return Response.json(results);
            } };
            """, ["--cpu-ms", "60000"])
        #expect(
            try martlet.get(by: .patient).json()
                == JSON("[1024, 128, true, 1032, 129, true, 2048, 256, true]".utf8))
    }

    @Test(arguments: ["/derive", "/generate", "/many"])
    func workOverTheLimitEndsTheRequest(_ path: String) throws {
        let folder = try ScratchFolder()
        let martlet = try dev(
            folder,
            """
            export default { async fetch(request) {
              switch (new URL(request.url).pathname) {
                case "/derive": return new Response(hex(await derive(100_000, 512 * 32)));
                case "/generate": await generate(4096); break;
                // None is over the limit by itself.
                case "/many": await Promise.all(Array.from({ length: 2_000 }, () => derive(2_000, 512))); break;
                case "/none": return new Response("fine");
              }
              return new Response("done");
            } };
            """, ["--cpu-ms", "30", "--front-lanes", "1"])
        let answer = try martlet.get(path)
        #expect(answer.status == 503)
        #expect(answer.outcome == "exceededCpu")
        #expect(answer.errorNumber == 1102)
        // The next request finds a fresh isolate, and threads that are free.
        #expect(try martlet.get("/none").text == "fine")
    }

    @Test func workIsOnTheRequestsAccount() throws {
        let folder = try ScratchFolder()
        try folder.write(
            "a.js",
            Self.prelude + """
                export default { async fetch() { return new Response(await derive(100_000, 512 * 16)); } };
                """)
        let martlet = try Martlet.serve(folder.path, ["--cpu-ms", "20000"])
        let watch = Stopwatch()
        #expect(try martlet.get(host: "a.localhost", by: .patient).status == 200)
        let wall = watch.seconds * 1e6
        // 1.6 million iterations of two hashes each: no machine does one of them in 20 ns.
        let charged = try #require(martlet.serverStatus()["workers"]["a"]["cpuMicroseconds"].int)
        #expect(charged > 32_000)
        #expect(Double(charged) < wall)
    }

    @Test func aNeighbourAnswersMeanwhile() throws {
        let folder = try ScratchFolder()
        try folder.write(
            "busy.js",
            Self.prelude + """
                export default { async fetch() {
                  await Promise.all(Array.from({ length: 50 }, () => derive(100_000, 512 * 32)));
                  return new Response("done");
                } };
                """)
        try folder.write(
            "quick.js",
            Self.prelude + """
                export default { async fetch(request) {
                  if (request.url.endsWith("/plain")) return new Response("plain");
                  return new Response(hex(await subtle.digest("SHA-256", new Uint8Array(1 << 20))));
                } };
                """)
        let martlet = try Martlet.serve(folder.path, ["--cpu-ms", "300000", "--front-lanes", "1"])
        let busy = try martlet.client("busy.localhost")
        try busy.send()
        // Its work is under way when it has been charged with a part of it.
        try wait(until: "work is under way", by: .patient) {
            try #require(martlet.serverStatus()["workers"]["busy"]["requests"].int) == 1
        }
        for _ in 0..<20 {
            // On the one lane there is, and on the threads for work, where isolates take turns.
            #expect(try martlet.get("/plain", host: "quick.localhost").text == "plain")
            #expect(try martlet.get(host: "quick.localhost").text == Self.digestOfZeros)
        }
        // All of the busy one's 50 jobs take far longer than the 40 answers.
        #expect(try martlet.serverStatus()["workers"]["busy"]["errors"] == .number(0))
        #expect(try martlet.serverStatus()["process"]["lostLanes"] == .number(0))
        // The client leaves: what waits is not begun, and what is under way stops.
        busy.close()
        try wait(until: "the work ends", by: .patient) {
            let first = try martlet.serverStatus()["workers"]["busy"]["cpuMicroseconds"].int
            let second = try martlet.serverStatus()["workers"]["busy"]["cpuMicroseconds"].int
            return try first == second && martlet.serverStatus()["workers"]["busy"]["errors"] == .number(1)
        }
    }

    @Test func workThatWaitsCountsAsMemory() throws {
        let folder = try ScratchFolder()
        let martlet = try dev(
            folder,
            """
            export default { async fetch(request) {
              if (request.url.endsWith("/none")) return new Response("fine");
              const bytes = new Uint8Array(8 << 20);
              const results = await Promise.allSettled(
                Array.from({ length: 100 }, () => subtle.digest("SHA-256", bytes)));
              const errors = new Set(results.filter((r) => r.reason).map((r) => r.reason.name));
              return Response.json([results.some((r) => r.value !== undefined), ...errors]);
            } };
            """, ["--cpu-ms", "20000", "--memory-mb", "96"])
        #expect(try martlet.get(by: .patient).json() == JSON(#"[true, "RangeError"]"#.utf8))
        #expect(try martlet.get("/none").text == "fine")
    }

    @Test func topLevelCodeMayHashAndDerive() throws {
        let folder = try ScratchFolder()
        let martlet = try dev(
            folder,
            """
            const atStart = [
              hex(await subtle.digest("SHA-256", new Uint8Array(1 << 20))),
              hex(await derive(100, 64)), await generate(2048).catch((error) => error.message.slice(0, 20)),
              await derive(100_000, 512 * 32).catch((error) => error.name),
            ];
            export default { async fetch() {
              return Response.json([atStart, hex(await derive(100, 64)) === atStart[1]]);
            } };
            """)
        let answer = try martlet.get().json()
        guard case .array(let values) = answer, case .array(let atStart) = values[0] else {
            throw Failure("not two values: \(answer)")
        }
        #expect(atStart[0] == .string(Self.digestOfZeros))
        #expect(atStart[2] == .string("Disallowed operation"))
        #expect(values[1] == .bool(true))
    }
}
