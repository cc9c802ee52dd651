import ArgumentParser
import Edge
import Glibc
import Isolates
import Model
import Runtime
import Sandbox
import Supervisor

/// `martlet host`: what a supervisor starts. V8 and the lanes, locked in before they see a tenant's code.
struct HostCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "host", shouldDisplay: false)

    func run() throws {
        let channel = FrameChannel(Supervisor.channelDescriptor, longestFrame: ToHost.longestFrame)
        guard let first = try channel.receive(), case .hello(let settings) = try ToHost(first[...]) else {
            throw CleanFailure("martlet host is started by martlet serve")
        }
        do {
            let engine = try start(settings, channel)
            switch settings.role {
            case .check: CheckHost(engine, settings, channel).obey()
            case .folder, .platform: try ServingHost(engine, settings, channel).obey()
            }
        } catch {
            channel.startWriting()
            channel.send(FromHost.failed("\(error)").bytes)
            channel.flush()
            _exit(1)
        }
    }

    /// The engine first, which needs files and has one thread; then the lock; then threads.
    private func start(_ settings: HostSettings, _ channel: FrameChannel) throws -> Engine {
        let slots = try SharedMemory(inherited: Supervisor.slotsDescriptor, size: CrashRecord.size)
        // For as long as the process lives.
        CrashSlots.use(Unmanaged.passRetained(slots).takeUnretainedValue().bytes)
        let engine = try Server.startEngine(flags: settings.engineFlags, isJitless: settings.isJitless)
        Placement.openFiles()
        let refusals = settings.sandbox == .off ? [] : lock(settings)
        if settings.sandbox == .required, !refusals.isEmpty {
            throw CleanFailure(
                "--sandbox=required, and not held: \(refusals.joined(separator: "; ")) (see martlet doctor)")
        }
        channel.startWriting()
        channel.send(FromHost.locked(version: FromHost.version, refusals: refusals).bytes)
        return engine
    }

    /// - Returns: what the kernel refused, one line each.
    private func lock(_ settings: HostSettings) -> [String] {
        var policy = SandboxPolicy()
        policy.firstOwnDescriptor = Supervisor.firstListener + Int32(settings.listeners.count)
        policy.code = settings.isJitless ? .none : .webAssembly
        return policy.lock().compactMap { measure in measure.refusal.map { "\(measure.name): \($0)" } }
    }
}
