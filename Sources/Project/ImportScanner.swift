/// Finds the specifiers that a JavaScript source imports, without parsing it: strings, templates, comments and
/// regular expressions are skipped as far as a scan can tell them apart. What it finds too much does no harm: a
/// specifier counts only if its file exists.
enum ImportScanner {
    struct Result: Equatable {
        var specifiers: [String] = []
        /// Whether there is an import or export declaration: if not, the source is a classic script.
        var isModule = false
    }

    static func scan(_ source: [UInt8]) -> Result {
        var scanner = Scanner(source: source)
        scanner.run()
        return scanner.result
    }

    private struct Scanner {
        let source: [UInt8]
        var result = Result()
        private var index = 0
        /// The last word, if nothing but blanks came since.
        private var word = ""
        /// The last significant byte: tells a division from a regular expression, `import(` from a method.
        private var last: UInt8 = 0

        init(source: [UInt8]) { self.source = source }

        mutating func run() {
            while index < source.count {
                let byte = source[index]
                switch byte {
                case UInt8(ascii: "/") where peek(1) == UInt8(ascii: "/"): skipLine()
                case UInt8(ascii: "/") where peek(1) == UInt8(ascii: "*"): skipComment()
                case UInt8(ascii: "/") where startsExpression: skipPattern()
                case UInt8(ascii: "\""), UInt8(ascii: "'"): string(byte)
                case UInt8(ascii: "`"): skipTemplate()
                case _ where Self.isWord(byte): readWord()
                case UInt8(ascii: " "), 9, 10, 13: index += 1
                default: punctuation(byte)
                }
            }
        }

        private func peek(_ offset: Int) -> UInt8 { index + offset < source.count ? source[index + offset] : 0 }

        private static func isWord(_ byte: UInt8) -> Bool {
            (byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "z"))
                || (byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")) || byte == UInt8(ascii: "_")
                || byte == UInt8(ascii: "$") || byte >= 0x80
        }

        /// After an operator or a keyword such as `return` a slash begins a regular expression.
        private var startsExpression: Bool {
            if !word.isEmpty {
                return ["return", "typeof", "case", "in", "of", "void", "delete", "throw"].contains(word)
            }
            return last == 0 || "(,=:[!&|?{};+-*%<>~^".utf8.contains(last)
        }

        private mutating func skipLine() {
            while index < source.count && source[index] != 10 { index += 1 }
        }

        private mutating func skipComment() {
            index += 2
            while index < source.count && !(source[index] == UInt8(ascii: "*") && peek(1) == UInt8(ascii: "/")) {
                index += 1
            }
            index = min(index + 2, source.count)
        }

        private mutating func skipPattern() {
            var isInClass = false
            index += 1
            while index < source.count && source[index] != 10 {
                switch source[index] {
                case UInt8(ascii: "\\"): index += 1
                case UInt8(ascii: "["): isInClass = true
                case UInt8(ascii: "]"): isInClass = false
                case UInt8(ascii: "/") where !isInClass:
                    index += 1
                    return note(UInt8(ascii: ")"))
                default: break
                }
                index += 1
            }
        }

        private mutating func skipTemplate() {
            index += 1
            while index < source.count && source[index] != UInt8(ascii: "`") {
                index += source[index] == UInt8(ascii: "\\") ? 2 : 1
            }
            index += 1
            note(UInt8(ascii: ")"))
        }

        private mutating func note(_ byte: UInt8) {
            last = byte
            word = ""
        }

        private mutating func string(_ quote: UInt8) {
            let start = index + 1
            index = start
            while index < source.count && source[index] != quote && source[index] != 10 {
                index += source[index] == UInt8(ascii: "\\") ? 2 : 1
            }
            let end = min(index, source.count)
            if isAfterImport { result.specifiers.append(String(decoding: source[start..<end], as: UTF8.self)) }
            index = end + 1
            note(UInt8(ascii: ")"))
        }

        /// `from "x"`, `import "x"`, `import("x"`.
        private var isAfterImport: Bool { word == "from" || word == "import" || word == "import(" }

        private mutating func readWord() {
            let start = index
            while index < source.count && Self.isWord(source[index]) { index += 1 }
            let isProperty = last == UInt8(ascii: ".") && word.isEmpty
            word = isProperty ? "." : String(decoding: source[start..<index], as: UTF8.self)
            if word == "export" || word == "import" && source[index...].first(where: { $0 != 32 }) != UInt8(ascii: "(")
            {
                result.isModule = true
            }
            last = source[index - 1]
        }

        private mutating func punctuation(_ byte: UInt8) {
            index += 1
            let wasImport = word == "import" && byte == UInt8(ascii: "(")
            note(byte)
            if wasImport { word = "import(" }
        }
    }
}
