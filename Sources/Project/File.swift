internal import Glibc

/// Files, by plain system calls.
enum File {
    static func exists(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }

    static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    static func read(_ path: String, limit: Int) throws(ProjectError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw ProjectError("\(path): \(String(cString: strerror(errno)))") }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 256 << 10)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            guard count >= 0 else { throw ProjectError("\(path): \(String(cString: strerror(errno)))") }
            if count == 0 { return bytes }
            bytes.append(contentsOf: buffer[..<count])
            guard bytes.count <= limit else { throw ProjectError("\(path): larger than \(limit >> 20) MiB") }
        }
    }

    /// The folder that a path's last part lies in.
    static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    static func name(of path: String) -> String {
        path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
    }

    /// A path as seen from a folder.
    static func path(_ path: String, in folder: String) -> String {
        path.hasPrefix("/") ? path : "\(folder)/\(path)"
    }

    /// From the root of the file system, without `.`, `..` and, where it exists, symbolic links.
    static func absolute(_ path: String) -> String {
        if let real = realpath(path, nil) {
            defer { free(real) }
            return String(cString: real)
        }
        guard path.hasPrefix("/") else { return absolute("\(absolute("."))/\(path)") }
        var parts: [Substring] = []
        for part in path.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return "/" + parts.joined(separator: "/")
    }

    /// A new folder with a name of its own, in one that is made if it is not there.
    static func makeFolder(_ folder: String, prefix: String) throws(ProjectError) -> String {
        guard mkdir(folder, 0o755) == 0 || errno == EEXIST else {
            throw ProjectError("\(folder) cannot be made: \(String(cString: strerror(errno)))")
        }
        var template = Array("\(folder)/\(prefix)XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else {
            throw ProjectError("\(folder) cannot be written to: \(String(cString: strerror(errno)))")
        }
        return String(cString: made)
    }

    /// The names in a folder, sorted, without hidden ones.
    static func names(in folder: String) throws(ProjectError) -> [String] {
        try allNames(in: folder).filter { !$0.hasPrefix(".") }
    }

    /// The names in a folder, sorted.
    static func allNames(in folder: String) throws(ProjectError) -> [String] {
        guard let directory = opendir(folder) else {
            throw ProjectError("\(folder): \(String(cString: strerror(errno)))")
        }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }
}
