import Model
import Testing

@Suite struct SourceTests {
    private static func scan(_ text: String) -> ImportScanner.Result { ImportScanner.scan(Array(text.utf8)) }
    private static func blanked(_ text: String) -> String {
        String(decoding: ImportAttributes.blanked(Array(text.utf8)), as: UTF8.self)
    }

    @Test func importsInTemplatesAreFound() {
        let result = Self.scan("let a = `x ${ `y ${import('./b.js')}` } import './no.js'`; import './c.js';")
        #expect(result.specifiers == ["./b.js", "./c.js"])
        #expect(result.isModule)
        #expect(!Self.scan("`import './a.js'`; addEventListener('fetch', () => {})").isModule)
    }

    @Test func importAttributesBecomeBlanks() {
        let code = """
            import a from "./a.json" with { type: "json" }; a();
            export { b } from './b.json'with{'type':'json'}
            import "./c.json"
              with {
                type: "json",
              };
            """
        let blanked = Self.blanked(code)
        #expect(blanked.utf8.count == code.utf8.count)
        #expect(blanked.split(separator: "\n").map(\.count) == code.split(separator: "\n").map(\.count))
        let words = blanked.split { " \n".contains($0) }
        #expect(
            words == [
                "import", "a", "from", "\"./a.json\"", ";", "a();", "export", "{", "b", "}", "from", "'./b.json'",
                "import", "\"./c.json\"", ";",
            ])
    }

    @Test(arguments: [
        #"const s = 'import a from "./a.json" with { type: "json" }';"#,
        #"`import a from "./a.json" with { type: "json" }`"#,
        #"with (a) { "b" } from: "c" with; f("x") with"#,
        #"import "./a.js"; with ({}) { f() }"#,
        #"// import a from "./a.json" with { type: "json" }"#,
        #"import("./a.json", { with: { type: "json" } })"#,
    ])
    func allElseStays(code: String) { #expect(Self.blanked(code) == code) }

    @Test func decoratorsAreFound() {
        #expect(Self.scan("@a class B { @c d() {} e = '@f'; }").decorators.count == 2)
        #expect(Self.scan("const mail = `a@b`; // @c\nf(x)").decorators.isEmpty)
    }

    /// 15,000 clauses without an end, each of which was once searched to the end of the source.
    @Test func clausesWithinClausesAreNone() {
        let code = String(repeating: #"import"x"with{"#, count: 15_000) + "}"
        #expect(Self.scan(code).attributes == [(code.utf8.count - 6)..<code.utf8.count])
        #expect(Self.scan(code).specifiers.count == 15_000)
    }

    /// Lines 1 and 2 of the written file: `aaaa bbbb` from line 3 of `a.ts`, `cc` from line 1 of `b.ts`.
    private static let map = #"""
        {"version":3,"sourcesContent":["\"}],{",null],"names":[],
        "sources":["src/a.ts","src\/b.ts"],"mappings":"AAEA,KAAM;ACFA"}
        """#

    @Test func placesComeFromTheMap() throws {
        let map = try #require(SourceMap(Array(Self.map.utf8)))
        #expect(map.place(line: 1, column: 1) == SourceMap.Place(source: "src/a.ts", line: 3, column: 1))
        #expect(map.place(line: 1, column: 5)?.column == 1)
        #expect(map.place(line: 1, column: 6) == SourceMap.Place(source: "src/a.ts", line: 3, column: 7))
        #expect(map.place(line: 1, column: 900)?.column == 7)
        #expect(map.place(line: 2, column: 2) == SourceMap.Place(source: "src/b.ts", line: 1, column: 7))
        #expect(map.place(line: 3, column: 1) == nil)
        #expect(map.place(line: 0, column: 1) == nil)
    }

    /// Far down a line there are more checkpoints: each segment is 2 columns, from as many lines of the source.
    @Test func longLinesAreSearched() throws {
        let mappings = "AAAA" + String(repeating: ",EACA", count: 10_000) + ";AAAA"
        let map = try #require(SourceMap(Array(#"{"sources":["a"],"mappings":"\#(mappings)"}"#.utf8)))
        for segment in [0, 1, 62, 63, 64, 65, 127, 128, 5_000, 9_999, 10_000] {
            #expect(map.place(line: 1, column: segment * 2 + 1)?.line == segment + 1)
            #expect(map.place(line: 1, column: segment * 2 + 2)?.line == segment + 1)
        }
        #expect(map.place(line: 2, column: 1)?.line == 10_001)
    }

    @Test(arguments: [
        "", "{}", "[]", #"{"mappings":"AAAA"}"#, #"{"sources":["a"],"mappings":"#, #"{"sources":"#,
        #"{"version":3,"sections":[]}"#,
    ])
    func whatIsNoMapIsRefused(json: String) { #expect(SourceMap(Array(json.utf8)) == nil) }

    @Test func nonsenseInMappingsGivesNoPlace() throws {
        for mappings in ["!!!;;,,", "gggggggggggggggggggggggggggA,AAAA", "A+/+/+/+/A,EEEEE", "AzzzzzzD"] {
            let map = SourceMap(Array(#"{"sources":["a"],"mappings":"\#(mappings)"}"#.utf8))
            for line in -1...4 { _ = map?.place(line: line, column: Int.max) }
        }
    }

    /// An empty line costs one byte, and takes 28.
    @Test func mapsThatTakeFarMoreThanTheirLengthAreNotRead() throws {
        func map(lines: Int) -> SourceMap? {
            SourceMap(Array(#"{"sources":["a"],"mappings":"\#(String(repeating: ";", count: lines - 1))"}"#.utf8))
        }
        let largest = try #require(map(lines: SourceMap.mostLines))
        #expect(largest.size > SourceMap.mostLines && largest.size < 8 << 20)
        #expect(map(lines: SourceMap.mostLines + 1) == nil)
        func map(sources: Int) -> SourceMap? {
            let sources = [String](repeating: "0", count: sources).joined(separator: ",")
            return SourceMap(Array(#"{"sources":[\#(sources)],"mappings":""}"#.utf8))
        }
        #expect(map(sources: SourceMap.mostSources) != nil)
        #expect(map(sources: SourceMap.mostSources + 1) == nil)
    }

    @Test func mapsOfAWorkerShareTheirRoom() {
        let bytes = Array(Self.map.utf8)
        let maps = SourceMaps(["a.js": bytes, "b.js": bytes, "c.js": bytes], mostBytes: bytes.count * 2)
        #expect(maps.place(module: "a.js", line: 1, column: 1) != nil)
        #expect(maps.place(module: "b.js", line: 1, column: 1) != nil)
        #expect(maps.place(module: "c.js", line: 1, column: 1) == nil)
        // Small as it came, large once it is read.
        let empty = Array(#"{"sources":["a"],"mappings":"AAAA\#(String(repeating: ";", count: 1_000))"}"#.utf8)
        #expect(SourceMaps(["a.js": empty]).place(module: "a.js", line: 1, column: 1) != nil)
        let little = SourceMaps(["a.js": empty], mostBytes: empty.count + 1_000)
        #expect(little.place(module: "a.js", line: 1, column: 1) == nil)
    }

    @Test func framesOfStackTracesAreResolved() {
        let maps = SourceMaps(["index.js": Array(Self.map.utf8)])
        let text = """
            Error: at index.js:1:1
                at f (index.js:1:6)
                at async index.js:2:1
                at other.js:1:1
                at g (lib/index.js:1:1)
                at new A (index.js:1:6) {
                at index.js:1
            index.js:1:1
            """
        #expect(
            maps.resolved(text) == """
                Error: at index.js:1:1
                    at f (src/a.ts:3:7)
                    at async src/b.ts:1:7
                    at other.js:1:1
                    at g (lib/index.js:1:1)
                    at new A (src/a.ts:3:7) {
                    at index.js:1
                index.js:1:1
                """)
        #expect(SourceMaps([:]).resolved(text) == text)
        #expect(SourceMaps(["index.js": [1, 2]]).resolved(text) == text)
    }
}
