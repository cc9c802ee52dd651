package import Model

/// What a host may say when, and of what. It is free to lie about its own Workers, and about nothing else.
package struct HostRules {
    private var isLocked = false
    private var isServing = false
    /// Names of the Workers that it has ever been told; no name is the runtime itself.
    private(set) var names: Set<String> = [""]
    private var scripts: Set<ScriptKey> = []
    /// No name is where there are no accounts.
    private var accounts: Set<String> = [""]
    /// What stands behind the zones that it knows.
    private var servers: Set<OriginServer> = []
    private var namespaces: Set<String> = []
    /// What the service bindings of each of its scripts mean.
    private var services: [ScriptKey: Set<Service>] = [:]
    private var blobs: Set<String> = []
    /// Those by which it proves who it is, the ones before too: handshakes may have begun with them.
    private var certificates: Set<Int> = []
    private var lastQuestion = 0
    /// Not answered yet.
    private var questions: Set<Int> = []

    package init() {}

    // MARK: What it was told

    package mutating func hasWorker(_ name: String) { names.insert(name) }

    package mutating func has(_ routes: RoutingSnapshot) {
        for item in routes.items {
            switch item {
            case .script(let script):
                names.insert(script.key.description)
                scripts.insert(script.key)
                accounts.insert(script.key.account)
            case .zone(let zone): if let server = zone.zone.server { servers.insert(server) }
            case .account, .domain, .removed: break
            }
        }
    }

    package mutating func has(_ worker: StoredWorker, of key: ScriptKey) {
        hasWorker(key.description)
        accounts.insert(key.account)
        for binding in worker.version.bindings {
            if binding.type == "kv_namespace", let id = binding.fields["namespace_id"]?.string { namespaces.insert(id) }
            if let service = binding.service(in: key.account) { services[key, default: []].insert(service) }
        }
        for file in worker.assets?.files.values ?? [:].values { blobs.insert(file.blob) }
    }

    package mutating func has(_ served: [ServedCertificate]) { certificates.formUnion(served.map(\.id)) }

    /// - Returns: the number of a question that may be answered once.
    package mutating func ask() -> Int {
        lastQuestion += 1
        questions.insert(lastQuestion)
        return lastQuestion
    }

    // MARK: What it says

    package mutating func check(_ frame: FromHost) throws(WireError) {
        switch frame {
        case .failed: guard !isServing else { throw WireError("failed out of turn") }
        case .locked(let version, _):
            guard !isLocked else { throw WireError("locked twice") }
            guard version == FromHost.version else { throw WireError("version \(version)") }
            isLocked = true
        case .serving:
            guard isLocked, !isServing else { throw WireError("serving out of turn") }
            isServing = true
        case .log(let event): try check(event.worker)
        case .requestEnded(let event): try check(event.worker)
        case .trace(let trace): try check(trace.worker)
        case .status(let id, let status):
            try check(status)
            try answers(id)
        case .counted(let status):
            guard isServing else { throw WireError("counted out of turn") }
            try check(status)
        case .ran(let id, _), .checked(let id, _, _), .following(let id), .pulse(let id, _): try answers(id)
        case .applied: guard isLocked else { throw WireError("applied out of turn") }
        case .exchange(_, let order): try check(order)
        case .call(_, let call): try check(call)
        case .service: guard isServing else { throw WireError("an answer out of turn") }
        case .sign(_, let certificate, _, _):
            guard certificates.contains(certificate) else { throw WireError("a certificate that it does not have") }
        case .closed, .drained, .taken, .handBack: guard isServing else { throw WireError("drained out of turn") }
        }
    }

    private mutating func answers(_ id: Int) throws(WireError) {
        guard questions.remove(id) != nil else { throw WireError("an answer that was not asked for") }
    }

    private func check(_ status: RuntimeStatus) throws(WireError) {
        // Rows of a platform name the version, too.
        for name in status.workers.keys { try check(String(name.prefix { $0 != " " })) }
    }

    private func check(_ worker: String) throws(WireError) {
        guard isLocked else { throw WireError("events before the lock") }
        guard names.contains(worker) else { throw WireError("a Worker that it does not have") }
    }

    private func check(_ order: ExchangeOrder) throws(WireError) {
        guard isServing else { throw WireError("an exchange out of turn") }
        switch order {
        case .begin(let request):
            guard accounts.contains(request.account) else { throw WireError("an account that it does not have") }
            if let server = request.via {
                guard servers.contains(server) else { throw WireError("an origin that it does not have") }
            }
        case .beginCache(let request):
            guard accounts.contains(request.account) else { throw WireError("an account that it does not have") }
        case .beginService(let call):
            guard services[call.caller]?.contains(call.service) == true else {
                throw WireError("a service that it has no binding to")
            }
            guard call.request.account == call.caller.account, call.request.via == nil else {
                throw WireError("a call in another's name")
            }
        case .send, .finishSending, .consumed, .cancel: break
        }
    }

    private func check(_ call: StoreCall) throws(WireError) {
        guard isLocked else { throw WireError("a call before the lock") }
        switch call {
        case .definition(_, let key):
            guard scripts.contains(key) else { throw WireError("a script that it does not have") }
        case .asset(let blob, _, _):
            guard blobs.contains(blob) else { throw WireError("an asset that it does not have") }
        case .value(let call):
            guard namespaces.contains(call.namespace) else { throw WireError("a namespace that it does not have") }
        case .addUsage(let readings, _):
            guard readings.allSatisfy({ scripts.contains($0.script) }) else {
                throw WireError("use of a script that it does not have")
            }
        case .usage(let account, _):
            guard accounts.contains(account) else { throw WireError("an account that it does not have") }
        }
    }
}
