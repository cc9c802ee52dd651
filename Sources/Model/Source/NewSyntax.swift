/// Syntax that is younger than V8 10.2, or than the bundler at hand: gives an error about a line a name for what the
/// line holds.
package enum NewSyntax: String, CaseIterable, Sendable {
    case importAttributes = "import attributes (with { type: ... })"
    case usingDeclaration = "a 'using' declaration"
    case constTypeParameter = "a const type parameter"
    case accessor = "an 'accessor' field"
    case decorator = "a decorator"
    case regExpSets = "the RegExp flag v"

    private func isIn(_ line: String) -> Bool {
        switch self {
        case .importAttributes: line.contains(#/["']\s+with\s*\{/#)
        case .usingDeclaration: line.contains(#/(^|[;{(\s])using\s+[\p{L}_$][\p{L}\p{N}_$]*\s*(=|of\b)/#)
        case .constTypeParameter: line.contains(#/<\s*const\s|,\s*const\s+\w+\s*(extends|,|>)/#)
        case .accessor: line.contains(#/(^|\s)accessor\s+[#\w]/#)
        case .decorator: line.contains(#/(^|[\s(,])@[\p{L}_$(]/#)
        case .regExpSets: line.contains(#/\/[dgimsuy]*v[dgimsuy]*(\W|$)/#)
        }
    }

    /// The first that a line of source holds.
    package static func first(in line: String) -> NewSyntax? { allCases.first { $0.isIn(line) } }
}
