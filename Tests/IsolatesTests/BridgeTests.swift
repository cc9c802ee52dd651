import Isolates
import Testing

@Suite("The bridge: flat values, ops, tickets")
struct BridgeTests {
    @Test func flatValuesGoBothWays() async throws {
        let results = try await Fixture.onLane { thread in
            let subject = Subject(thread)
            defer { subject.close() }
            try subject.load(
                """
                export default {
                  list() { const l = ops.list(); return JSON.stringify([l[0], l[1], l[2], l[3], [...l[4]]]); },
                  latin1() { return ops.echo("a\\u00e9\\u00ff"); },
                  twoByte() { return ops.echo("\\u4e2d\\ud83d\\udc26") === "\\u4e2d\\ud83d\\udc26"; },
                  lone() { return ops.echo("x\\ud800y") === "x\\ufffdy"; },
                  count() { return ops.count(["a", "b", "c"]); },
                  argument(value) { return typeof value + ":" + (value instanceof Uint8Array ? [...value] : value); },
                };
                """)
            return [
                try subject.result("list"), try subject.result("latin1"), try subject.result("twoByte"),
                try subject.result("lone"), try subject.result("count"),
                try subject.result("argument", .bytes([9, 8])), try subject.result("argument", .string("h\u{e9}")),
                try subject.result("argument", .number(-0.5)), try subject.result("argument", .null),
            ]
        }
        #expect(
            results == [
                #"[null,true,1.5,"🐦",[1,2]]"#, "a\u{e9}\u{ff}", "true", "true", "3", "object:9,8", "string:h\u{e9}",
                "number:-0.5", "object:null",
            ])
    }

    /// Against Swift's decoder, whose repairs are the Encoding Standard's too.
    @Test func utf8IsDecoded() async throws {
        try await Fixture.onLane { thread in
            let subject = Subject(thread)
            defer { subject.close() }
            try subject.load(
                """
                export default {
                  decode(bytes) { return engine.utf8Decode(bytes, false); },
                  isWhole(bytes) { return engine.utf8Decode(bytes, true) !== undefined; },
                };
                """)
            // First and last bytes of the classes of RFC 3629, section 4, with ASCII between them.
            let edges: [UInt8] = [
                0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC2, 0xDF, 0xE0, 0xED, 0xEF, 0xF0, 0xF4, 0xF5, 0xFF,
            ]
            let whole = ["\u{e9}", "\u{7ff}", "\u{20ac}", "\u{d7ff}", "\u{1f426}", "\u{10ffff}", "plain ASCII"]
            var random = SystemRandomNumberGenerator()
            for round in 0..<2_000 {
                var bytes: [UInt8] = []
                for _ in 0..<Int.random(in: 1...40, using: &random) {
                    switch Int.random(in: 0..<(round.isMultiple(of: 2) ? 2 : 3), using: &random) {
                    case 0: bytes += whole.randomElement(using: &random)!.utf8
                    case 1: bytes.append(.random(in: 0..<0x80, using: &random))
                    default: bytes.append(edges.randomElement(using: &random)!)
                    }
                }
                let expected = String(decoding: bytes, as: UTF8.self)
                #expect(try subject.result("decode", .bytes(bytes)) == expected, "\(bytes)")
                let isWhole = String(validating: bytes, as: UTF8.self) != nil
                #expect(try subject.result("isWhole", .bytes(bytes)) == "\(isWhole)", "\(bytes)")
            }
        }
    }

    @Test func bytesAreBorrowedNotCopied() async throws {
        let (bytes, filled) = try await Fixture.onLane { thread in
            let subject = Subject(thread)
            defer { subject.close() }
            try subject.load(
                """
                export default {
                  part() { ops.recordBytes(new Uint8Array([1, 2, 3, 4, 5]).subarray(1, 4)); },
                  fill() { const small = new Uint8Array(3), big = new Uint8Array(100000);
                    ops.fill(small); ops.fill(big.subarray(99999)); return [...small, big[99998], big[99999]].join(); },
                };
                """)
            try subject.invoke("part")
            return (subject.recorder.bytes, try subject.result("fill"))
        }
        #expect(bytes == [2, 3, 4])
        #expect(filled == "7,7,7,0,7")
    }

    @Test func opsThrowTheStandardsErrors() async throws {
        let results = try await Fixture.onLane { thread in
            let subject = Subject(thread)
            defer { subject.close() }
            try subject.load(
                """
                export default { fail(name) { try { ops.fail(name, "why"); } catch (e) {
                  return [e.constructor.name, e.name, e.message].join(); } } };
                """)
            return try ["TypeError", "RangeError", "SyntaxError", "Error", "AbortError"].map {
                try subject.result("fail", .string($0))
            }
        }
        #expect(
            results == [
                "TypeError,TypeError,why", "RangeError,RangeError,why", "SyntaxError,SyntaxError,why",
                "Error,Error,why",
                "Error,AbortError,why",
            ])
    }

    @Test func ticketsSettleInLaterCalls() async throws {
        let texts = try await Fixture.onLane { thread in
            let subject = Subject(thread)
            defer { subject.close() }
            try subject.load(
                """
                export default {
                  async wait() {
                    try { return await ticketPromise(ops.ticket()); } catch (e) { return e.name + " " + e.message; }
                  },
                };
                """)
            try subject.invoke("wait")
            try subject.invoke("wait")
            let settle = Fixture.Entry.settle.entry
            let failure = FlatValue.error(name: "RangeError", message: "too far")
            try subject.isolate.call(settle, .number(2), .bool(true), failure, on: thread, budget: Subject.cpu)
            try subject.isolate.call(settle, .number(1), .bool(false), .string("done"), on: thread, budget: Subject.cpu)
            return subject.recorder.texts
        }
        #expect(texts == ["RangeError too far", "done"])
    }

    @Test func rejectionsNobodyHandlesAreReported() async throws {
        let texts = try await Fixture.onLane { thread in
            let subject = Subject(thread)
            defer { subject.close() }
            try subject.load(
                """
                export default {
                  lost() { Promise.reject(1); return "x"; },
                  caught() { Promise.reject(2).catch(() => {}); return "y"; },
                };
                """)
            try subject.invoke("lost")
            try subject.invoke("caught")
            return subject.recorder.texts
        }
        #expect(texts == ["x", "unhandled 1", "y"])
    }

    @Test func timeStandsStill() async throws {
        let results = try await Fixture.onLane { thread in
            let subject = Subject(thread)
            defer { subject.close() }
            try subject.load(
                """
                export default { now() {
                  const before = [Date.now(), +new Date(), new Date(Date()).getTime()];
                  for (let i = 0; i < 1e6; i++);
                  return [...before, Date.now(), new Intl.DateTimeFormat("en", { year: "numeric" }).format()].join();
                } };
                """)
            thread.setTime(1_700_000_000_000)
            let first = try subject.result("now")
            thread.setTime(1_000_000_000_000)
            return [first, try subject.result("now")]
        }
        #expect(
            results == [
                "1700000000000,1700000000000,1700000000000,1700000000000,2023",
                "1000000000000,1000000000000,1000000000000,1000000000000,2001",
            ])
    }

    @Test func randomnessDiffersBetweenIsolates() async throws {
        let results = try await Fixture.onLane { thread in
            try (0..<3).map { _ in
                let subject = Subject(thread)
                defer { subject.close() }
                try subject.load("export default { random() { return Math.random(); } }")
                return try subject.result("random")
            }
        }
        #expect(Set(results).count == 3)
    }
}
