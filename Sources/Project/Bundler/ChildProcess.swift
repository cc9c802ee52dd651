internal import CLinux
internal import Glibc

/// Another program, with pipes to its input and from its outputs. Used by one thread.
final class ChildProcess {
    struct Result {
        /// 128 and the signal's number if one ended it.
        let status: Int32
        let output: [UInt8]
        let errors: [UInt8]
    }

    private let id: pid_t
    private var input: Int32
    private let output: Int32
    private let errors: Int32
    private var hasEnded = false

    /// - Parameter program: a path, or a name to be looked for in PATH.
    /// - Throws: `ProjectError` if it cannot be started.
    init(_ program: String, _ arguments: [String], in folder: String) throws(ProjectError) {
        var pipes = [Int32](repeating: -1, count: 6)
        for index in [0, 2, 4] {
            let isMade = pipes.withUnsafeMutableBufferPointer { pipe2($0.baseAddress! + index, O_CLOEXEC) == 0 }
            guard isMade else { throw ProjectError("\(program): \(String(cString: strerror(errno)))") }
        }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, pipes[0], 0)
        posix_spawn_file_actions_adddup2(&actions, pipes[3], 1)
        posix_spawn_file_actions_adddup2(&actions, pipes[5], 2)
        posix_spawn_file_actions_addchdir_np(&actions, folder)
        // Sockets that others opened without O_CLOEXEC are none of its business.
        posix_spawn_file_actions_addclosefrom_np(&actions, 3)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // This process blocks the signals that end it, so as to wait for them; the other one shall heed them.
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var words: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var id: pid_t = 0
        let failure = posix_spawnp(&id, program, &actions, &attributes, &words, environ)
        for index in [0, 3, 5] { close(pipes[index]) }
        (input, output, errors) = (pipes[1], pipes[2], pipes[4])
        self.id = id
        guard failure == 0 else {
            hasEnded = true
            throw ProjectError("\(program): \(String(cString: strerror(failure)))")
        }
    }

    deinit {
        closeInput()
        close(output)
        close(errors)
        if !hasEnded {
            kill(id, SIGKILL)
            _ = wait()
        }
    }

    func closeInput() {
        if input >= 0 { close(input) }
        input = -1
    }

    /// False if the other program does not read any more.
    func write(_ bytes: [UInt8]) -> Bool {
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { send($0.baseAddress! + written, bytes.count - written) }
            guard count > 0 else { return false }
            written += count
        }
        return true
    }

    private func send(_ bytes: UnsafeRawPointer, _ count: Int) -> Int { Glibc.write(input, bytes, count) }

    /// So many bytes of its output; nil if it ends before.
    func read(_ count: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        var filled = 0
        while filled < count {
            let part = bytes.withUnsafeMutableBytes { Glibc.read(output, $0.baseAddress! + filled, count - filled) }
            guard part > 0 else { return nil }
            filled += part
        }
        return bytes
    }

    /// All of its outputs, once it has ended.
    func result() -> Result {
        closeInput()
        var (text, complaint): ([UInt8], [UInt8]) = ([], [])
        var entries = [output, errors].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while entries.contains(where: { $0.fd >= 0 }) {
            guard poll(&entries, 2, -1) > 0 else { continue }
            for index in entries.indices where entries[index].revents != 0 {
                let count = Glibc.read(entries[index].fd, &buffer, buffer.count)
                if count <= 0 { entries[index].fd = -1 }
                if count > 0, index == 0 { text += buffer[..<count] }
                if count > 0, index == 1 { complaint += buffer[..<count] }
            }
        }
        return Result(status: wait(), output: text, errors: complaint)
    }

    private func wait() -> Int32 {
        var status: Int32 = 0
        while waitpid(id, &status, 0) < 0, errno == EINTR {}
        hasEnded = true
        return status & 0x7f == 0 ? status >> 8 & 0xff : 128 + status & 0x7f
    }
}
