package import Model

extension ServiceRequest {
    func write(to writer: inout WireWriter) {
        caller.write(to: &writer)
        writer.value(service)
        event.write(to: &writer)
        request.write(to: &writer)
        writer.optional(properties) { $0.value($1) }
        writer.number(chain.chain)
        writer.number(chain.count)
    }

    init(from reader: inout WireReader) throws(WireError) {
        let caller = try ScriptKey(from: &reader)
        let service = try reader.value(Service.self)
        let event = try WorkerEvent(from: &reader)
        guard event.hasCaller else { throw WireError("not a call") }
        let request = try EgressRequest(from: &reader)
        let properties = try reader.optional { (reader) throws(WireError) in try reader.value(RequestProperties.self) }
        self.init(
            caller: caller, service: service, event: event, request: request, properties: properties,
            chain: CallPosition(chain: try reader.unsigned(), count: try reader.count()))
    }
}

extension EgressExchange {
    /// Does what an order about an exchange says that is under way.
    package func obey(_ order: ExchangeOrder) {
        switch order {
        case .send(let bytes): send(bytes)
        case .finishSending: finishSending()
        case .consumed(let bytes): consumed(bytes)
        case .cancel: cancel()
        case .begin, .beginCache, .beginService: preconditionFailure("It has begun")
        }
    }
}

/// An exchange that is somewhere else: orders about it are told.
protocol OrderedExchange: EgressExchange {
    func order(_ order: ExchangeOrder)
}

extension OrderedExchange {
    func send(_ bytes: [UInt8]) { order(.send(bytes)) }
    func finishSending() { order(.finishSending) }
    func consumed(_ bytes: Int) { order(.consumed(bytes)) }
    func cancel() { order(.cancel) }
}
