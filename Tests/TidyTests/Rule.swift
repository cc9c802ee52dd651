/// Something that must hold for the whole tree.
protocol Rule: SendableMetatype {
    /// The name by which an exception refers to the rule.
    static var name: String { get }
    static func findings(in tree: Tree) -> [Finding]
}

/// A place where a rule does not hold.
struct Finding: Equatable {
    let path: String
    var line: Int?
    let message: String
    /// How far the place is from tidy; an exception states the sum over a file. Lines for a long file, else 1.
    var size = 1
}

extension Finding: CustomStringConvertible {
    var description: String {
        line.map { "\(path):\($0): \(message)" } ?? "\(path): \(message)"
    }
}

/// Every rule of the tree.
let allRules: [any Rule.Type] = [
    ArrowRule.self, BundleRule.self, EngineHeaderRule.self, FileLengthRule.self, FolderRule.self,
    ForbiddenTextRule.self, JavaScriptRule.self, LineLengthRule.self, PrimordialsRule.self, RootRule.self,
    TestFrameworkRule.self, UseRule.self,
]
