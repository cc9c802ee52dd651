import CLinux
import Edge
import Foundation
import Glibc
import Synchronization

/// What one process of a service leaves to the next: its listening sockets and locks, and when which of them serves.
///
/// The process that gets SIGHUP starts its program anew, from the file that is there by then, and ends when the new one
/// serves and its own work is done. The first of them stays as the keeper (`Keeper`), so that whoever started the
/// service has the same process to signal and to wait for.
final class Handover: Sendable {
    /// The descriptors that a successor has, as NAME=NUMBER, by commas.
    private static let variable = "MARTLET_HANDOVER"
    /// To the predecessor, which hears of readiness by it, and whose end is its end.
    private static let channel = "channel"
    /// Of a pipe to the keeper: who serves.
    private static let keeper = "keeper"
    /// How long a new process may take until it serves, in seconds.
    private static let patience = 60.0
    /// A successor's first descriptor, and where copies are kept meanwhile.
    private static let first: Int32 = 3
    private static let beyond: Int32 = 256

    private struct State {
        /// What a successor gets, by names; the channel not.
        var kept: [String: Int32] = [:]
        /// They close their sockets when nobody has them any more.
        var listeners: [Listener] = []
        /// What was inherited and not asked for yet.
        var inherited: [String: Int32] = [:]
        var predecessor: Int32?
        /// The end of the keeper's pipe that it reads; only while this process has yet to become the keeper.
        var successions: Int32?
    }

    private let state: Mutex<State>
    /// The program's file as it was called at the start: what lies there is started.
    private let program: String

    /// - Throws: what is wrong with what was inherited.
    init() throws(CleanFailure) {
        program = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        var state = State()
        if let text = ProcessInfo.processInfo.environment[Self.variable] {
            unsetenv(Self.variable)
            for pair in text.split(separator: ",") {
                let parts = pair.split(separator: "=")
                guard parts.count == 2, let descriptor = Int32(parts[1]), fcntl(descriptor, F_GETFD) >= 0 else {
                    throw CleanFailure(
                        "\(Self.variable) is for a process that another one starts; '\(pair)' is not there")
                }
                _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
                state.inherited[String(parts[0])] = descriptor
            }
            state.predecessor = state.inherited.removeValue(forKey: Self.channel)
            state.kept[Self.keeper] = state.inherited.removeValue(forKey: Self.keeper)
        }
        self.state = Mutex(state)
        if let keeper = state.kept[Self.keeper] { Self.end(with: keeper) }
    }

    /// Ends this process when nobody reads a pipe any more: its keeper was killed.
    private static func end(with pipe: Int32) {
        Foundation.Thread.detachNewThread {
            var entry = pollfd(fd: pipe, events: 0, revents: 0)
            while poll(&entry, 1, -1) < 0 {}
            _exit(1)
        }
    }

    // MARK: What is handed on

    /// What the predecessor has left under a name. It is handed on.
    func inherited(_ name: String) -> Int32? {
        state.withLock { state in
            let descriptor = state.inherited.removeValue(forKey: name)
            if let descriptor { state.kept[name] = descriptor }
            return descriptor
        }
    }

    /// Has a successor get a descriptor, which stays open.
    func keep(_ descriptor: Int32, as name: String) { state.withLock { $0.kept[name] = descriptor } }

    /// The predecessor's listening socket, or a new one.
    func listen(
        _ name: String, _ host: String, _ port: UInt16, _ certificates: CertificateStore? = nil
    ) throws -> Listener {
        let listener =
            if let descriptor = inherited(name) {
                Listener(inherited: descriptor, host: host, certificates: certificates)
            } else {
                try Server.listen(host, port, certificates)
            }
        keep(listener.descriptor, as: name)
        state.withLock { $0.listeners.append(listener) }
        return listener
    }

    // MARK: By the successor

    /// This process serves: the predecessor may end its work, and whoever manages services hears of it.
    func isReady() {
        let (predecessor, keeper) = state.withLock { ($0.predecessor, $0.kept[Self.keeper]) }
        if let keeper {
            var id = getpid()
            _ = write(keeper, &id, MemoryLayout<pid_t>.size)
        }
        if let predecessor { _ = write(predecessor, [1], 1) }
        ServiceNotice.ready()
    }

    /// Calls `body` when the predecessor's work has ended, on a thread of its own; never, if there was none.
    func whenAlone(_ body: @escaping @Sendable () -> Void) {
        guard let predecessor = state.withLock({ $0.predecessor }) else { return }
        Foundation.Thread.detachNewThread {
            var byte: UInt8 = 0
            while read(predecessor, &byte, 1) < 0, errno == EINTR {}
            close(predecessor)
            body()
        }
    }

