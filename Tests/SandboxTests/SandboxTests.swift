import Sandbox
import Testing

/// From inside a process that has locked itself in like a host, with each layer alone and with all of them. What the
/// kernel refuses to a layer here is not asked of it; the filter of system calls is asked of every kernel.
@Suite("Sandbox") struct SandboxTests {
    @Test(arguments: Probe.attacks)
    func theFilterAloneRefuses(_ attack: String) throws {
        let attempt = try Probe.attempt(attack, layers: .filter, isApart: false)
        #expect(attempt.holds("system calls filtered"))
        #expect(!attempt.hasWorked, "it returned \(attempt.result ?? 0)")
    }

    @Test(arguments: Probe.attacks)
    func theWholeRefuses(_ attack: String) throws {
        let attempt = try Probe.attempt(attack, layers: .all, isApart: true)
        #expect(!attempt.hasWorked, "it returned \(attempt.result ?? 0)")
    }

    @Test(arguments: Probe.needs)
    func whatHostsDoWorks(_ need: String) throws {
        #expect(try Probe.attempt(need, layers: .all, isApart: true).hasWorked)
    }

    /// Otherwise the tests above would prove nothing. These do no harm where they work.
    @Test(arguments: [
        "open_file", "open_root", "look_at_file", "read_link", "memory_file", "exec", "fork_process", "be_traced",
        "read_process", "signal_group", "dumpable", "raise_limit", "new_socket", "new_unix_socket", "new_pair", "dial",
        "dial_anew", "take_port", "listen_too", "send_datagram", "dial_by_sending", "option", "stop_listener",
        "stop_listener_dirty", "block_listener", "block_listener_dirty", "change_listener", "map_writable_code",
        "make_writable_code",
    ])
    func withoutASandboxTheAttackWorks(_ attack: String) throws {
        #expect(try Probe.attempt(attack, layers: [], isApart: false).hasWorked)
    }

    @Test(arguments: [
        "exec", "be_traced", "new_socket", "dial", "take_port", "memory_file", "new_user_namespace", "ring", "keyring",
    ])
    func whoCallsWhatNoHostCallsIsEnded(_ attack: String) throws {
        #expect(try Probe.attempt(attack, layers: .all, isApart: true).isFatal)
    }

    @Test(arguments: ["open_file", "open_itself", "create_file", "make_folder"])
    func anEmptyRootHasNoFiles(_ attack: String) throws {
        let attempt = try Probe.attempt(attack, layers: .emptyRoot, isApart: true)
        guard attempt.holds("empty root") else { return }
        #expect(!attempt.hasWorked)
    }

    @Test(arguments: ["open_file", "open_root", "open_itself", "create_file"])
    func landlockDeniesFiles(_ attack: String) throws {
        let attempt = try Probe.attempt(attack, layers: .landlock, isApart: false)
        #expect(attempt.holds("Landlock") == (Kernel.landlockVersion != nil))
        guard attempt.holds("Landlock") else { return }
        #expect(attempt.result == -13)
    }

    @Test(arguments: ["dial", "take_port"])
    func landlockDeniesTheNetwork(_ attack: String) throws {
        let attempt = try Probe.attempt(attack, layers: .landlock, isApart: false)
        guard let version = Kernel.landlockVersion, version >= 4 else { return }
        #expect(attempt.result == -13)
    }

    @Test func anOwnNetworkReachesNothing() throws {
        let attempt = try Probe.attempt("dial_anew", layers: .limits, isApart: true)
        guard attempt.holds("network namespace") else { return }
        #expect(!attempt.hasWorked)
    }

    @Test(arguments: ["mount_something", "become_root"])
    func withoutCapabilitiesThereIsNoRoot(_ attack: String) throws {
        let attempt = try Probe.attempt(attack, layers: .privileges, isApart: true)
        #expect(attempt.holds("no capabilities"))
        guard attempt.holds("unprivileged user") || attack == "mount_something" else { return }
        #expect(!attempt.hasWorked)
    }

    @Test func whatIsNotHeldIsReported() throws {
        let apart = try Probe.attempt("chance", layers: .all, isApart: true)
        let together = try Probe.attempt("chance", layers: .all, isApart: false)
        #expect(together.refused.contains("own network namespace: Operation not permitted"))
        #expect(together.refused.contains { $0.hasPrefix("an empty root: ") })
        #expect(apart.held.count + apart.refused.count == together.held.count + together.refused.count)
        for text in ["no capabilities", "no new privileges", "no core dumps", "system calls filtered"] {
            #expect(apart.holds(text) && together.holds(text), "\(text)")
        }
    }
}
