/// What is still to do is an issue, not a comment; and no file knows the machine it was written on.
enum ForbiddenTextRule: Rule {
    static let name = "forbidden-text"

    /// Cut in two, so that this file passes.
    static let marks = ["TO" + "DO", "FIX" + "ME"].map { Array($0.utf8) }
    static let machinePaths = ["work", "home", "root", "Users"].map { Array("/\($0)/".utf8) }

    static func findings(in tree: Tree) -> [Finding] {
        tree.files.filter { !$0.bytes.contains(0) }.flatMap { file -> [Finding] in
            file.lines.enumerated().compactMap { index, line -> Finding? in
                let bytes = Array(line.utf8)
                if marks.contains(where: { occurs($0, in: bytes, notAfter: isWordByte) }) {
                    return Finding(path: file.path, line: index + 1, message: "what is to do is an issue")
                }
                if machinePaths.contains(where: { occurs($0, in: bytes, notAfter: isPathByte) }) {
                    return Finding(path: file.path, line: index + 1, message: "a path of one machine")
                }
                return nil
            }
        }
    }

    private static func occurs(_ text: [UInt8], in line: [UInt8], notAfter: (UInt8) -> Bool) -> Bool {
        guard line.count >= text.count else {
            return false
        }
        return (0...(line.count - text.count)).contains { start in
            line[start] == text[0] && line[start..<start + text.count].elementsEqual(text)
                && (start == 0 || !notAfter(line[start - 1]))
        }
    }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        let letter = byte | 0x20
        return (letter >= UInt8(ascii: "a") && letter <= UInt8(ascii: "z")) || byte == UInt8(ascii: "_")
    }

    private static func isPathByte(_ byte: UInt8) -> Bool {
        isWordByte(byte) || (byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")) || ".-~/}>)*".utf8.contains(byte)
    }
}

/// Tests are written with Swift Testing, and see what users of a target see: `make test` runs no other.
enum TestFrameworkRule: Rule {
    static let name = "test-framework"

    static func findings(in tree: Tree) -> [Finding] {
        tree.files.filter { $0.path.hasPrefix("Tests/") && $0.type == "swift" }.flatMap { file in
            file.lines.enumerated().compactMap { index, line in
                line.hasPrefix("import XCTest") || line.hasPrefix("@testable ")
                    ? Finding(path: file.path, line: index + 1, message: "\(line): not run by `make test`") : nil
            }
        }
    }
}
