import Foundation
import Testing

/// Each rule against small trees in which it is broken, and against those in which it is not.
@Suite struct RuleTests {
    static let bundle = """
        static const char url_search[] = {
        #embed "../WebAPI/URL/js/search.js"
        };
        #define MODULE(name, when, bytes) {name, bytes, sizeof bytes, when}
        static const cbundle_module modules[] = {
            MODULE("URL/search", eager, url_search),
        };
        """

    private func expect(
        _ rule: any Rule.Type,
        _ tree: Tree,
        finds expected: [String],
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let found = rule.findings(in: tree).map(\.description)
        #expect(found == expected, sourceLocation: sourceLocation)
    }

    @Test(arguments: [
        ("Sources/Runtime/A.swift", "import CV8", "Runtime must not import CV8"),
        ("Sources/Isolates/A.swift", "package import Runtime", "Isolates must not import Runtime"),
        ("Sources/Model/A/B.swift", "@preconcurrency import struct Edge.Ingress", "Model must not import Edge"),
        ("Sources/WebAPI/A.swift", "    @_spi(X) @testable internal import Edge", "WebAPI must not import Edge"),
        ("Sources/martlet/A.swift", "import CBundle", "martlet must not import CBundle"),
        ("Tests/RuntimeTests/A.swift", "import CV8", "tests must not import CV8"),
    ]) func anArrowThatRunsBack(path: String, line: String, message: String) {
        expect(ArrowRule.self, Tree([path: "import Foundation\n\(line)\n"]), finds: ["\(path):2: \(message)"])
    }

    @Test(arguments: [
        ("Sources/Isolates/A.swift", "internal import CV8\nimport Model\n"),
        ("Sources/martlet/A.swift", "import ArgumentParser\nimport Edge\n"),
        ("Sources/Model/A.swift", "/// import CV8\nlet important = 1\n"),
        ("Tests/CV8Tests/A.swift", "import CV8\n"),
        ("tools/A.swift", "import CV8\n"),
    ]) func anArrowAsDrawn(path: String, text: String) {
        expect(ArrowRule.self, Tree([path: text]), finds: [])
    }

    @Test func aTargetWithoutArrows() {
        expect(
            ArrowRule.self,
            Tree(["Sources/Attic/A.swift": ""]),
            finds: ["Sources/Attic/A.swift: Attic has no arrows: say in ArrowRule what it may import"]
        )
    }

    @Test(arguments: [
        ("Sources/CV8/include/CV8.h", "#include <v8.h>", "v8.h is for CV8's own .cc files"),
        ("Sources/CBundle/bundle.c", "# include <uv.h>", "uv.h is for CV8's own .cc files"),
        ("Sources/CV8/engine.cc", "#include \"v8-profiler.h\"", "CV8 does not include v8-profiler.h"),
        ("Sources/CV8/engine.cc", "#include <node.h>", "CV8 does not include node.h"),
    ]) func anEngineHeaderOutOfPlace(path: String, line: String, message: String) {
        expect(EngineHeaderRule.self, Tree([path: line]), finds: ["\(path):1: \(message)"])
    }

    @Test func engineHeadersInPlace() {
        let text = "#include <v8.h>\n#include <libplatform/libplatform.h>\n#include \"CV8.h\"\n#include <vector>\n"
        expect(EngineHeaderRule.self, Tree(["Sources/CV8/engine.cc": text]), finds: [])
    }

    @Test(arguments: [("Sources/Model/A.swift", 500), ("Tests/ModelTests/A.swift", 800), ("Sources/CV8/a.cc", 500)])
    func aLongFile(path: String, limit: Int) {
        let text = String(repeating: "\n", count: limit)
        expect(FileLengthRule.self, Tree([path: text]), finds: [])
        expect(
            FileLengthRule.self,
            Tree([path: text + "x"]),
            finds: ["\(path): \(limit + 1) lines, at most \(limit)"]
        )
    }

    @Test func onlyCodeHasALength() {
        expect(FileLengthRule.self, Tree(["docs/a.md": String(repeating: "\n", count: 9_000)]), finds: [])
    }

    @Test(arguments: ["a.swift", "a.c", "a.cc", "a.h", "a.js"])
    func aLongLine(name: String) {
        let line = String(repeating: "\u{e4}", count: 120)
        let path = "Sources/Model/\(name)"
        expect(LineLengthRule.self, Tree([path: line]), finds: [])
        expect(LineLengthRule.self, Tree([path: "\n\(line)x\n"]), finds: ["\(path):2: 121 columns, at most 120"])
    }

    @Test func aStrangerInTheRoot() {
        let tree = Tree(["notes.txt": "", "Sources/Model/A.swift": "", "vendor/a/b.c": "", "vendor/c.c": ""])
        expect(
            RootRule.self, tree, finds: ["notes.txt: not an entry of the root", "vendor: not an entry of the root"])
    }

