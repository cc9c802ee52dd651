import Foundation
import Synchronization

/// Real clients of the control API, in a virtual environment that the tests make.
enum PythonClients {
    private static let requirements = ["cloudflare==5.9.0", "cf-publish==0.3.1"]
    private static let making = Mutex<Void>(())

    /// Made once and kept beside the tests' binary.
    /// - Returns: its Python.
    static func python() throws -> String {
        try making.withLock { _ in
            let bundle = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
            let folder = bundle[..<bundle.lastIndex(of: "/")!] + "/clients"
            let stamp = "\(folder)/\(requirements.joined(separator: "+"))"
            if !FileManager.default.fileExists(atPath: stamp) {
                try Program.check("/usr/bin/env", ["python3", "-m", "venv", "--clear", String(folder)])
                try Program.check("\(folder)/bin/pip", ["install", "--quiet"] + requirements)
                try Data().write(to: URL(filePath: stamp))
            }
            return "\(folder)/bin/python"
        }
    }
}
