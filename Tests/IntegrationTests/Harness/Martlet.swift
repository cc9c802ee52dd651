import Foundation

/// The real binary as a process of its own, with what it writes. Ended at the latest with this object.
final class Martlet {
    let id: pid_t
    private let output: Lines
    private let log: Lines
    /// As waitpid(2) gives it; nil while the process runs.
    private var status: Int32?

    /// Beside the test bundle, or where MARTLET_BINARY says.
    static let binary: String = {
        if let path = ProcessInfo.processInfo.environment["MARTLET_BINARY"] { return path }
        let bundle = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return bundle[..<(bundle.lastIndex(of: "/") ?? bundle.startIndex)] + "/martlet"
    }()

    /// Starts it with these arguments, and waits for nothing.
    /// - Parameters:
    ///   - wrapper: a program and its arguments, that runs what follows.
    ///   - binary: another file than the usual one.
    init(
        _ arguments: [String], environment: [String: String] = [:], under wrapper: [String] = [],
        binary: String = Martlet.binary
    ) throws {
        let outputPipe = try Self.pipe()
        let logPipe = try Self.pipe()
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, outputPipe.write, 1)
        posix_spawn_file_actions_adddup2(&actions, logPipe.write, 2)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var id: pid_t = 0
        var argv = (wrapper + [binary] + arguments).map { strdup($0) } + [nil]
        defer { for argument in argv { free(argument) } }
        let all = ProcessInfo.processInfo.environment.merging(environment) { _, own in own }
        var envp = all.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for variable in envp { free(variable) } }
        let code = posix_spawn(&id, wrapper.first ?? binary, &actions, &attributes, &argv, &envp)
        close(outputPipe.write)
        close(logPipe.write)
        output = Lines(outputPipe.read)
        log = Lines(logPipe.read)
        self.id = id
        guard code == 0 else {
            status = 0
            throw Failure("\(binary): \(String(cString: strerror(code)))")
        }
    }

    deinit {
        guard isAlive else { return }
        kill(id, SIGKILL)
        waitpid(id, nil, 0)
    }

    /// Not pipe(2), which another test's process could inherit before it is marked close-on-exec.
    private static func pipe() throws -> (read: Int32, write: Int32) {
        var ends: [Int32] = [0, 0]
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, type, 0, &ends) == 0 else {
            throw Failure("socketpair: \(String(cString: strerror(errno)))")
        }
        return (ends[0], ends[1])
    }

    // MARK: Starting

    /// `martlet dev` on a free port, ready.
    static func dev(_ path: String, _ flags: [String] = [], listeners: Int = 1) throws -> Martlet {
        try ready(["dev", path, "--port", "0"] + flags, listeners: listeners)
    }

    /// `martlet serve` on free ports, ready.
    static func serve(_ folder: String, _ flags: [String] = []) throws -> Martlet {
        try ready(["serve", "--workers", folder, "--port", "0", "--admin-port", "0"] + flags, listeners: 2)
    }

    private static func ready(_ arguments: [String], listeners: Int) throws -> Martlet {
        let martlet = try Martlet(arguments)
        for _ in 0..<listeners { try martlet.takeAddress() }
        return martlet
    }

    /// Waits for the next "Listening on" line.
    func takeAddress() throws {
        guard let line = try output.next(by: .patient) else {
            throw Failure("ended before it listened: \(log.rest(by: .soon))")
        }
        guard let match = line.wholeMatch(of: #/Listening on https?://(.+):(\d+)/#) else {
            throw Failure("not a ready line: \(line)")
        }
        ports.append(Int(match.2)!)
    }

    /// Waits for the next line, which begins with that word.
    /// - Returns: the rest of it.
    func takeLine(after word: String) throws -> String {
        guard let line = try output.next(by: .patient) else {
            throw Failure("ended before it told its \(word): \(log.rest(by: .soon))")
        }
        guard line.hasPrefix("\(word) ") else { throw Failure("not a line with \(word): \(line)") }
        return String(line.dropFirst(word.count + 1))
    }

    /// Of the listeners, in the order they were told.
    private(set) var ports: [Int] = []
    var port: Int { ports[0] }

    // MARK: Talking

    /// A connection whose requests say that host.
    func client(_ host: String = "localhost", receiveBuffer: Int32? = nil) throws -> Client {
        try Client(port: port, host: host, receiveBuffer: receiveBuffer)
    }

    /// One GET on a connection of its own.
    func get(
        _ path: String = "/", host: String = "localhost", fields: [(String, String)] = [], by deadline: Deadline = .soon
    ) throws -> Answer {
        try client(host).get(path, fields: fields, by: deadline)
    }

    /// What the status page of `serve` says.
    func serverStatus(token: String? = nil) throws -> JSON {
        let fields = token.map { [("Authorization", "Bearer \($0)")] } ?? []
        let answer = try Client(port: ports.last!).get("/__martlet/status", fields: fields)
        guard answer.status == 200 else { throw Failure("the status page: \(answer.summary)") }
        return try answer.json()
    }

    // MARK: Logs and the end

    /// Waits for a line of the log that fits, and skips those before it.
    @discardableResult
    func logLine(by deadline: Deadline = .soon, where fits: (String) -> Bool) throws -> String {
        var passed: [String] = []
        while true {
            do {
                guard let line = try log.next(by: deadline) else { throw Failure("the log has ended") }
                if fits(line) { return line }
                passed.append(line)
            } catch let failure as Failure {
                throw Failure("\(failure); the log was \(passed.suffix(20))")
            }
        }
    }

    /// Waits for a line of the log with that in it.
    @discardableResult
    func logLine(containing text: String, by deadline: Deadline = .soon) throws -> String {
        do {
            return try logLine(by: deadline) { $0.contains(text) }
        } catch {
            throw Failure("no line with '\(text)': \(error)")
        }
    }

    /// Waits for a line on stdout that fits, and skips those before it.
    func outputLine(by deadline: Deadline = .soon, where fits: (String) -> Bool) throws {
        while true {
            guard let line = try output.next(by: deadline) else { throw Failure("the output has ended") }
            if fits(line) { return }
        }
    }

    /// The lines of the log that have been written by now and not been looked at.
    func logSoFar() -> [String] { log.linesSoFar() }

    /// Ends it as a power cut would.
    func kill9() throws {
        if isAlive { kill(id, SIGKILL) }
        _ = try exitCode()
    }

    /// Lets it do nothing until `resume`.
    func suspend() { kill(id, SIGSTOP) }
    func resume() { kill(id, SIGCONT) }

    func terminate() { kill(id, SIGTERM) }
    func interrupt() { kill(id, SIGINT) }

    /// Waits for the process's end.
    /// - Returns: its exit code; 128 and the signal's number if one ended it.
    func exitCode(by deadline: Deadline = .patient) throws -> Int32 {
        return try eventually("the end of the process", by: deadline) { () -> Int32? in
            guard !isAlive, let status else { return nil }
            return status & 0x7f == 0 ? status >> 8 & 0xff : 128 + status & 0x7f
        }
    }

    /// Whether it still runs.
    var isAlive: Bool {
        var code: Int32 = 0
        if status == nil, waitpid(id, &code, WNOHANG) == id { status = code }
        return status == nil
    }

    /// All that is still to come on stdout and stderr, until the process has ended.
    func rest() -> (output: [String], log: [String]) { (output.rest(by: .patient), log.rest(by: .patient)) }
}

