/// The engine's headers are seen by CV8 alone, and only the two that every version of V8 has.
enum EngineHeaderRule: Rule {
    static let name = "engine-headers"

    static let allowed: Set<Substring> = ["v8.h", "libplatform/libplatform.h"]

    static func findings(in tree: Tree) -> [Finding] {
        let include = #/^\s*#\s*(?:include|import)\s*[<"]((?:v8|node|uv|libplatform|cppgc)[\w\/.-]*)[>"]/#
        return tree.files.filter { ["c", "cc", "cpp", "h", "hpp"].contains($0.type) }.flatMap { file in
            file.lines.enumerated().compactMap { index, line -> Finding? in
                guard line.contains("#"), let header = line.firstMatch(of: include)?.1 else {
                    return nil
                }
                if !file.path.hasPrefix("Sources/CV8/") || file.path.hasPrefix("Sources/CV8/include/") {
                    return Finding(path: file.path, line: index + 1, message: "\(header) is for CV8's own .cc files")
                }
                if !allowed.contains(header) {
                    return Finding(path: file.path, line: index + 1, message: "CV8 does not include \(header)")
                }
                return nil
            }
        }
    }
}
