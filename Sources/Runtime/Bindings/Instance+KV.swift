internal import Isolates
internal import Model
internal import WebAPI

// KV: operations wait for the disk on threads of their own, or for another process. Their results are charged to the
// isolate from the moment that they are read.

extension Instance: KVHost {
    /// What an operation is charged besides its value, in bytes: its place in the line, its ticket, its promise.
    private static let operationOverhead = 2 << 10

    func begin(_ operation: KVOperation, inBinding binding: Int) throws(OpError) -> Int {
        guard let context = current else { throw .type("KV needs a request to belong to") }
        let bindings = worker.definition.bindings
        guard bindings.indices.contains(binding), case .kvNamespace(let namespace) = bindings[binding].value,
            let storage = lane.placement.storage
        else { throw .type("There is no such namespace") }
        guard context.storageOperations < worker.definition.limits.storageOperations else {
            throw OpError("Error", "Too many API requests by single Worker invocation.")
        }
        context.storageOperations += 1
        if operation.isWrite { worker.counts.addWrite() } else { worker.counts.addRead() }
        let held = operation.size + Self.operationOverhead
        guard charge(held) else { throw .range("The worker has no memory left for the value") }
        let ticket = openTicket(for: context)
        let request = context.work ?? RequestWork()
        context.work = request
        let account = isolate.account
        let loop = lane.loop.remote
        let owner = LoopBound(context, to: lane.loop)
        storage.perform(
            operation, namespace, chargedTo: account, of: ObjectIdentifier(isolate),
            isWanted: { !request.isEnded },
            completion: { result in
                loop.execute { loop in
                    let context = owner.value(on: loop)
                    context.instance.operationEnded(ticket, of: context, result, held: held)
                }
            })
        return ticket
    }

    private func operationEnded(_ ticket: Int, of context: RequestContext, _ result: FlatValue, held: Int) {
        guard state == .running else { return }
        discharge(held)
        guard isOpen(ticket) else { return }
        lane.setTime(of: nil)
        settle(ticket, of: context, with: result)
    }
}

extension KVOperation {
    fileprivate var isWrite: Bool {
        switch self {
        case .put, .delete: true
        case .get, .getMany, .list: false
        }
    }

    /// Bytes of what it brings along.
    fileprivate var size: Int {
        switch self {
        case .get(let key), .delete(let key): key.utf8.count
        case .getMany(let keys): keys.reduce(0) { $0 + $1.utf8.count }
        case .put(let key, let entry): key.utf8.count + entry.value.count
        case .list(let prefix, _, _): prefix.utf8.count
        }
    }
}
