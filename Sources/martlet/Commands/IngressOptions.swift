import ArgumentParser
import Edge
import Model

/// Flags for what clients may ask of the ingress, shared by the commands.
struct IngressOptions: ParsableArguments {
    private static let defaults = IngressLimits()

    @Option(help: "Longest request URL, in KiB (414).")
    var urlKb = defaults.urlBytes >> 10
    @Option(help: "All header lines of a request together, in KiB (431).")
    var headerKb = defaults.headerBytes >> 10
    @Option(help: "Header lines of a request (431).")
    var headerFields = defaults.headerFields
    @Option(help: "Largest request body, in MiB (413).")
    var bodyMb = defaults.bodyBytes >> 20
    @Option(help: "Time for a request's header to arrive, in ms (408).")
    var headerTimeoutMs = defaults.headerMilliseconds
    @Option(help: "How long a connection may idle between requests, in ms.")
    var idleTimeoutMs = defaults.idleMilliseconds
    @Option(help: "How long a client may take nothing of its answer, in ms.")
    var writeStallMs = defaults.writeStallMilliseconds
    @Option(help: "How far a body may lag behind the least rate, in ms (408).")
    var bodyTimeoutMs = defaults.bodyMilliseconds
    @Option(name: .customLong("body-rate"), help: "The least rate at which a body has to arrive, in bytes a second.")
    var bodyBytesPerSecond = defaults.bodyBytesPerSecond
    @Option(help: "How long requests may go on after SIGTERM, in ms.")
    var drainMs = defaults.drainMilliseconds
    @Option(name: .customLong("http2-streams"), help: "Requests under way on one HTTP/2 connection.")
    var http2Streams = HTTP2Limits().streams
    @Option(name: .customLong("http2-resets"), help: "Requests that an HTTP/2 client may cancel in 30 s.")
    var http2Resets = HTTP2Limits().resets
    @Option(
        name: .customLong("http2-control-frames"), help: "PING, SETTINGS and PRIORITY frames of a connection in 30 s.")
    var http2ControlFrames = HTTP2Limits().controlFrames
    @Option(name: .customLong("http2-stream-errors"), help: "Malformed requests of an HTTP/2 connection in 30 s.")
    var http2StreamErrors = HTTP2Limits().streamErrors
    @Option(
        name: .customLong("http2-window-updates"), help: "WINDOW_UPDATE frames beyond two for each piece of an answer.")
    var http2WindowUpdates = HTTP2Limits().windowUpdates
    @Option(
        name: .customLong("proxy-protocol"),
        help: "Connections from ADDRESS or ADDRESS/BITS begin with the PROXY protocol, version 2. Repeatable.")
    var proxies: [String] = []
    @Option(help: "Connections at a time (503).")
    var connections = defaults.connections
    @Option(help: "Connections at a time from one address (429).")
    var connectionsPerAddress = defaults.connectionsPerAddress

    @Option(help: "This server's place in CF-Ray and request.cf, as three letters.")
    var colo = EdgeLocation().colo
    @Option(help: "The country of all clients, as two letters: in CF-IPCountry and request.cf.")
    var country: String?

    var location: EdgeLocation { EdgeLocation(colo: colo.uppercased(), country: country?.uppercased()) }

    func validate() throws {
        let values: [(String, Int, ClosedRange<Int>)] = [
            ("--url-kb", urlKb, 1...1_024), ("--header-kb", headerKb, 1...4_096),
            ("--header-fields", headerFields, 1...10_000),
            ("--body-mb", bodyMb, 0...1 << 20), ("--header-timeout-ms", headerTimeoutMs, 1...3_600_000),
            ("--idle-timeout-ms", idleTimeoutMs, 1...86_400_000), ("--write-stall-ms", writeStallMs, 1...3_600_000),
            ("--body-timeout-ms", bodyTimeoutMs, 1...3_600_000), ("--drain-ms", drainMs, 0...3_600_000),
            ("--http2-streams", http2Streams, 1...10_000), ("--http2-resets", http2Resets, 1...1_000_000),
            ("--http2-control-frames", http2ControlFrames, 1...1_000_000),
            ("--http2-stream-errors", http2StreamErrors, 1...1_000_000),
            ("--http2-window-updates", http2WindowUpdates, 1...1_000_000),
            ("--body-rate", bodyBytesPerSecond, 1...1 << 30), ("--connections", connections, 1...10_000_000),
            ("--connections-per-address", connectionsPerAddress, 1...10_000_000),
        ]
        let letters: [(String, String?, Int)] = [("--colo", colo, 3), ("--country", country, 2)]
        for case (let flag, let text?, let count) in letters
        where text.utf8.count != count || !text.utf8.allSatisfy({ UInt8(ascii: "a")...UInt8(ascii: "z") ~= $0 | 0x20 })
        {
            throw ValidationError("\(flag) takes \(count) letters, not '\(text)'.")
        }
        for (flag, value, range) in values where !range.contains(value) {
            throw ValidationError("\(flag) must be between \(range.lowerBound) and \(range.upperBound), not \(value).")
        }
        for text in proxies where AddressRange(text) == nil {
            throw ValidationError("--proxy-protocol takes ADDRESS or ADDRESS/BITS, not '\(text)'.")
        }
    }

    func settings(showsEveryOutcome: Bool) -> IngressSettings {
        var http2 = HTTP2Limits()
        http2.streams = http2Streams
        http2.resets = http2Resets
        http2.controlFrames = http2ControlFrames
        http2.streamErrors = http2StreamErrors
        http2.windowUpdates = http2WindowUpdates
        return IngressSettings(
            limits: limits, showsEveryOutcome: showsEveryOutcome, location: location, http2: http2,
            proxies: proxies.compactMap { AddressRange($0) })
    }

    private var limits: IngressLimits {
        var limits = IngressLimits()
        limits.urlBytes = urlKb << 10
        limits.headerBytes = headerKb << 10
        limits.headerFields = headerFields
        limits.bodyBytes = bodyMb << 20
        limits.headerMilliseconds = headerTimeoutMs
        limits.idleMilliseconds = idleTimeoutMs
        limits.writeStallMilliseconds = writeStallMs
        limits.bodyMilliseconds = bodyTimeoutMs
        limits.bodyBytesPerSecond = bodyBytesPerSecond
        limits.drainMilliseconds = drainMs
        limits.connections = connections
        limits.connectionsPerAddress = connectionsPerAddress
        return limits
    }

    /// In ms: the answers under way, then what waitUntil prolongs.
    func longestDrain(_ limits: Limits) -> Int { drainMs + limits.waitUntilSeconds * 1_000 }
}
