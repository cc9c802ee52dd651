internal import Isolates
internal import Model
internal import Synchronization
internal import WebAPI

// fetch(), as far as it is the host's.

extension Instance: FetchHost {
    func startFetch(_ fetch: FetchRequest) throws(OpError) -> Int {
        guard let context = current else { throw .type("A subrequest needs a request to belong to") }
        let subrequests = context.subrequests ?? Subrequests(limits: worker.definition.limits, account: line.share)
        context.subrequests = subrequests
        try subrequests.require()
        worker.counts.addSubrequest()
        guard fetch.url.utf8.count + fetch.fields.count <= Self.longestHead else {
            throw .type("The URL and the headers of a subrequest are larger than \(Self.longestHead >> 10) KiB")
        }
        let destination = try destination(of: fetch)
        let mayUpgrade =
            switch destination {
            case .egress: if case .cache = fetch.destination { false } else { true }
            case .service: true
            case .assets: false
            }
        let isToService = if case .egress = destination { false } else { true }
        let isMarked = if case .cache = fetch.destination { false } else { true }
        let head = fetch.fields.withUnsafeBytes { fields in
            SubrequestHead.make(
                method: fetch.method, url: fetch.url, fields: fields,
                incoming: isMarked ? context.exchange.head : nil, isToService: isToService)
        }
        let coding = Self.coding(of: head)
        var source: HostBody?
        let body: EgressRequest.Body
        switch fetch.body {
        case .none: body = mayUpgrade && WebSocketHandshake.isAskedFor(by: head) ? .upgrade : .none
        case .bytes(let bytes): body = bytes.isEmpty ? .none : .bytes(bytes)
        case .stream(let length): body = .stream(length: length)
        case .host(let id):
            let held = try hostBody(id)
            source = held
            if let whole = try held.takeWhole(coded: coding) {
                body = whole.isEmpty ? .none : .bytes(whole)
                source = nil
            } else {
                body = .stream(length: held.length(coded: coding))
            }
        }
        let id = openTicket(for: context)
        let via =
            if case .origin = fetch.destination { zoneServer(for: fetch.url, of: context) } else {
                OriginServer?.none
            }
        guard
            let subrequest = Subrequest(
                id, EgressRequest(head: head, body: body, via: via, account: worker.definition.account),
                to: destination, of: context, isFollowed: fetch.isFollowed)
        else {
            dropTicket(id)
            throw .range("The worker has no memory left for the request's body")
        }
        if let source { try subrequest.send(from: source, coded: coding) }
        subrequests.add(subrequest)
        return id
    }

    private func destination(of fetch: FetchRequest) throws(OpError) -> Subrequest.Destination {
        switch fetch.destination {
        case .origin: return .egress(lane.egress)
        case .cache(let details):
            guard let cache = lane.placement.cache,
                let door = CacheDoor(cache, account: worker.definition.account, details)
            else { throw OpError("Error", "There are no caches here.") }
            return .egress(door)
        case .binding(let place):
            if bindings.indices.contains(place), case .assets = bindings[place].value, let assets = worker.assets {
                return .assets(assets)
            }
            return .service(try service(place), .fetch)
        }
    }

    /// A fetch within the zone that the request came to goes to what stands behind it, and not to a Worker of it.
    private func zoneServer(for url: String, of context: RequestContext) -> OriginServer? {
        guard lane.placement.hasOrigins.load(ordering: .acquiring), !worker.definition.account.isEmpty,
            context.exchange.event == .fetch,
            !compatibility.enabled.contains("global_fetch_strictly_public")
        else { return nil }
        return lane.placement.origin(
            behind: SubrequestHead.host(of: context.exchange.head), and: SubrequestHead.host(ofURL: url),
            of: worker.definition.account)
    }

    /// Bytes of a subrequest's URL and fields together.
    private static let longestHead = 128 << 10

    private static func coding(of head: RequestHead) -> ContentCoding? {
        head.firstValue(of: "content-encoding").flatMap { ContentCoding(named: String(decoding: $0, as: UTF8.self)) }
    }

    func fetchHead(_ fetch: Int) throws(OpError) -> EgressResponseHead {
        guard let head = subrequest(fetch)?.head else { throw .type("There is no answer to that subrequest") }
        return head
    }

    func writeFetch(_ fetch: Int, _ bytes: UnsafeRawBufferPointer) throws(OpError) -> SendProgress {
        try subrequest(fetch)?.send(bytes) ?? .ended
    }

    func finishFetch(_ fetch: Int) { subrequest(fetch)?.finishSending() }

    func abortFetch(_ fetch: Int) -> Int {
        guard let subrequest = subrequest(fetch) else { return 0 }
        let ticket = subrequest.abort()
        forget(subrequest)
        if ticket != 0 { dropTicket(ticket) }
        return ticket
    }

    func coding(ofBody body: Int) -> String? { subrequest(body)?.body.map { $0.coding?.rawValue ?? "" } }

    /// A subrequest of the request under way, or else of any other that is not over.
    func subrequest(_ id: Int) -> Subrequest? {
        if let known = current?.subrequests?.all[id] { return known }
        for context in requests.values {
            if let known = context.subrequests?.all[id] { return known }
        }
        return nil
    }

    /// The body of a request or of a subrequest's answer.
    func hostBody(_ id: Int) throws(OpError) -> HostBody {
        if let body = requests[id]?.body { return body }
        guard let subrequest = subrequest(id), let body = subrequest.body else {
            throw .type("The request is over, and its body with it")
        }
        guard current == nil || subrequest.context === current else {
            throw OpError(
                "Error",
                """
                Cannot perform I/O on behalf of a different request. I/O objects (such as streams, request/response \
                bodies, and others) created in the context of one request handler cannot be accessed from a different \
                request's handler.
                """)
        }
        return body
    }

    // MARK: Told by subrequests

    /// A connection of the request's is free.
    func connectionClosed(of context: RequestContext) { context.subrequests?.beginNext() }

    /// Nobody will ask for it any more.
    func forget(_ subrequest: Subrequest) { subrequest.context.subrequests?.remove(subrequest) }

    func answerWasRead(_ subrequest: Subrequest, isFollowed: Bool) {
        enqueue { [self] in
            forget(subrequest)
            if isFollowed { tell(.fetchEnded, .number(Double(subrequest.id))) }
        }
    }

    /// Frees a connection if all have answers that nobody reads while others wait.
    func breakDeadlock(of context: RequestContext) {
        guard let subrequests = context.subrequests, context.timers.isEmpty, context.pump == nil,
            subrequests.isDeadlocked(openTickets: context.openTickets), let stalled = subrequests.leastRecentlyRead
        else { return }
        let message = """
            A stalled HTTP response was canceled to prevent deadlock: all connections that the request may have at a \
            time hold responses whose bodies nobody reads, and other subrequests wait. Read each body, or call \
            response.body.cancel().
            """
        log(level: "warn", text: message, for: context)
        stalled.evict()
    }
}
