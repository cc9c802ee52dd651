internal import CLinux
internal import Glibc

/// Tells when something below some folders changes (inotify(7)). New folders are watched as they appear.
package final class Watch {
    /// To be polled for reading; each time it is ready call `drain`.
    package let descriptor: Int32
    private var folders: [Int32: String] = [:]
    private let isDeep: Bool
    private static let events = UInt32(
        IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | IN_DELETE_SELF)

    /// - Throws: `ProjectError` if the kernel refuses (too many watches).
    package convenience init(folder: String) throws(ProjectError) {
        try self.init(isDeep: true)
        try add(folder)
    }

    /// Watches these folders, and none below them.
    /// - Throws: `ProjectError` if the kernel refuses.
    package convenience init(folders: [String]) throws(ProjectError) {
        try self.init(isDeep: false)
        for folder in folders { try add(folder) }
    }

    private init(isDeep: Bool) throws(ProjectError) {
        self.isDeep = isDeep
        descriptor = inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC))
        guard descriptor >= 0 else { throw ProjectError("inotify: \(String(cString: strerror(errno)))") }
    }

    deinit { close(descriptor) }

    private func add(_ folder: String) throws(ProjectError) {
        let watch = inotify_add_watch(descriptor, folder, Self.events)
        guard watch >= 0 else { throw ProjectError("\(folder): cannot watch: \(String(cString: strerror(errno)))") }
        folders[watch] = folder
        guard isDeep else { return }
        for name in (try? File.names(in: folder)) ?? []
        where Self.isWatched(name) && File.isFolder("\(folder)/\(name)") {
            try add("\(folder)/\(name)")
        }
    }

    /// Packages do not change while one works, and tools write into hidden folders.
    private static func isWatched(_ name: String) -> Bool { name != "node_modules" && !name.hasPrefix(".") }

    /// Reads what has happened. True if anything has.
    package func drain() -> Bool {
        var hasChanged = false
        withUnsafeTemporaryAllocation(byteCount: 64 << 10, alignment: 8) { buffer in
            while true {
                let count = read(descriptor, buffer.baseAddress, buffer.count)
                guard count > 0 else { return }
                hasChanged = true
                if isDeep { addNewFolders(UnsafeRawBufferPointer(rebasing: buffer[..<count])) }
            }
        }
        return hasChanged
    }

    private func addNewFolders(_ events: UnsafeRawBufferPointer) {
        let header = MemoryLayout<inotify_event>.size
        var offset = 0
        while offset + header <= events.count {
            let event = events.loadUnaligned(fromByteOffset: offset, as: inotify_event.self)
            let nameBytes = events[(offset + header)..<(offset + header + Int(event.len))].prefix { $0 != 0 }
            offset += header + Int(event.len)
            guard event.mask & UInt32(IN_ISDIR) != 0, event.mask & UInt32(IN_CREATE | IN_MOVED_TO) != 0 else {
                continue
            }
            guard let folder = folders[event.wd] else { continue }
            let name = String(decoding: nameBytes, as: UTF8.self)
            guard Self.isWatched(name) else { continue }
            // Gone again, or one too many for the kernel: the next change of the parent is still seen.
            try? add("\(folder)/\(name)")
        }
    }
}
