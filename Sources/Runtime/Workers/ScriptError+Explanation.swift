package import Isolates
internal import Model

extension ScriptError {
    /// Where it happened in the worker: "index.js:3:5"; nil if not in its code.
    package var place: String? {
        resource.isEmpty || resource.hasPrefix("martlet:") ? nil : "\(resource):\(line):\(column)"
    }

    /// Place and message in one line; below it the line of the source, with a mark under the column.
    package var explanation: String {
        let uncaught = "Uncaught "
        let text = (message.hasPrefix(uncaught) ? String(message.dropFirst(uncaught.count)) : message) + remedy
        guard let place else { return text }
        let shown = sourceLine.prefix(Self.longestSourceLine)
        guard column > 0, column <= shown.count else { return "\(place): \(text)" }
        return "\(place): \(text)\n    \(shown)\n    " + String(repeating: " ", count: column - 1) + "^"
    }

    /// What to do about syntax that V8 10.2 does not know; else empty.
    private var remedy: String {
        guard message.contains("SyntaxError"), sourceLine.utf8.count <= Self.longestSearchedLine,
            let syntax = NewSyntax.first(in: sourceLine)
        else { return "" }
        return " (V8 10.2 does not know \(syntax.rawValue): compile it, with --bundle and an esbuild that does)"
    }

    /// The same at the place that its author knows.
    func resolved(by maps: SourceMaps) -> ScriptError {
        var error = self
        error.stack = maps.resolved(stack)
        guard let place = maps.place(module: resource, line: line, column: column) else { return error }
        error.resource = place.source
        error.line = place.line
        error.column = place.column
        // That of the written file stands elsewhere.
        error.sourceLine = ""
        return error
    }

    /// Bytes: the search must not take long, and in minified code it would find something else.
    private static let longestSearchedLine = 1_000

    /// Columns; minified code is one line.
    private static let longestSourceLine = 160
}
