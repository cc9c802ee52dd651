internal import Foundation
internal import Model
internal import Synchronization

/// The bundler: another program, found on this machine.
struct Esbuild {
    /// From here on it compiles decorators as the standard has them; before, only TypeScript's experimental ones.
    private static let standardDecorators = [0, 21, 0]

    /// Of those asked in this process: `martlet dev` bundles often.
    private static let versions = Mutex<[String: String]>([:])

    let program: String
    let version: String

    /// - Parameter path: the one that is to be used; nil takes that of `MARTLET_ESBUILD`, else the first in PATH.
    init(_ path: String?) throws(ProjectError) {
        let named = path ?? ProcessInfo.processInfo.environment["MARTLET_ESBUILD"]
        let program = named ?? "esbuild"
        self.program = program
        if let known = Self.versions.withLock({ $0[program] }) {
            version = known
            return
        }
        let result: ChildProcess.Result
        do {
            result = try ChildProcess(program, ["--version"], in: ".").result()
        } catch {
            guard named == nil else { throw error }
            throw ProjectError(
                "TypeScript and packages need esbuild, which is not there: install it (apt-get install esbuild), or "
                    + "name one with --esbuild PATH")
        }
        let version = String(decoding: result.output, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        guard result.status == 0, version.contains(#/^\d+\.\d+\.\d+/#) else {
            throw ProjectError("\(program) is not esbuild: it does not tell its version")
        }
        self.version = version
        Self.versions.withLock { $0[program] = version }
    }

    /// Bundles a module and what it imports.
    /// - Parameters:
    ///   - entry: an absolute path.
    ///   - list: a file for the list of inputs.
    /// - Returns: that list, as JSON.
    func build(_ entry: String, _ flags: [String], list: String, in root: String) throws(ProjectError) -> [UInt8] {
        let own = ["--metafile=\(list)", "--log-level=error", "--color=false", "--log-limit=20"]
        let result = try ChildProcess(program, [entry] + flags + own, in: root).result()
        guard result.status != 0 else { return try File.read(list, limit: WorkerLoader.sizeLimit) }
        let text = String(decoding: result.errors, as: UTF8.self)
        var messages = BundlerMessage.all(in: text)
        if messages.contains(where: { $0.syntax == .importAttributes }) {
            let service = try EsbuildService(program, version: version, in: root)
            let built = try service.build(entry, flags + ["--metafile", "--log-level=silent"])
            if built.messages.isEmpty { return Array(built.inputs.utf8) }
            messages = built.messages
        }
        guard let first = messages.first else { throw ProjectError("esbuild failed: \(text)") }
        let others = messages.count - 1
        throw ProjectError(
            first.explanation(version: version)
                + (others == 0 ? "" : "\n(and \(others) more \(others == 1 ? "error" : "errors"))"))
    }

    private var number: [Int] { version.split(separator: ".").compactMap { Int($0.prefix { $0.isNumber }) } }

    /// A decorator would be compiled as an experimental one, which it need not be meant as.
    /// - Parameter tsconfig: what the compiler's settings say.
    func mistakesDecorators(_ tsconfig: JSONValue?) -> Bool {
        guard number.lexicographicallyPrecedes(Self.standardDecorators) else { return false }
        // What it extends may say so.
        return tsconfig?["compilerOptions"]?["experimentalDecorators"]?.bool != true && tsconfig?["extends"] == nil
    }
}
