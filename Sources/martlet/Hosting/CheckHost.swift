import Glibc
import Isolates
import Model
import Runtime
import Supervisor

/// A host that finds out whether Workers can start, and serves nothing.
final class CheckHost: Sendable {
    private let engine: Engine
    private let settings: HostSettings
    private let channel: FrameChannel
    private let events: RemoteEvents
    private let watchdog = Watchdog(steps: Watchdog.Steps())

    init(_ engine: Engine, _ settings: HostSettings, _ channel: FrameChannel) {
        self.engine = engine
        self.settings = settings
        self.channel = channel
        events = RemoteEvents(channel, settings)
    }

    func obey() -> Never {
        while let frame = (try? channel.receive()) ?? nil, let order = try? ToHost(frame[...]) {
            switch order {
            case .open: channel.send(FromHost.serving.bytes)
            case .status(let id): channel.send(FromHost.status(id: id, RuntimeStatus()).bytes)
            case .pulse(let id): channel.send(FromHost.pulse(id: id, taint: 0).bytes)
            case .check(let id, let worker, let key): check(worker, key, id)
            case .drain:
                channel.send(FromHost.drained.bytes)
                channel.flush()
                _exit(0)
            default: break
            }
        }
        _exit(1)
    }

    /// On a thread of its own, which has the stack that V8 wants.
    private func check(_ worker: StoredWorker, _ key: ScriptKey, _ id: Int) {
        Thread.spawn(name: "check") { [self] in
            let (report, isTainted) = WorkerCheck.report(
                on: worker.definition(for: key, limits: settings.limits), engine: engine, watchdog: watchdog,
                events: events)
            channel.send(FromHost.checked(id: id, report, isTainted: isTainted).bytes)
        }
    }
}
