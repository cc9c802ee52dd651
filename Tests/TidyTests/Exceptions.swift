/// A debt of the tree: the findings of one rule in one file that are let pass.
struct Exception {
    let rule: String
    let path: String
    /// The sum of the findings' sizes. It must be exact: who pays off a part of the debt lowers it here.
    let size: Int
}

/// What is let pass. Entries go or shrink; none is added.
let exceptions: [Exception] = [
    // The standard says so: what is iterated is the tenant's.
    Exception(rule: "primordials", path: "Sources/WebAPI/ECMAScript/js/asyncArrays.js", size: 1),
    Exception(rule: "primordials", path: "Sources/WebAPI/ECMAScript/js/grouping.js", size: 1),
    // Runs once, before any tenant.
    Exception(rule: "primordials", path: "Sources/WebAPI/DOM/js/exception.js", size: 3),
]

/// What is left to complain about after the exceptions: findings that none covers, and exceptions larger than needed.
func complaints(about tree: Tree, rules: [any Rule.Type] = allRules, exceptions: [Exception]) -> [String] {
    var complaints: [String] = []
    for rule in rules {
        let findings = Dictionary(grouping: rule.findings(in: tree), by: \.path)
        let pardons = Dictionary(
            exceptions.filter { $0.rule == rule.name }.map { ($0.path, $0.size) },
            uniquingKeysWith: +
        )
        for path in Set(findings.keys).union(pardons.keys).sorted() {
            let found = findings[path, default: []]
            let size = found.reduce(0) { $0 + $1.size }
            let pardoned = pardons[path] ?? 0
            if size > pardoned {
                complaints += found.map { "\(rule.name): \($0)" }
            } else if size < pardoned {
                complaints.append("\(rule.name): \(path): the exception of \(pardoned) must shrink to \(size)")
            }
        }
    }
    let names = Set(rules.map { $0.name })
    complaints += exceptions.filter { !names.contains($0.rule) }.map { "\($0.rule): no such rule" }
    return complaints
}
