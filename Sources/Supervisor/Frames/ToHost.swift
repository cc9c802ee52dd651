package import Model

/// What a supervisor tells its hosts.
package enum ToHost: Sendable {
    /// Longest frame, in bytes: a Worker with all its modules.
    package static let longestFrame = 1 << 30

    /// The first frame: the host starts its engine, and locks itself in.
    case hello(HostSettings)
    /// From now on this Worker is served under its name.
    case put(WorkerDefinition)
    /// A Worker is there, but could not be read.
    case broken(name: String, why: String)
    case remove(name: String)
    /// What a platform serves: all of it, or what has changed. Answered by `applied`.
    case routes(RoutingSnapshot, isWhole: Bool)
    /// All has been told: connections may come.
    case open
    case status(id: Int)
    /// Asks whether it lives, and what it has lost.
    case pulse(id: Int)
    /// What came of an exchange.
    case exchange(id: Int, [EgressEvent])
    case answer(id: Int, StoreAnswer)
    /// The Workers that somebody follows. Answered by `following`.
    case follow(id: Int, [String])
    /// About a call that another host makes, by its number.
    case service(id: Int, ExchangeOrder)
    /// Runs a script's handler.
    case run(id: Int, ScriptKey, ScheduledEvent)
    /// Evaluates a Worker's top level.
    case check(id: Int, StoredWorker, ScriptKey)
    /// By which the host proves who it is.
    case certificates([ServedCertificate])
    /// What was asked to be signed; nil if it was refused.
    case signed(id: Int, [UInt8]?)
    /// Whether it accepts connections itself, as the only host, or gets them by `connection`.
    case accept(Bool)
    /// A connection of that listener, and what of it another host has received and not answered. Its descriptor comes
    /// along.
    /// - Parameter staysForOne: whether its next request is answered, whatever it is.
    case connection(listener: Int, received: [UInt8], staysForOne: Bool)
    /// Takes no more connections, finishes what is under way, and ends.
    case drain

    private enum Kind: UInt8 {
        case hello = 1
        case put, broken, remove, open, status, drain, exchange, routes, answer, follow, run, check, certificates,
            signed, accept, connection, service, pulse
    }

    package var bytes: [UInt8] {
        var writer = WireWriter()
        func begin(_ kind: Kind) { writer.byte(kind.rawValue) }
        switch self {
        case .hello(let settings):
            begin(.hello)
            writer.value(settings)
        case .put(let definition):
            begin(.put)
            definition.write(to: &writer)
        case .broken(let name, let why):
            begin(.broken)
            writer.text(name)
            writer.text(why)
        case .remove(let name):
            begin(.remove)
            writer.text(name)
        case .routes(let routes, let isWhole):
            begin(.routes)
            routes.write(to: &writer)
            writer.flag(isWhole)
        case .open: begin(.open)
        case .status(let id):
            begin(.status)
            writer.number(id)
        case .pulse(let id):
            begin(.pulse)
            writer.number(id)
        case .exchange(let id, let events):
            begin(.exchange)
            writer.number(id)
            writer.list(events) { $1.write(to: &$0) }
        case .answer(let id, let answer):
            begin(.answer)
            writer.number(id)
            answer.write(to: &writer)
        case .service(let id, let order):
            begin(.service)
            writer.number(id)
            order.write(to: &writer)
        case .follow(let id, let names):
            begin(.follow)
            writer.number(id)
            writer.list(names) { $0.text($1) }
        case .run(let id, let key, let event):
            begin(.run)
            writer.number(id)
            key.write(to: &writer)
            writer.value(event)
        case .check(let id, let worker, let key):
            begin(.check)
            writer.number(id)
            worker.write(to: &writer)
            key.write(to: &writer)
        case .certificates(let certificates):
            begin(.certificates)
            writer.value(certificates)
        case .signed(let id, let signature):
            begin(.signed)
            writer.number(id)
            writer.optional(signature) { $0.blob($1) }
        case .accept(let isAccepting):
            begin(.accept)
            writer.flag(isAccepting)
        case .connection(let listener, let received, let staysForOne):
            begin(.connection)
            writer.number(listener)
            writer.blob(received)
            writer.flag(staysForOne)
        case .drain: begin(.drain)
        }
        return writer.bytes
    }

    package init(_ bytes: ArraySlice<UInt8>) throws(WireError) {
        guard let first = bytes.first, let kind = Kind(rawValue: first) else { throw WireError("no such frame") }
        var reader = WireReader(bytes.dropFirst())
        switch kind {
        case .hello: self = .hello(try reader.value(HostSettings.self))
        case .put: self = .put(try WorkerDefinition(from: &reader))
        case .broken: self = .broken(name: try reader.text(), why: try reader.text())
        case .remove: self = .remove(name: try reader.text())
        case .routes: self = .routes(try RoutingSnapshot(from: &reader), isWhole: try reader.flag())
        case .open: self = .open
        case .status: self = .status(id: try reader.number())
        case .pulse: self = .pulse(id: try reader.number())
        case .exchange:
            self = .exchange(
                id: try reader.number(),
                try reader.list(least: 1) { (reader) throws(WireError) in try EgressEvent(from: &reader) })
        case .answer: self = .answer(id: try reader.number(), try StoreAnswer(from: &reader))
        case .follow: self = .follow(id: try reader.number(), try reader.texts())
        case .service: self = .service(id: try reader.number(), try ExchangeOrder(from: &reader))
        case .run:
            self = .run(
                id: try reader.number(), try ScriptKey(from: &reader), try reader.value(ScheduledEvent.self))
        case .check:
            self = .check(id: try reader.number(), try StoredWorker(from: &reader), try ScriptKey(from: &reader))
        case .certificates: self = .certificates(try reader.value([ServedCertificate].self))
        case .signed:
            self = .signed(
                id: try reader.number(), try reader.optional { (reader) throws(WireError) in try reader.blob() })
        case .accept: self = .accept(try reader.flag())
        case .connection:
            self = .connection(
                listener: try reader.count(), received: try reader.blob(), staysForOne: try reader.flag())
        case .drain: self = .drain
        }
        try reader.end()
    }
}

extension WorkerDefinition {
    /// The modules' bytes apart: they are most of it, and no JSON.
    fileprivate func write(to writer: inout WireWriter) {
        var bare = self
        for index in bare.modules.indices { bare.modules[index].bytes = [] }
        bare.sourceMaps = [:]
        writer.value(bare)
        writer.list(modules) { $0.blob($1.bytes) }
        writer.list(sourceMaps) { writer, map in
            writer.text(map.key)
            writer.blob(map.value)
        }
    }

    fileprivate init(from reader: inout WireReader) throws(WireError) {
        self = try reader.value(WorkerDefinition.self)
        let blobs = try reader.list(least: 8) { (reader) throws(WireError) in try reader.blob() }
        guard blobs.count == modules.count else { throw WireError("\(blobs.count) modules of \(modules.count)") }
        for (index, blob) in blobs.enumerated() { modules[index].bytes = blob }
        let maps = try reader.list(least: 16) { (reader) throws(WireError) in (try reader.text(), try reader.blob()) }
        sourceMaps = Dictionary(maps) { first, _ in first }
    }
}