    // MARK: By the predecessor

    /// Starts the program anew and waits until it serves. To be called on the main thread: the children of another
    /// are lost to the keeper.
    /// - Returns: its id.
    /// - Throws: why it does not; this process is as it was.
    func startSuccessor() throws(CleanFailure) -> pid_t {
        var ends: [Int32] = [-1, -1]
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else {
            throw Self.failure("socketpair")
        }
        defer { close(ends[1]) }
        try makeKeepersPipe()
        var handed = state.withLock { $0.kept }
        handed[Self.channel] = ends[1]
        let id: pid_t
        do throws(CleanFailure) {
            id = try start(with: handed)
            close(ends[1])
            ends[1] = -1
            try Self.awaitReady(id, ends[0])
        } catch {
            close(ends[0])
            throw error
        }
        // It is open as long as this process is.
        return id
    }

    private func makeKeepersPipe() throws(CleanFailure) {
        guard state.withLock({ $0.kept[Self.keeper] == nil }) else { return }
        var ends: [Int32] = [-1, -1]
        guard pipe2(&ends, O_CLOEXEC | O_NONBLOCK) == 0 else { throw Self.failure("pipe2") }
        state.withLock { state in
            state.successions = ends[0]
            state.kept[Self.keeper] = ends[1]
        }
    }

    private func start(with handed: [String: Int32]) throws(CleanFailure) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        // Out of the way first: a place may be another's source.
        var copies: [Int32] = []
        defer { for copy in copies { close(copy) } }
        var names: [String] = []
        for (place, entry) in handed.sorted(by: { $0.key < $1.key }).enumerated() {
            let copy = fcntl(entry.value, F_DUPFD_CLOEXEC, Self.beyond)
            guard copy >= 0 else { throw Self.failure("a copy of a descriptor") }
            copies.append(copy)
            posix_spawn_file_actions_adddup2(&actions, copy, Self.first + Int32(place))
            names.append("\(entry.key)=\(Self.first + Int32(place))")
        }
        // A group of its own: what a terminal sends to all of the group gets to it by the keeper, once.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
        let environment = ProcessInfo.processInfo.environment.map { "\($0.key)=\($0.value)" }
        var id: pid_t = 0
        let code = Self.withPointers(CommandLine.arguments) { arguments in
            Self.withPointers(environment + ["\(Self.variable)=\(names.joined(separator: ","))"]) { environment in
                posix_spawn(&id, program, &actions, &attributes, arguments, environment)
            }
        }
        guard code == 0 else { throw CleanFailure("\(program): \(String(cString: strerror(code)))") }
        return id
    }

    /// Until it says so. One that does not is ended.
    private static func awaitReady(_ id: pid_t, _ channel: Int32) throws(CleanFailure) {
        var entry = pollfd(fd: channel, events: Int16(POLLIN), revents: 0)
        let end = Date(timeIntervalSinceNow: patience)
        var isThere: Int32 = 0
        repeat { isThere = poll(&entry, 1, Int32(max(0, end.timeIntervalSinceNow * 1_000))) } while isThere < 0
        var byte: UInt8 = 0
        if isThere > 0, read(channel, &byte, 1) == 1 { return }
        kill(id, SIGKILL)
        var status: Int32 = 0
        while waitpid(id, &status, 0) < 0, errno == EINTR {}
        throw CleanFailure(
            isThere == 0 ? "it did not serve within \(Int(patience)) s" : "it ended before it served (see its message)")
    }

    /// Ends this process, whose work is done: as the keeper from now on, if it was the first.
    func leave() -> Never {
        guard let successions = state.withLock({ $0.successions }) else { _exit(0) }
        _ = fcntl(successions, F_SETFD, 0)
        let arguments = [CommandLine.arguments[0], Keeper.name, String(successions)]
        Self.withPointers(arguments) { arguments in _ = execv(program, arguments) }
        // Without the file the service goes on, and nobody keeps it.
        _exit(1)
    }

    private static func withPointers<Value>(
        _ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Value
    ) -> Value {
        var copies = strings.map { strdup($0) } + [nil]
        defer { for copy in copies { free(copy) } }
        return body(&copies)
    }

    private static func failure(_ what: String) -> CleanFailure {
        CleanFailure("\(what): \(String(cString: strerror(errno)))")
    }
}
