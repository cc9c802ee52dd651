internal import Glibc
internal import Isolates
internal import Synchronization

/// Looks up the addresses of names by `getaddrinfo`, which blocks: on threads that exist as long as there are names to
/// look up. Any thread.
final class NameService: Sendable {
    typealias Completion = @Sendable (_ addresses: [IPAddress]) -> Void

    private struct State {
        var waiting: [(name: String, completion: Completion)] = []
        var next = 0
        var threads = 0
        /// How often each scripted name was asked for.
        var asked: [String: Int] = [:]

        mutating func takeNext() -> (name: String, completion: Completion)? {
            guard next < waiting.count else {
                waiting.removeAll(keepingCapacity: true)
                next = 0
                threads -= 1
                return nil
            }
            defer { next += 1 }
            return waiting[next]
        }
    }

    /// Lookups at a time: a name server that does not answer keeps a thread for many seconds.
    private static let threadLimit = 32
    /// Names that may wait for a thread.
    private static let queueLimit = 10_000

    private let scripted: [String: [[IPAddress]]]
    private let state = Mutex(State())

    /// - Parameter scripted: names with the answers that are given in turn, again from the first after the last, in the
    ///   place of any name server's.
    init(scripted: [String: [[IPAddress]]] = [:]) {
        self.scripted = scripted
    }

    /// Whether a name's addresses may be another's at the next moment.
    func isScripted(_ name: String) -> Bool { scripted[name] != nil }

    /// Calls back once, on any thread, with what was found: nothing for a name without addresses. False if too many
    /// names wait.
    func lookUp(_ name: String, _ completion: @escaping Completion) -> Bool {
        if let answers = scripted[name] {
            let turn = state.withLock { state in
                defer { state.asked[name, default: 0] += 1 }
                return state.asked[name, default: 0]
            }
            completion(answers[turn % answers.count])
            return true
        }
        let (isTaken, needsThread) = state.withLock { state in
            guard state.waiting.count - state.next < Self.queueLimit else { return (false, false) }
            state.waiting.append((name, completion))
            guard state.threads < Self.threadLimit else { return (true, false) }
            state.threads += 1
            return (true, true)
        }
        if needsThread { Thread.spawn(name: "names") { [self] in work() } }
        return isTaken
    }

    private func work() {
        while let (name, completion) = state.withLock({ $0.takeNext() }) { completion(Self.addresses(of: name)) }
    }

    private static func addresses(of name: String) -> [IPAddress] {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(name, nil, &hints, &list) == 0 else { return [] }
        defer { freeaddrinfo(list) }
        var found: [IPAddress] = []
        var next = list
        while let entry = next {
            if let raw = entry.pointee.ai_addr, let address = IPAddress(raw), !found.contains(address) {
                found.append(address)
            }
            next = entry.pointee.ai_next
        }
        return found
    }
}
