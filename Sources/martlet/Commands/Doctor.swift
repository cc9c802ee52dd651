import ArgumentParser
import Foundation
import Glibc
import Isolates
import Sandbox

/// `martlet doctor`: what holds on this machine.
struct Doctor: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Says what this machine offers: the engine, the kernel's limits, and what the sandbox can do here.")

    /// Locks itself in and says what came of it; the command's own child.
    @Flag(help: .hidden)
    var inside = false

    func run() throws {
        if inside { return report() }
        let limits = MachineLimits()
        say("V8", Engine.v8Version)
        say("kernel", Kernel.release)
        say("processors", "\(limits.processors)")
        say("memory", "\(limits.memoryMegabytes) MB")
        say("open files", "\(limits.openFiles)")
        say("memory mappings", "\(limits.mappings), room for about \(limits.isolates) idle isolates")
        say("Landlock", Kernel.landlockVersion.map { "version \($0)" } ?? "not in this kernel")
        say("system call filters", Kernel.hasFilters ? "yes" : "not in this kernel")
        let groups = ControlGroups(limits: Self.trialLimits)
        for (name, controller) in [("memory limit", GroupController.memory), ("thread limit", .pids)] {
            say(
                name,
                groups.folder(of: controller).map { "by control groups below \($0)" }
                    ?? "no: \(groups.refusal(of: controller) ?? "")")
        }
        print("\nA host's sandbox, as tried just now:")
        fflush(nil)
        let (output, input) = try pipe()
        let group = try groups.make()
        let child = try Child.start(
            ["doctor", "--inside"], environment: [], descriptors: [0, input, 2], isApart: true, group: group)
        close(input)
        copy(from: output)
        let status = child.wait()
        group?.remove()
        guard status == 0 else { throw CleanFailure("the trial ended with \(Child.description(ofStatus: status))") }
        if let refusal = child.groupRefusal { print("No control group: \(refusal)") }
        if let refusal = child.refusal { print("Not all namespaces: \(refusal)") }
    }

    /// More than the trial needs.
    private static let trialLimits = ControlGroups.Limits(memory: 1 << 30, threads: 64)

    private func say(_ name: String, _ value: String) {
        print(name + String(repeating: " ", count: max(1, 22 - name.count)) + value)
    }

    private func report() {
        let measures = SandboxPolicy().lock()
        for measure in measures {
            print(measure.refusal.map { "  no   \(measure.name): \($0)" } ?? "  yes  \(measure.name)")
        }
        let missing = measures.count { $0.refusal != nil }
        print(
            missing == 0
                ? "All \(measures.count) measures hold: --sandbox=required works here."
                : "\(missing) of \(measures.count) measures do not hold: --sandbox=required refuses to start here.")
        fflush(nil)
    }

    private func pipe() throws -> (output: Int32, input: Int32) {
        var ends: [Int32] = [0, 0]
        guard Glibc.pipe(&ends) == 0 else { throw CleanFailure("pipe: \(String(cString: strerror(errno)))") }
        return (ends[0], ends[1])
    }

    private func copy(from descriptor: Int32) {
        var bytes = [UInt8](repeating: 0, count: 4_096)
        while true {
            let count = read(descriptor, &bytes, bytes.count)
            guard count > 0 else { return }
            _ = write(STDOUT_FILENO, bytes, count)
        }
    }
}

/// What the kernel allows a process, as set up here.
private struct MachineLimits {
    /// Of an idle isolate, measured (docs/architecture.md).
    private static let mappingsPerIsolate = 14

    let processors = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    let memoryMegabytes = sysconf(Int32(_SC_PHYS_PAGES)) / 1_024 * sysconf(Int32(_SC_PAGESIZE)) / 1_024
    let openFiles: UInt
    let mappings: Int

    init() {
        var files = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &files)
        openFiles = files.rlim_cur
        let text = try? String(contentsOfFile: "/proc/sys/vm/max_map_count", encoding: .utf8)
        mappings = text.flatMap { Int($0.prefix { $0.isNumber }) } ?? 65_530
    }

    var isolates: Int { mappings / Self.mappingsPerIsolate }
}
