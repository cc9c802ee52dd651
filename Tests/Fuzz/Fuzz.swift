import CFuzzer
import Glibc

/// `Fuzz TARGET [libFuzzer's arguments]`: gives a target one input after another. `make fuzz` runs all of them.
///
/// A target traps when something is wrong: when what it calls traps, or when two ways to the same result differ.
@main enum Fuzz {
    static let targets: [String: @Sendable ([UInt8]) -> Void] = [
        "assets": AssetTargets.rules, "asset-patterns": AssetTargets.patterns, "chunks": IngressTargets.chunks,
        "cron": PatternTargets.cron, "first-bytes": IngressTargets.firstBytes, "from-host": HostTargets.fromHost,
        "head": IngressTargets.head, "host-orders": HostTargets.orders, "http1": ConnectionTarget.run,
        "http2": HTTP2Target.run, "imports": SourceTargets.imports, "multipart": UploadTargets.multipart,
        "project-json": UploadTargets.projectJSON, "project-toml": UploadTargets.projectTOML,
        "proxy": IngressTargets.proxyHeader, "routes": PatternTargets.routes,
        "source-maps": SourceTargets.sourceMaps, "to-host": HostTargets.toHost,
    ]

    /// Set before the first input, and read by the driver's callback, which has no context.
    nonisolated(unsafe) private static var target: @Sendable ([UInt8]) -> Void = { _ in }

    static func main() {
        guard CommandLine.arguments.count > 1, let chosen = targets[CommandLine.arguments[1]] else {
            print(targets.keys.sorted().joined(separator: "\n"))
            exit(CommandLine.arguments.count > 1 ? 64 : 0)
        }
        target = chosen
        var arguments = CommandLine.arguments
        arguments.remove(at: 1)
        var texts: [UnsafeMutablePointer<CChar>] = arguments.map { strdup($0) }
        exit(
            texts.withUnsafeMutableBufferPointer { texts in
                cfuzzer_run(Int32(texts.count), texts.baseAddress!) { bytes, count in
                    Fuzz.target(Array(UnsafeBufferPointer(start: bytes, count: count)))
                    return 0
                }
            })
    }
}

/// Takes numbers and pieces off an input.
struct Input {
    private(set) var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) { rest = bytes[...] }

    /// 0 if there is nothing left.
    mutating func byte() -> UInt8 { rest.popFirst() ?? 0 }

    mutating func number(below limit: Int) -> Int { (Int(byte()) << 8 | Int(byte())) % max(1, limit) }

    /// Up to the next line feed, which is taken too.
    mutating func line() -> ArraySlice<UInt8> {
        let line = rest.prefix { $0 != 10 }
        rest = rest[line.endIndex...].dropFirst()
        return line
    }

    mutating func text() -> String { String(decoding: line(), as: UTF8.self) }
    mutating func all() -> [UInt8] {
        defer { rest = [] }
        return Array(rest)
    }
}

/// Traps with what was found; a precondition of a release says nothing.
func require(_ holds: Bool, _ finding: @autoclosure () -> String = "an invariant is broken", line: Int = #line) {
    if !holds { fatalError("line \(line): \(finding())") }
}
