import Foundation
import Testing

@Suite("Compression streams") struct CompressionTests {
    private static let worker = """
        export default { async fetch(request) {
          const [, direction, format, what] = new URL(request.url).pathname.split("/");
          const stream = direction === "pack" ? new CompressionStream(format) : new DecompressionStream(format);
          // A request without bytes has no body.
          const readable = (request.body ?? new Response("").body).pipeThrough(stream);
          if (what === undefined) return new Response(readable);
          if (what === "count") {
            let count = 0;
            for await (const piece of readable) count += piece.length;
            return new Response(String(count));
          }
          try {
            return new Response(String((await new Response(readable).arrayBuffer()).byteLength));
          } catch (error) {
            return new Response(`${error.name}: ${error.message}`);
          }
        } };
        """

    private func dev(_ folder: ScratchFolder, _ flags: [String] = []) throws -> Martlet {
        try folder.write("index.js", Self.worker)
        return try Martlet.dev(folder.path, ["--cpu-ms", "20000"] + flags)
    }

    private func post(_ martlet: Martlet, _ path: String, _ body: [UInt8]) throws -> Answer {
        let client = try martlet.client()
        try client.send("POST", path, body: body)
        return try client.answer(by: .patient)
    }

    /// What Python's zlib makes of `input`.
    private func python(_ expression: String, _ input: [UInt8], in folder: ScratchFolder) throws -> [UInt8] {
        try Data(input).write(to: URL(filePath: folder.path).appending(path: "input.bin"))
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/python3")
        let read = "x = open('input.bin', 'rb').read()"
        process.arguments = [
            "-c", "import zlib, gzip; \(read); open('output.bin', 'wb').write(\(expression))",
        ]
        process.currentDirectoryURL = URL(filePath: folder.path)
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failure("python3: \(expression)") }
        return try Array(Data(contentsOf: URL(filePath: folder.path).appending(path: "output.bin")))
    }

    /// Text that compresses, with noise in it that does not: more than one piece in every direction.
    private static let data: [UInt8] = {
        var state: UInt64 = 1
        return (0..<700_000).map { index in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return index % 3 == 0 ? UInt8(truncatingIfNeeded: state >> 56) : UInt8(97 + index % 23)
        }
    }()

    @Test(arguments: [
        ("gzip", "gzip.compress(x, 6)", "gzip.decompress(x)"),
        ("deflate", "zlib.compress(x, 9)", "zlib.decompress(x)"),
        ("deflate-raw", "zlib.compress(x, 1)[2:-4]", "zlib.decompress(x, -15)"),
    ])
    func otherToolsReadAndWriteTheSame(_ format: String, _ packing: String, _ unpacking: String) throws {
        let folder = try ScratchFolder()
        let martlet = try dev(folder)
        for data in [Self.data, [], Array("short".utf8)] {
            let packed = try post(martlet, "/pack/\(format)", data).body
            #expect(data.count < 100 || packed.count < data.count)
            #expect(try python(unpacking, packed, in: folder) == data)
            #expect(try post(martlet, "/unpack/\(format)", python(packing, data, in: folder)).body == data)
        }
    }

    /// By Node's zlib.brotliCompressSync, of "The martlet never lands. " ten times.
    private static let brotli: [UInt8] = Array(
        Data(base64Encoded: "G/kA+I3UVndzJEVFhaYnS/Uhif2btxMwMWGg8I1Ccc46tF4Ds3MD")!)

    @Test func brotliGoesBothWays() throws {
        let folder = try ScratchFolder()
        let martlet = try dev(folder)
        let text = String(repeating: "The martlet never lands. ", count: 10)
        #expect(try post(martlet, "/unpack/brotli", Self.brotli).text == text)
        let packed = try post(martlet, "/pack/brotli", Self.data).body
        #expect(packed.count < Self.data.count)
        #expect(try post(martlet, "/unpack/brotli", packed).body == Self.data)
    }

    @Test func truncatedAndLyingDataIsATypeError() throws {
        let folder = try ScratchFolder()
        let martlet = try dev(folder)
        let whole = try python("gzip.compress(x)", Self.data, in: folder)
        var wrongSum = whole
        wrongSum[whole.count - 6] ^= 1
        var wrongLength = whole
        wrongLength[whole.count - 1] ^= 1
        var broken = whole
        for index in 100..<140 { broken[index] = 0xff }
        for (name, bytes) in [
            ("truncated", Array(whole.dropLast(9))), ("without an end", Array(whole.dropLast(1))), ("empty", []),
            ("wrong sum", wrongSum), ("wrong length", wrongLength), ("broken", broken), ("more", whole + [0]),
            ("another format", Self.data),
        ] {
            let answer = try post(martlet, "/unpack/gzip/whole", bytes)
            #expect(answer.text.hasPrefix("TypeError: "), "\(name): \(answer.summary)")
        }
        for (name, bytes) in [
            ("truncated", Array(Self.brotli.dropLast(3))), ("more", Self.brotli + [0]), ("broken", Self.data),
        ] {
            let answer = try post(martlet, "/unpack/brotli/whole", bytes)
            #expect(answer.text.hasPrefix("TypeError: "), "\(name): \(answer.summary)")
        }
        #expect(try post(martlet, "/unpack/gzip/whole", whole).text == String(Self.data.count))
    }

    @Test func aBombGrowsNoFurtherThanTheLimits() throws {
        let folder = try ScratchFolder()
        let martlet = try dev(folder, ["--memory-mb", "64"])
        // A quarter of a gigabyte of zeros, by way of a stream that python makes without holding it.
        let bomb = try python(
            "(lambda c: b''.join([c.compress(bytes(1 << 20)) for _ in range(256)] + [c.flush()]))"
                + "(zlib.compressobj(9, zlib.DEFLATED, 31))", [], in: folder)
        // As a whole it does not fit; what becomes of the request is the isolate's business, not the process's.
        let whole = try post(martlet, "/unpack/gzip/whole", bomb)
        #expect(whole.text.hasPrefix("RangeError") || whole.outcome == "exceededMemory", "\(whole.summary)")
        // Piece by piece it goes through in little memory.
        #expect(try post(martlet, "/unpack/gzip/count", bomb).text == String(256 << 20))
    }

    @Test func streamsThatNobodyEndsAreBoundedAndCollected() throws {
        let folder = try ScratchFolder()
        try folder.write(
            "index.js",
            """
            export default { fetch() {
              // Each holds a quarter of a megabyte, and is garbage at once.
              for (let i = 0; i < 100; i++) new CompressionStream("gzip");
              return new Response("made");
            } };
            """)
        let martlet = try Martlet.dev(folder.path, ["--cpu-ms", "20000"])
        for _ in 0..<10 {
            let answer = try martlet.get()
            #expect(answer.text == "made", "\(answer.summary)")
        }
    }
}
