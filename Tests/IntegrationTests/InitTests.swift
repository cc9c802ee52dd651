import Foundation
import Testing

@Suite("martlet init") struct InitTests {
    private static func begin(_ template: String, in folder: ScratchFolder, _ flags: [String] = []) throws
        -> (status: Int32, output: String)
    {
        try Program.run(
            Martlet.binary, ["init", "\(folder.path)/My Project", "--template", template] + flags)
    }

    @Test(arguments: [
        ("hello", "/?name=Ada", "Hello, Ada!\n"), ("typescript", "/?name=Ada", "Hello, Ada!\n"),
        ("router", "/hello/Ada%20L", "Hello, Ada L!\n"), ("wasm", "/?a=20&b=22", "Hello: 20 + 22 = 42\n"),
        ("kv", "/", "There is no KV namespace VISITS yet.\n"),
    ])
    func aTemplateRuns(template: String, path: String, text: String) throws {
        let folder = try ScratchFolder()
        let result = try Self.begin(template, in: folder)
        #expect(result.status == 0)
        #expect(result.output.contains("Began my-project"), "\(result.output)")
        let martlet = try Martlet.dev("\(folder.path)/My Project", ["--no-persist"])
        #expect(try martlet.get(path).text == text)
        if template == "router" {
            #expect(try martlet.get("/none").status == 404)
            #expect(try martlet.get("/echo").status == 405)
        }
        // What is there stays.
        let main = try FileManager.default.contentsOfDirectory(atPath: "\(folder.path)/My Project/src")[0]
        try folder.write("My Project/src/\(main)", "mine")
        let again = try Self.begin(template, in: folder)
        #expect(again.status == 1)
        #expect(again.output.contains("is there already; nothing was written"), "\(again.output)")
        #expect(try String(contentsOfFile: "\(folder.path)/My Project/src/\(main)", encoding: .utf8) == "mine")
    }

    @Test func aFileInTheWayStopsAll() throws {
        let folder = try ScratchFolder()
        try folder.write("My Project/tsconfig.json", "{}")
        #expect(try Self.begin("typescript", in: folder).output.contains("tsconfig.json is there already"))
        #expect(!FileManager.default.fileExists(atPath: "\(folder.path)/My Project/src"))
    }

    @Test func namesMustFit() throws {
        let folder = try ScratchFolder()
        let wrong = try Self.begin("hello", in: folder, ["--name", "A B"])
        #expect(wrong.status == 1)
        #expect(wrong.output.contains("'A B' cannot be a Worker's name"), "\(wrong.output)")
        let unknown = try Self.begin("none", in: folder)
        #expect(unknown.status == 64)
        #expect(unknown.output.contains("hello"), "\(unknown.output)")
        #expect(try Self.begin("hello", in: folder, ["--name", "chosen"]).output.contains("Began chosen"))
    }
}
