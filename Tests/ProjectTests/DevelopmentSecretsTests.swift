import Foundation
import Model
import Project
import Testing

@Suite struct DevelopmentSecretsTests {
    private static func read(_ text: String, as name: String = ".dev.vars", environment: String? = nil) throws
        -> [String]
    {
        let folder = NSTemporaryDirectory() + "/martlet-secrets-\(Identifier.hex())"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try Data(text.utf8).write(to: URL(filePath: "\(folder)/\(name)"))
        return try DevelopmentSecrets.read(in: folder, environment: environment).map { "\($0.name)=\($0.text)" }
    }

    @Test func linesAreRead() throws {
        let text = #"""
            # A comment
            PLAIN = a value # with a comment

            export EXPORTED=x=y
            SINGLE='a # b \n'
            DOUBLE="one\ntwo \"three\"" # four
            LINES="first
            second"
            EMPTY=
            """#
        #expect(
            try Self.read(text) == [
                "PLAIN=a value", "EXPORTED=x=y", #"SINGLE=a # b \n"#, "DOUBLE=one\ntwo \"three\"",
                "LINES=first\nsecond", "EMPTY=",
            ])
    }

    @Test func anEnvironmentHasAFileOfItsOwn() throws {
        #expect(try Self.read("A=1", as: ".dev.vars.staging", environment: "staging") == ["A=1"])
        #expect(try Self.read("A=1", as: ".dev.vars.staging") == [])
        #expect(try Self.read("A=1", environment: "staging") == ["A=1"])
    }

    @Test(arguments: [("A=1\nnonsense", ".dev.vars:2: a line must be"), ("A=1\n\nB=\"x", ".dev.vars:3: the quote")])
    func whatIsWrongIsNamed(text: String, words: String) {
        #expect { try Self.read(text) } throws: { "\($0)".contains(words) }
    }
}
