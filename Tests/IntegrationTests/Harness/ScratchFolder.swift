import Foundation
import Glibc

/// A folder for one test, gone with it.
final class ScratchFolder {
    let path: String

    init() throws {
        var template = Array((NSTemporaryDirectory() + "/martlet-XXXXXX").utf8CString)
        guard let made = mkdtemp(&template) else { throw Failure("mkdtemp: \(String(cString: strerror(errno)))") }
        path = String(cString: made)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Writes a file, making the folders it is in. In one step, as editors do.
    func write(_ name: String, _ bytes: some Collection<UInt8>) throws {
        let file = "\(path)/\(name)"
        let folder = file[..<file.lastIndex(of: "/")!]
        try FileManager.default.createDirectory(atPath: String(folder), withIntermediateDirectories: true)
        try Data(bytes).write(to: URL(filePath: file), options: .atomic)
    }

    func write(_ name: String, _ text: String) throws { try write(name, text.utf8) }

    func writeInPlace(_ name: String, _ text: String) throws {
        try Data(text.utf8).write(to: URL(filePath: "\(path)/\(name)"))
    }

    func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: "\(path)/\(name)") }

    /// Also over a file that is there.
    func rename(_ name: String, to other: String) throws {
        guard Glibc.rename("\(path)/\(name)", "\(path)/\(other)") == 0 else { throw Failure("cannot rename \(name)") }
    }

    /// Flips a bit in the one file that holds that text, where the text begins.
    /// - Returns: the file's name.
    func damageFile(holding text: String) throws -> String {
        let names = FileManager.default.enumerator(atPath: path)?.compactMap { $0 as? String } ?? []
        for name in names {
            let file = URL(filePath: "\(path)/\(name)")
            guard var data = try? Data(contentsOf: file), let place = data.range(of: Data(text.utf8)) else { continue }
            data[place.lowerBound] ^= 1
            try data.write(to: file)
            return file.lastPathComponent
        }
        throw Failure("no file holds '\(text)'")
    }
}
