/// The runtime's JavaScript looks nothing up that a tenant may have replaced. This finds the commonest ways to forget
/// it; what a tenant can reach in fact is tried out by the hostile workers.
enum PrimordialsRule: Rule {
    static let name = "primordials"

    /// Run before any tenant.
    private static let early = ["Core/js/primordials.js", "Core/js/loader.js"].map { "Sources/WebAPI/" + $0 }

    /// Of arrays, strings, functions, promises and typed arrays.
    private static let methods = [
        "then", "catch", "finally", "push", "pop", "unshift", "splice", "slice", "subarray", "map", "filter", "reduce",
        "join", "concat", "indexOf", "includes", "sort", "reverse", "fill", "call", "apply", "bind", "charCodeAt",
        "charAt", "split", "replace", "trim", "startsWith", "endsWith", "toLowerCase", "toUpperCase", "test",
    ].map { Array(".\($0)(".utf8) }

    /// Intrinsics that look up a species, a symbol or a method themselves; beginnings of names.
    private static let careless = [
        "ArrayPrototypeSplice", "ArrayPrototypeConcat", "ArrayPrototypeMap", "ArrayPrototypeFilter",
        "ArrayPrototypeFlat", "ArrayPrototypeToString", "ArrayBufferPrototypeSlice", "TypedArrayPrototypeSlice",
        "TypedArrayPrototypeSubarray", "TypedArrayPrototypeMap", "TypedArrayPrototypeFilter", "PromisePrototypeCatch",
        "PromisePrototypeFinally", "PromiseAll", "PromiseRace", "PromiseAny", "RegExpPrototypeSymbol",
        "RegExpPrototypeTest", "RegExpPrototypeToString", "RegExpPrototypeGetFlags", "StringPrototypeReplace",
        "StringPrototypeMatch", "StringPrototypeSearch", "StringPrototypeSplit",
    ].map { Array($0.utf8) }

    private static let destructurings = ["const [", "let [", ", ["].map { Array($0.utf8) }

    static func findings(in tree: Tree) -> [Finding] {
        tree.files.filter {
            $0.path.hasPrefix("Sources/WebAPI/") && $0.type == "js" && !early.contains($0.path)
        }.flatMap { file in
            let lines = file.lines.map(code(of:))
            return lines.indices.flatMap { index in
                let ofClass = lacksConstructor(lines[index...]) ? ["a constructor by the array's iterator"] : []
                return (findings(in: lines[index]) + ofClass).map {
                    Finding(path: file.path, line: index + 1, message: $0)
                }
            }
        }
    }

    /// Whether a derived class begins here that leaves its constructor to the engine: that one spreads its arguments.
    private static func lacksConstructor(_ lines: ArraySlice<[UInt8]>) -> Bool {
        guard let head = lines.first, !head.has("`"), head.has("class "), head.has(" extends "),
            head.contains(UInt8(ascii: "{"))
        else {
            return false
        }
        let isOneLine = head.last == UInt8(ascii: "}")
        let margin = Array(head.prefix { $0 == UInt8(ascii: " ") }) + [UInt8(ascii: "}")]
        let body = isOneLine ? lines.prefix(1) : lines.prefix { !$0.starts(with: margin) }
        return !body.contains { $0.has("constructor(") }
    }

    private static func findings(in code: [UInt8]) -> [String] {
        var findings: [String] = []
        if isForOf(code) { findings.append("an iteration by the array's iterator") }
        if isSpread(code) { findings.append("a spread by the array's iterator") }
        if isDestructuring(code) { findings.append("a destructuring by the array's iterator") }
        if code.has(" instanceof ") { findings.append("a prototype walk") }
        if methods.contains(where: { code.position(of: $0) != nil }) { findings.append("a method from a prototype") }
        if careless.contains(where: { code.position(of: $0) != nil }) {
            findings.append("an intrinsic that looks something up itself")
        }
        return findings
    }

    private static func isForOf(_ code: [UInt8]) -> Bool {
        guard code.has("for (") || code.has("for await ("), let of = code.position(of: Array(" of ".utf8)) else {
            return false
        }
        return !code[..<of].contains(UInt8(ascii: ";"))
    }

    /// Not a parameter for the rest, nor the members of an object, nor three dots of a text.
    private static func isSpread(_ code: [UInt8]) -> Bool {
        guard let dots = code.position(of: Array("...".utf8)), dots > 0, !code[(dots + 3)...].starts(with: [32]) else {
            return false
        }
        let rest = Array(code[(dots + 3)...].drop { $0 != UInt8(ascii: ")") && $0 != UInt8(ascii: "]") }.prefix(5))
        if rest.starts(with: Array(") {".utf8)) || rest.starts(with: Array(") =>".utf8)) { return false }
        let before = Array(code[..<dots])
        return !before.contains(UInt8(ascii: "{")) && !before.has("__proto__: null, ")
    }

    private static func isDestructuring(_ code: [UInt8]) -> Bool {
        guard code.has("] = ") else { return false }
        return code.drop { $0 == UInt8(ascii: " ") }.first == UInt8(ascii: "[")
            || destructurings.contains { form in
                guard let start = code.position(of: form) else { return false }
                let end = code[(start + form.count)...].firstIndex(of: UInt8(ascii: "]"))
                return end.map { Array(code[$0...].prefix(4)) == Array("] = ".utf8) } ?? false
            }
    }

    /// The line without comments, and without what its strings say.
    private static func code(of line: Substring) -> [UInt8] {
        var code: [UInt8] = []
        var isText = false
        var isEscaped = false
        for byte in line.utf8 {
            if isText {
                if !isEscaped, byte == UInt8(ascii: "\"") { isText = false }
                isEscaped = !isEscaped && byte == UInt8(ascii: "\\")
                if isText { continue }
            } else if byte == UInt8(ascii: "\"") {
                isText = true
            }
            code.append(byte)
        }
        if let comment = code.position(of: Array("//".utf8)) { code.removeSubrange(comment...) }
        let start = code.drop { $0 == UInt8(ascii: " ") }
        return start.first == UInt8(ascii: "*") || start.starts(with: Array("/*".utf8)) ? [] : code
    }
}

extension [UInt8] {
    fileprivate func has(_ text: StaticString) -> Bool {
        text.withUTF8Buffer { position(of: Array($0)) } != nil
    }

    fileprivate func position(of text: [UInt8]) -> Int? {
        guard count >= text.count else { return nil }
        return (0...(count - text.count)).first { start in
            self[start] == text[0] && self[start..<start + text.count].elementsEqual(text)
        }
    }
}
