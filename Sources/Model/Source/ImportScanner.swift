/// Finds the specifiers that a JavaScript source imports, without parsing it: strings, templates, comments and
/// regular expressions are skipped as far as a scan can tell them apart. What it finds too much does no harm: a
/// specifier counts only if its file exists.
package enum ImportScanner {
    package struct Result: Equatable {
        package var specifiers: [String] = []
        /// Whether there is an import or export declaration: if not, the source is a classic script.
        package var isModule = false
        /// Where clauses such as `with { type: "json" }` stand behind the specifier of a declaration.
        package var attributes: [Range<Int>] = []
        /// Where an `@` stands that begins a decorator.
        package var decorators: [Int] = []
    }

    package static func scan(_ source: [UInt8]) -> Result {
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
        /// Open braces, and how many were open where each template was left for an expression.
        private var depth = 0
        private var templates: [Int] = []

        init(source: [UInt8]) { self.source = source }

        mutating func run() {
            while index < source.count {
                let byte = source[index]
                switch byte {
                case UInt8(ascii: "/") where peek(1) == UInt8(ascii: "/"): skipLine()
                case UInt8(ascii: "/") where peek(1) == UInt8(ascii: "*"): skipComment()
                case UInt8(ascii: "/") where startsExpression: skipPattern()
                case UInt8(ascii: "\""), UInt8(ascii: "'"): string(byte)
                case UInt8(ascii: "`"): readTemplate()
                case UInt8(ascii: "}") where templates.last == depth:
                    templates.removeLast()
                    readTemplate()
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

        /// Whether a declaration, a member or a parameter may begin here, and a name follows.
        private var isBeforeDecorated: Bool {
            let next = peek(1)
            guard Self.isWord(next) || next == UInt8(ascii: "(") else { return false }
            return last == 0 || "{};,()".utf8.contains(last) || ["export", "default"].contains(word)
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

        /// From a backtick, or from the brace that ends an expression, to the end or to the next expression.
        private mutating func readTemplate() {
            index += 1
            while index < source.count && source[index] != UInt8(ascii: "`") {
                if source[index] == UInt8(ascii: "$"), peek(1) == UInt8(ascii: "{") {
                    templates.append(depth)
                    index += 2
                    return note(UInt8(ascii: "{"))
                }
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
            let isDeclaration = word == "from" || word == "import"
            if isAfterImport { result.specifiers.append(String(decoding: source[start..<end], as: UTF8.self)) }
            index = min(end + 1, source.count)
            note(UInt8(ascii: ")"))
            if isDeclaration, let end = endOfAttributes { result.attributes.append(index..<end) }
        }

        /// Behind a specifier: where the clause `with { ... }` ends that follows; nil if none does.
        private var endOfAttributes: Int? {
            var place = index
            func skipBlanks() { while place < source.count, [9, 10, 13, 32].contains(source[place]) { place += 1 } }
            skipBlanks()
            guard source[place...].starts(with: "with".utf8) else { return nil }
            place += 4
            skipBlanks()
            guard place < source.count, source[place] == UInt8(ascii: "{") else { return nil }
            place += 1
            while place < source.count, source[place] != UInt8(ascii: "}") {
                // Names, strings, colons and commas: anything else is another thing than a clause. A second brace
                // ends the search, so that clauses without an end are not searched to the end of the source each.
                let byte = source[place]
                guard Self.isWord(byte) || "\"':,-. \t\r\n".utf8.contains(byte) else { return nil }
                place += 1
            }
            return place < source.count ? place + 1 : nil
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
            switch byte {
            case UInt8(ascii: "{"): depth += 1
            case UInt8(ascii: "}"): depth -= 1
            case UInt8(ascii: "@") where isBeforeDecorated: result.decorators.append(index)
            default: break
            }
            index += 1
            let wasImport = word == "import" && byte == UInt8(ascii: "(")
            note(byte)
            if wasImport { word = "import(" }
        }
    }
}
