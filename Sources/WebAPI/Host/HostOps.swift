internal import Isolates
internal import Model

/// Ops that belong to no one standard: the worker's scope, its timers and its log.
enum HostOps {
    /// Characters of one log text; a request's log is limited as a whole besides.
    private static let longestLogText = 256 << 10

    static let all: [Op] = [
        .web("isGlobalScope") { host, call in call.returns(host.scope.isGlobalScope) },
        .web("binding") { host, call in
            let bindings = host.scope.bindings
            let index = call.integer(0)
            guard bindings.indices.contains(index) else { return call.returnsNull() }
            call.returns(.list(description(of: bindings[index]).map { .string($0) }))
        },
        .web("compatibilityFlags") { host, call in
            call.returns(.list(host.scope.compatibility.enabled.map { .string($0) }))
        },
        .web("builtinModule") { host, call throws(OpError) in
            switch BuiltinModules.meaning(of: call.string(0), in: host.scope.compatibility) {
            case .foreign: call.returnsNull()
            case .module(let name): call.returns(.string(name))
            case .unavailable(let reason): throw .type(reason)
            }
        },
        .web("scheduledEvent") { host, call throws(OpError) in
            let event = try host.exchanges.scheduledEvent(call.integer(0))
            call.returns(.list([.string(event.cron), .number(event.scheduledTime)]))
        },
        .web("eventNoRetry") { host, call in host.exchanges.eventRefusedRetry(call.integer(0)) },
        .web("eventEnded") { host, call in host.exchanges.eventEnded(call.integer(0)) },
        .web("currentExchange") { host, call in call.returns(host.scope.currentExchange) },
        .web("baseURL") { host, call in
            guard let url = host.scope.baseURL else { return call.returnsNull() }
            call.returns(.string(url))
        },
        .web("workerLoaded") { host, call in host.scope.workerLoaded(handlers: call.strings(0)) },
        .web("entrypointLoaded") { host, call in
            host.scope.entrypointLoaded(Entrypoint(name: call.string(0), handlers: call.strings(1)))
        },
        .web("log") { host, call in
            host.log.log(level: call.string(0), text: call.string(1, atMost: longestLogText))
        },
        .web("timerStart") { host, call throws(OpError) in
            try host.timers.startTimer(id: call.integer(0), milliseconds: call.number(1), repeats: call.bool(2))
        },
        .web("rateLimit") { host, call throws(OpError) in
            call.returns(try host.rates.isWithinLimit(call.string(1), ofBinding: call.integer(0)))
        },
        .web("timerCancel") { host, call in host.timers.cancelTimer(id: call.integer(0)) },
    ]

    /// Name, kind, and what JavaScript needs to make the value.
    private static func description(of binding: WorkerBinding) -> [String] {
        switch binding.value {
        case .text(let text): [binding.name, "text", text]
        case .json(let text): [binding.name, "json", text]
        case .versionMetadata(let version):
            [binding.name, "versionMetadata", version.id, version.tag, version.timestamp]
        case .kvNamespace: [binding.name, "kvNamespace"]
        case .service: [binding.name, "service"]
        case .rateLimit: [binding.name, "rateLimit"]
        case .assets: [binding.name, "assets"]
        }
    }
}

extension Op {
    /// An op of the web platform: its host is a `WebHost`, the only kind an isolate is ever given.
    static func web(
        _ name: String, _ body: @escaping @Sendable (WebHost, OpCall) throws(OpError) -> Void
    ) -> Op {
        Op(name) { (host: AnyObject, call: OpCall) throws(OpError) in
            try body(unsafeDowncast(host, to: WebHost.self), call)
        }
    }
}
