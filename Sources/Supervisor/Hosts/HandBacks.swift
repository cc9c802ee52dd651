internal import Synchronization

/// Who has the connections that hosts have given back: a host can keep a descriptor of what it gives away, and must not
/// give it away twice.
package final class HandBacks: Sendable {
    /// Connections that are remembered: twice as many at most.
    static let remembered = 32_768

    private struct State {
        /// Hosts by number; 0 for none.
        var recent: [UInt64: Int] = [:]
        var older: [UInt64: Int] = [:]

        mutating func set(_ cookie: UInt64, _ host: Int) {
            if recent.count >= HandBacks.remembered, recent[cookie] == nil {
                older = recent
                recent = [:]
            }
            recent[cookie] = host
        }
    }

    private let state = Mutex(State())

    package init() {}

    /// It is that host's now.
    package func give(_ cookie: UInt64, to host: Int) { state.withLock { $0.set(cookie, host) } }

    /// Takes it from that host; false if the host does not have it.
    package func take(_ cookie: UInt64, from host: Int) -> Bool {
        state.withLock { state in
            guard (state.recent[cookie] ?? state.older[cookie] ?? host) == host else { return false }
            state.set(cookie, 0)
            return true
        }
    }
}
