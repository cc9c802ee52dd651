internal import Model

/// An error of the bundler's.
struct BundlerMessage {
    var text: String
    /// Relative to the root; empty if it is about no file.
    var file = ""
    /// From 1.
    var line = 0
    var column = 0
    var source = ""

    /// Those in what the bundler prints: a line with the text, and further down the place and the line of the source.
    static func all(in output: String) -> [BundlerMessage] {
        var messages: [BundlerMessage] = []
        for line in output.split(separator: "\n") {
            if let match = line.wholeMatch(of: #/\S+ \[ERROR\] (.*)/#) {
                messages.append(BundlerMessage(text: String(match.1)))
            } else if let last = messages.indices.last, messages[last].file.isEmpty,
                let match = line.wholeMatch(of: #/ {4}(\S.*):(\d+):(\d+):/#)
            {
                messages[last].file = String(match.1)
                messages[last].line = Int(match.2) ?? 0
                messages[last].column = (Int(match.3) ?? 0) + 1
            } else if let last = messages.indices.last, messages[last].source.isEmpty,
                let match = line.wholeMatch(of: #/ +\d+ │ (.*)/#)
            {
                messages[last].source = String(match.1)
            }
        }
        return messages
    }

    /// Newer syntax that it stumbled over; nil if it is about something else.
    var syntax: NewSyntax? {
        let isAboutSyntax = ["Expected ", "Unexpected ", "Syntax error", "The regular expression flag"].contains {
            text.hasPrefix($0)
        }
        return isAboutSyntax || text.contains("not supported") ? NewSyntax.first(in: source) : nil
    }

    /// With its place, the line of the source and what to do.
    func explanation(version: String) -> String {
        let place = file.isEmpty ? "" : "\(file):\(line):\(column): "
        let shown =
            source.isEmpty || source.count > Self.longestLine || column > source.count + 1
            ? "" : "\n    \(source)\n    " + String(repeating: " ", count: column - 1) + "^"
        return place + words(version) + shown
    }

    private func words(_ version: String) -> String {
        switch syntax {
        case .regExpSets: return "V8 10.2 does not know \(NewSyntax.regExpSets.rawValue), and esbuild cannot compile it"
        case .some(let syntax):
            return "esbuild \(version) does not know \(syntax.rawValue) (\(text)): use a newer one, with --esbuild PATH"
        case nil: break
        }
        if text.hasPrefix("Could not resolve \""), let name = text.split(separator: "\"").dropFirst().first {
            let isFile = name.hasPrefix(".") || name.hasPrefix("/")
            return text
                + (isFile ? "" : ": no such package in node_modules (npm install \(name)), nor a module of the runtime")
        }
        guard text.hasPrefix("Expected ") || text.hasPrefix("Unexpected ") else { return text }
        return "\(text) (if that is syntax newer than esbuild \(version), use a newer one, with --esbuild PATH)"
    }

    private static let longestLine = 160
}