/// The lines that come out of a pipe.
private final class Lines {
    private let descriptor: Int32
    private var buffer: [UInt8] = []
    private var lines: [String] = []
    private var hasEnded = false

    init(_ descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    /// The next line; nil at the end.
    func next(by deadline: Deadline) throws -> String? {
        while lines.isEmpty {
            if hasEnded { return nil }
            guard fill(by: deadline) else { throw Failure("no line in time") }
        }
        return lines.removeFirst()
    }

    func linesSoFar() -> [String] {
        while !hasEnded, fill(by: Deadline(seconds: 0)) {}
        defer { lines = [] }
        return lines
    }

    func rest(by deadline: Deadline) -> [String] {
        while !hasEnded, fill(by: deadline) {}
        defer { lines = [] }
        return lines
    }

    /// Takes what is there. False if nothing came in time.
    private func fill(by deadline: Deadline) -> Bool {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&entry, 1, deadline.milliseconds) > 0 else { return false }
        var piece = [UInt8](repeating: 0, count: 64 << 10)
        let count = read(descriptor, &piece, piece.count)
        if count <= 0 {
            hasEnded = true
            if !buffer.isEmpty { lines.append(String(decoding: buffer, as: UTF8.self)) }
            buffer = []
            return true
        }
        buffer += piece[..<count]
        var start = buffer.startIndex
        while let end = buffer[start...].firstIndex(of: 10) {
            let line = String(decoding: buffer[start..<end], as: UTF8.self)
            // What the sandbox lacks depends on the machine; its own tests look at it in another way.
            if !line.contains("sandbox: not held") { lines.append(line) }
            start = end + 1
        }
        buffer.removeFirst(start - buffer.startIndex)
        return true
    }
}