    @Test func aDeadFolder() {
        let texts = [
            "Package.swift": ".target(name: \"Model\")", "Sources/Model/A.swift": "", "Sources/Modeling/A.swift": "",
            "Tests/Workers/hello/worker.js": "", "Tests/OldTests/A.swift": "",
        ]
        expect(
            FolderRule.self,
            Tree(texts, emptyFolders: ["docs/img/"]),
            finds: [
                "docs/img/: an empty folder", "Sources/Modeling: not a target of Package.swift",
                "Tests/OldTests: not a target of Package.swift",
            ]
        )
    }

    @Test func javaScriptOutOfPlaceOrNotASCII() {
        let texts = [
            "Sources/WebAPI/URL/js/a.js": "// a\n// \u{2014}\n", "Sources/WebAPI/URL/b.js": "",
            "Sources/Runtime/R/js/c.js": "", "examples/d/index.js": "// \u{2014}",
        ]
        expect(
            JavaScriptRule.self,
            Tree(texts),
            finds: [
                "Sources/Runtime/R/js/c.js: belongs in Sources/WebAPI/<Standard>/js/",
                "Sources/WebAPI/URL/b.js: belongs in Sources/WebAPI/<Standard>/js/",
                "Sources/WebAPI/URL/js/a.js:2: not ASCII",
            ]
        )
    }

    @Test(arguments: [
        ("for (const a of list) f(a);", "an iteration by the array's iterator"),
        ("f(...list);", "a spread by the array's iterator"), ("a = [b, ...list];", "a spread by the array's iterator"),
        ("const [a, b] = pair;", "a destructuring by the array's iterator"),
        ("if (a instanceof B) f();", "a prototype walk"), ("list.push(a);", "a method from a prototype"),
        ("promise.then(f);", "a method from a prototype"),
        ("if (text.startsWith(a)) f();", "a method from a prototype"),
        ("class A extends B { #c = 1; }", "a constructor by the array's iterator"),
        ("class A extends B {\n  c() {}\n}\nclass D {\n  constructor() {}\n}", "a constructor by the array's iterator"),
        ("PromiseAll(list);", "an intrinsic that looks something up itself"),
        ("StringPrototypeSplit(text, a);", "an intrinsic that looks something up itself"),
    ]) func whatATenantMayHaveReplaced(_ line: String, _ message: String) {
        let path = "Sources/WebAPI/URL/js/a.js"
        expect(PrimordialsRule.self, Tree([path: "f();\n\(line)\n"]), finds: ["\(path):2: \(message)"])
        expect(PrimordialsRule.self, Tree(["Sources/WebAPI/Core/js/primordials.js": line]), finds: [])
    }

    @Test(arguments: [
        "class A extends B {\n  constructor() { super(); }\n}", "class A {}",
        "// list.push(a);", "const text = \"a.then(b)\";", "log(...data) { print(data); },", "const a = { ...b };",
        "ArrayPrototypePush(list, a);", "const f = (...rest) => rest;", "a = { __proto__: null, ...b };",
    ]) func whatNoTenantReaches(_ line: String) {
        expect(PrimordialsRule.self, Tree(["Sources/WebAPI/URL/js/a.js": line]), finds: [])
    }

    @Test(arguments: [
        ("", "", []),
        (
            "../WebAPI/URL/js/search.js", "../WebAPI/URL/js/other.js",
            [
                ": URL/search must be embedded once",
                ":2: there is no URL/other", ":6: url_search does not hold the bytes of URL/search",
            ]
        ),
        (
            "MODULE(\"URL/search\"", "MODULE(\"URL/sought\"",
            [
                ": URL/search must have one row",
                ":6: url_search does not hold the bytes of URL/sought",
            ]
        ),
        ("eager, url_search", "eager, url_other", [":6: url_other does not hold the bytes of URL/search"]),
        ("    MODULE(\"URL/search\", eager, url_search),\n", "", [": URL/search must have one row"]),
        (
            "#embed", "//",
            [
                ": URL/search must be embedded once",
                ":6: url_search does not hold the bytes of URL/search",
            ]
        ),
    ]) func theBundle(replaced: String, by replacement: String, expected: [String]) {
        let text = replaced.isEmpty ? Self.bundle : Self.bundle.replacing(replaced, with: replacement)
        expect(
            BundleRule.self,
            Tree([BundleRule.path: text, "Sources/WebAPI/URL/js/search.js": ""]),
            finds: expected.map { BundleRule.path + $0 }
        )
    }

    @Test func whatIsUsedIsProvided() {
        let path = "Sources/WebAPI/A/js/b.js"
        let user = """
            const { one, two: other } = use("URL/url");
            const {
              three,
            } = use("URL/url");
            const { four } = use("URL/gone");
            provide({});
            """
        expect(
            UseRule.self, Tree([path: user, "Sources/WebAPI/URL/js/url.js": "provide({ one, three: 3 });"]),
            finds: ["\(path): URL/url does not provide two", "\(path): there is no URL/gone"])
    }

