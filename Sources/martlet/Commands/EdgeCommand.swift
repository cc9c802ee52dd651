import ArgumentParser
import Edge
import Feed
import Glibc
import JetStream
import Model
import Store
import Supervisor

/// `martlet edge`: a location that serves a copy of what is deployed at a control node.
struct EdgeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "edge", abstract: "Serves a copy of what is deployed, as one of many locations.",
        discussion: """
            The copy is kept in a folder of its own and served whether the control node can be reached or not. \
            'martlet location add' makes the credentials.
            """)

    @Option(
        help: """
            Where the feed is: http(s)://HOST:PORT of the control node's admin port, or nats://HOST:PORT or \
            tls://HOST:PORT of a NATS server that it publishes to, or several with commas between them, the nearest \
            first.
            """)
    var join: String
    @Option(help: "A file of certificates (PEM) that the feed's https may show, besides the system's.")
    var joinCa: String?
    @OptionGroup var nats: NATSOptions
    @Option(help: "The file that 'martlet location add' made.")
    var credentials: String
    @Option(help: "The location's id. By default that of the credentials.")
    var location: String?
    @Option(help: "The folder of the copy. Made at the first start.")
    var data: String
    @Option(help: "Workers answer on SCRIPT.SUBDOMAIN.BASE-DOMAIN.")
    var baseDomain = "localhost"
    @OptionGroup var hosting: HostingOptions
    @OptionGroup var schedules: ScheduleOptions

    func validate() throws {
        guard HostName.isValid(baseDomain.lowercased()) else {
            throw ValidationError("--base-domain must be a domain name, not '\(baseDomain)'.")
        }
    }

    func run() throws {
        SignalWait.block([SIGHUP])
        let handover = try Handover()
        let writer = LineWriter(descriptor: 2)
        let log = hosting.logs.sink(writer, or: .json, showsRequests: false)
        let (credentials, connector, rule) = try identity()
        let store = try EdgeServer.open(data, credentials, handover)
        let way = try Server.egress(hosting.egress.settings)
        let tails = EdgeTails()
        let supervised = try Supervised(
            hosting, options: try options(credentials, log), handover: handover, data: data, log: log,
            door: CordonDoor(baseDomain: baseDomain.lowercased()), zones: store
        ) { cache, certificates in
            HostServices(
                egress: way, limits: hosting.egress.settings.limits, cache: cache, store: store, traces: tails,
                certificates: certificates, events: log)
        }
        let edge = try EdgeServer(
            supervised: supervised, store: store, tails: tails, credentials: credentials, connector: connector,
            schedules: rule, clock: schedules.clock, log: log)
        try edge.start(adminHost: hosting.adminHost, adminPort: hosting.adminPort)
        supervised.runUntilSignal(
            writer: writer, longestDrain: hosting.longestDrain,
            Supervised.Company(pause: { edge.pause() }, resume: { edge.resume() }, isAlone: { store.tell() }))
    }

    private func options(
        _ credentials: LocationCredentials, _ log: any EventSink
    ) throws(CleanFailure) -> Supervisor.Options {
        var options = try hosting.options(.platform(baseDomain: baseDomain.lowercased()), log: log)
        // In capitals, as request.cf has it.
        options.host.location?.colo = credentials.location.uppercased()
        return options
    }

    /// Who this location is, and how it reaches its feed.
    private func identity() throws(CleanFailure) -> (LocationCredentials, any FeedConnector, EdgeClaims.Rule) {
        do {
            let addresses = try FeedAddress.list(join)
            let credentials = try LocationCredentials.read(self.credentials)
            guard location?.lowercased() ?? credentials.location == credentials.location else {
                throw CleanFailure(
                    "\(self.credentials) is for location '\(credentials.location)', not '\(location ?? "")'")
            }
            switch addresses[0].way {
            case .http, .https:
                guard addresses.count == 1 else {
                    throw CleanFailure("--join: a control node has one address; NATS servers can be several")
                }
                let connector = try DirectConnector(addresses[0], token: credentials.token, authorities: joinCa)
                return (credentials, connector, .deputy)
            case .nats, .tls:
                let settings = try nats.settings(addresses)
                let connector = NATSConnector(settings, credentials: credentials)
                // Who has some accounts only would run the schedules of some only.
                guard credentials.accounts == nil else { return (credentials, connector, .deputy) }
                let claims = NATSClaims(
                    settings, installation: credentials.installation, location: credentials.location)
                return (credentials, connector, .first { try claims.take(minute: $0) })
            }
        } catch {
            throw error as? CleanFailure ?? CleanFailure("\(error)")
        }
    }
}
