import Testing

/// A worker that attacks the process it runs in, and what must come of it.
struct HostileWorker: Sendable {
    /// What may come of the request.
    enum Ending: String, Sendable {
        case exceededCpu, exceededMemory, exception, hang, ok
        /// Answered well; what was hostile is ended afterwards, and the isolate with it.
        case condemnedLater
        /// The answer had begun: the connection is cut, and the isolate goes on.
        case cut
        /// The connection is cut, and the isolate is done for.
        case cutAndCondemned
        /// The lane was given up, and its connections cut: neighbours on it begin afresh on the lane that replaces it.
        case laneLost

        /// Whether the isolate is done for, so that the next request gets a fresh one.
        var condemns: Bool { self != .ok && self != .exception && self != .hang && self != .cut }

        /// Status and number in the page.
        var page: (status: Int, number: Int)? {
            switch self {
            case .exceededCpu, .exceededMemory: (503, 1102)
            case .exception, .hang: (500, 1101)
            case .ok, .condemnedLater, .cut, .cutAndCondemned, .laneLost: nil
            }
        }
    }

    let name: String
    let endings: Set<Ending>
    /// The worker's main module.
    let source: String
    /// Its other modules.
    var modules: [String: [UInt8]] = [:]
    /// Whether the top level itself is hostile: then each request is a fresh start anyway.
    var failsAtStart = false
    /// What an answer must say.
    var text: String?
    /// What the log must say.
    var log: String?

    /// Whether V8 may run out of memory while it collects, holding a lock: then nobody can dispose of the isolate.
    var mayLeak = false

    func leaking() -> HostileWorker {
        var worker = self
        worker.mayLeak = true
        return worker
    }

    /// Where V8 may be in C++ when the time is over, and stay there too long.
    func losingLanes() -> HostileWorker {
        HostileWorker(
            name: name, endings: endings.union([.laneLost]), source: source, modules: modules,
            failsAtStart: failsAtStart, text: text, log: log, mayLeak: mayLeak)
    }

    /// Code that runs when a request comes; "survived" is the answer if it comes to its end. Wasm modules are imported
    /// under their names.
    static func handler(
        _ name: String, _ endings: Set<Ending>, modules: [String: [UInt8]] = [:], text: String? = nil,
        log: String? = nil, _ code: String
    ) -> HostileWorker {
        let wasm = modules.keys.filter { $0.hasSuffix(".wasm") }.sorted()
        let imports = wasm.map { "import \($0.dropLast(5)) from \"./\($0)\";\n" }.joined()
        let source = """
            \(imports)let served = 0;
            async function hostile(request, env, ctx) {
            \(code)
            }
            export default { async fetch(request, env, ctx) {
              served++;
              if (request.url.endsWith("/served")) return new Response(String(served));
              return await hostile(request, env, ctx) ?? new Response("survived");
            } };

            """
        return HostileWorker(name: name, endings: endings, source: source, modules: modules, text: text, log: log)
    }

    /// A built-in that V8 does not interrupt.
    static func builtin(_ name: String, _ code: String) -> HostileWorker {
        handler(name, [.ok, .exception, .exceededCpu, .exceededMemory, .laneLost], code)
    }

    /// Code at the top level, before a handler that is good.
    static func start(
        _ name: String, _ endings: Set<Ending>, modules: [String: [UInt8]] = [:], _ code: String
    ) -> HostileWorker {
        HostileWorker(
            name: name, endings: endings,
            source: code + "\nexport default { fetch: () => new Response('survived') };\n", modules: modules,
            failsAtStart: true)
    }
}

/// Hostile workers that share a process, one after the other, and the limits they are held to.
struct HostileGroup: Sendable, CustomTestStringConvertible {
    let name: String
    let flags: [String]
    let workers: [HostileWorker]
    /// Whether the neighbour, on the same lane, must be answered within a second even while the attack goes on.
    var isShort = false

    var testDescription: String { name }
}