    @Test func aFileThatTheBundleLacks() {
        expect(
            BundleRule.self,
            Tree([
                BundleRule.path: Self.bundle, "Sources/WebAPI/URL/js/search.js": "", "Sources/WebAPI/A/js/b.js": "",
            ]),
            finds: [
                "\(BundleRule.path): A/b must be embedded once", "\(BundleRule.path): A/b must have one row",
            ]
        )
    }

    @Test(arguments: [
        ("// TO" + "DO: later", "what is to do is an issue"),
        ("x() // FIX" + "ME", "what is to do is an issue"),
        ("let a = \"/home" + "/me/a\"", "a path of one machine"),
        ("cd /work" + "/main", "a path of one machine"),
    ]) func aForbiddenText(line: String, message: String) {
        expect(ForbiddenTextRule.self, Tree(["docs/a.md": "\n\(line)\n"]), finds: ["docs/a.md:2: \(message)"])
    }

    @Test(arguments: ["MASTO" + "DON", "https://example.com/home" + "/a", "~/work" + "/a", "network/work" + "ers/"])
    func anAllowedText(line: String) {
        expect(ForbiddenTextRule.self, Tree(["docs/a.md": line]), finds: [])
    }

    @Test func aTestThatWouldNotRun() {
        expect(
            TestFrameworkRule.self,
            Tree(["Tests/ModelTests/A.swift": "import XCTest\n@testable import Model\nimport Testing\n"]),
            finds: [
                "Tests/ModelTests/A.swift:1: import XCTest: not run by `make test`",
                "Tests/ModelTests/A.swift:2: @testable import Model: not run by `make test`",
            ]
        )
    }

    @Test func everyRuleIsApplied() {
        let texts = [
            "Sources/Attic/a.h": "#include <v8.h>\n" + String(repeating: "\n", count: 500),
            "Sources/Attic/A.swift": String(repeating: "x", count: 121), "Sources/Attic/a.js": "// FIX" + "ME",
            "Sources/WebAPI/A/js/a.js": "a.push(b)", "Sources/WebAPI/A/js/b.js": "const { c } = use(\"A/none\");",
            "Tests/ATests/A.swift": "import XCTest", "stranger": "",
        ]
        let names = complaints(about: Tree(texts), exceptions: []).map { $0.prefix { $0 != ":" } }
        #expect(Set(names) == Set(allRules.map { $0.name[...] }))
    }
}

/// Exceptions let pass exactly what they state.
@Suite struct ExceptionTests {
    static let tree = Tree(["docs/a.swift": String(repeating: "\n", count: 510)])

    @Test(arguments: [
        (509, ["file-length: docs/a.swift: 510 lines, at most 500"]), (510, []),
        (511, ["file-length: docs/a.swift: the exception of 511 must shrink to 510"]),
    ]) func theSizeIsExact(size: Int, expected: [String]) {
        let exception = Exception(rule: "file-length", path: "docs/a.swift", size: size)
        #expect(complaints(about: Self.tree, rules: [FileLengthRule.self], exceptions: [exception]) == expected)
    }

    @Test func anExceptionThatIsNoLongerNeeded() {
        let exception = Exception(rule: "file-length", path: "docs/b.swift", size: 600)
        #expect(
            complaints(about: Tree([:]), rules: [FileLengthRule.self], exceptions: [exception])
                == ["file-length: docs/b.swift: the exception of 600 must shrink to 0"]
        )
    }

    @Test func anExceptionToNoRule() {
        let exception = Exception(rule: "taste", path: "docs/b.swift", size: 1)
        #expect(complaints(about: Tree([:]), rules: [], exceptions: [exception]) == ["taste: no such rule"])
    }
}

/// The tree is read from a folder, without what `.gitignore` names.
@Suite struct TreeTests {
    @Test func aFolder() throws {
        let root = FileManager.default.temporaryDirectory.appending(path: "tidy-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: root) }
        for folder in ["a/b", ".build-x/c", ".deps", "empty"] {
            try FileManager.default.createDirectory(
                at: root.appending(path: folder), withIntermediateDirectories: true)
        }
        for (path, text) in [
            ".gitignore": "# built\n.build*/\n.deps/\nPackage.resolved\n", "a/b/c.h": "x\n\ny\n",
            "a/Package.resolved": "",
            ".build-x/c/d.c": "", ".deps/e.c": "",
        ] {
            try Data(text.utf8).write(to: root.appending(path: path))
        }
        let tree = try Tree(root: root)
        #expect(tree.files.map(\.path) == [".gitignore", "a/b/c.h"])
        #expect(tree["a/b/c.h"]?.lines == ["x", "", "y"])
        #expect(tree.emptyFolders == ["empty/"])
    }
}
