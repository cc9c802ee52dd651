package import Model

// What hosts tell of their Workers.

extension LogEvent {
    static let levels: Set<String> = ["debug", "log", "info", "warn", "error", "trace"]

    func write(to writer: inout WireWriter) {
        writer.text(worker)
        writer.number(request)
        writer.text(level)
        writer.text(text)
        writer.optional(ray) { $0.text($1) }
    }

    init(from reader: inout WireReader) throws(WireError) {
        let worker = try reader.text()
        let request = try reader.count()
        let level = try reader.text()
        guard Self.levels.contains(level) else { throw WireError("no such level") }
        let text = try reader.text()
        guard text.utf8.count <= FromHost.longestText else { throw WireError("a log line is too long") }
        self.init(worker: worker, request: request, level: level, text: text)
        ray = try reader.optional { (reader) throws(WireError) in try reader.text() }
    }

    /// The event with as much of its text as may cross.
    package var cut: LogEvent {
        guard text.utf8.count > FromHost.longestText else { return self }
        let mark = "... (cut)"
        var event = self
        event.text =
            String(decoding: text.utf8.prefix(FromHost.longestText - mark.utf8.count - 8), as: UTF8.self) + mark
        return event
    }
}

extension RequestEvent {
    func write(to writer: inout WireWriter) {
        for text in [worker, method, url, outcome.rawValue] { writer.text(text) }
        writer.number(status)
        writer.number(wallTime)
        writer.number(cpuTime)
        writer.flag(isColdStart)
        event.write(to: &writer)
    }

    init(from reader: inout WireReader) throws(WireError) {
        let (worker, method, url) = (try reader.text(), try reader.text(), try reader.text())
        guard let outcome = Outcome(rawValue: try reader.text()) else { throw WireError("no such outcome") }
        let status = try reader.count()
        guard status < 1_000 else { throw WireError("no such status") }
        self.init(
            worker: worker, method: method, url: url, status: status, outcome: outcome,
            wallTime: try reader.unsigned(), cpuTime: try reader.unsigned(), isColdStart: try reader.flag(),
            event: try WorkerEvent(from: &reader))
    }
}

extension WorkerEvent {
    func write(to writer: inout WireWriter) {
        // Nearly all are requests.
        writer.flag(self != .fetch)
        if self != .fetch { writer.value(self) }
    }

    init(from reader: inout WireReader) throws(WireError) {
        self = try reader.flag() ? try reader.value(WorkerEvent.self) : .fetch
    }
}

extension Trace {
    func write(to writer: inout WireWriter) {
        for text in [worker, version, outcome.rawValue] { writer.text(text) }
        writer.optional(entrypoint) { $0.text($1) }
        event.write(to: &writer)
        head.write(to: &writer)
        writer.optional(properties) { $0.value($1) }
        writer.value(time)
        writer.value(logs)
        writer.value(failures)
        writer.number(status)
        writer.number(wallTime)
        writer.number(cpuTime)
    }

    init(from reader: inout WireReader) throws(WireError) {
        let (worker, version) = (try reader.text(), try reader.text())
        guard let outcome = Outcome(rawValue: try reader.text()) else { throw WireError("no such outcome") }
        let entrypoint = try reader.optional { (reader) throws(WireError) in try reader.text() }
        let event = try WorkerEvent(from: &reader)
        let head = try RequestHead(from: &reader)
        let properties = try reader.optional { (reader) throws(WireError) in try reader.value(RequestProperties.self) }
        self.init(
            worker: worker, version: version, entrypoint: entrypoint, event: event, head: head, properties: properties,
            time: try reader.value(Timestamp.self), logs: try reader.value([Log].self),
            failures: try reader.value([Failure].self))
        self.outcome = outcome
        status = try reader.count()
        guard status < 1_000 else { throw WireError("no such status") }
        wallTime = try reader.unsigned()
        cpuTime = try reader.unsigned()
    }
}
