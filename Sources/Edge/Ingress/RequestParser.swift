internal import Glibc
package import Model

/// Turns the bytes of a request's header into a `RequestHead`, as strictly as RFC 9112 allows and a little more (see
/// `HeaderScan`). No I/O, no strings, no memory but its own; one serves all connections of a lane.
package final class RequestParser {
    package enum Result: Equatable {
        /// The header is not complete.
        case needsMore
        case request(RequestFraming)
        case rejected(Rejection)
    }

    /// How far a header that came in pieces has been looked at, so that a client that sends byte by byte does not
    /// make us read everything again each time.
    package struct Progress {
        /// Bytes known not to hold the header's end.
        fileprivate var searched = 0
        /// Bytes from which on another try is worth its price even without an end, for the limits' sake.
        fileprivate var nextTry = 0

        package init() {}
    }

    /// Method, empty lines before it, version: what comes to the limits on top.
    private static let slack = 1 << 10

    /// No header is longer; more bytes than these never need be gathered.
    package let largestHeader: Int
    private let limits: HeaderScan.Limits
    private let scheme: HeaderScan.Scheme
    private let bytes: UnsafeMutablePointer<UInt8>
    private let ends: UnsafeMutablePointer<UInt32>

    package init(limits: IngressLimits, isSecure: Bool = false) {
        self.limits = HeaderScan.Limits(limits)
        scheme = isSecure ? .https : .http
        largestHeader = limits.urlBytes + limits.headerBytes + Self.slack
        // The URL holds the host once more, and a scheme.
        bytes = .allocate(capacity: largestHeader + HeaderScan.longestAuthority + Self.slack)
        ends = .allocate(capacity: 2 + 2 * (limits.headerFields + 1))
    }

    deinit {
        bytes.deallocate()
        ends.deallocate()
    }

    /// Parses a header at the beginning of `input`, which holds what has arrived of it from its first byte on.
    /// `progress` starts anew with each header. Only on `.request` is `head` changed.
    package func parse(
        _ input: UnsafeRawBufferPointer, progress: inout Progress, into head: inout RequestHead
    ) -> Result {
        guard let start = input.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return .needsMore }
        if progress.searched > 0, input.count < progress.nextTry, !hasEnd(start, input.count, &progress) {
            return .needsMore
        }
        var scan = HeaderScan(
            start, count: min(input.count, largestHeader), bytes: bytes, ends: ends, limits: limits,
            scheme: scheme)
        do throws(HeaderScan.Stop) {
            try scan.run()
        } catch .rejected(let rejection) {
            return .rejected(rejection)
        } catch {
            if input.count >= largestHeader { return .rejected(.oversizedHeader) }
            progress.searched = input.count
            progress.nextTry = 2 * input.count
            return .needsMore
        }
        let byteCount = scan.byteCount
        let endCount = scan.endCount
        head.edit { headBytes, headEnds in
            headBytes.removeAll(keepingCapacity: true)
            headBytes.append(contentsOf: UnsafeBufferPointer(start: bytes, count: byteCount))
            headEnds.removeAll(keepingCapacity: true)
            headEnds.append(contentsOf: UnsafeBufferPointer(start: ends, count: endCount))
        }
        return .request(scan.framing)
    }

    /// Whether an empty line has come since the last try, be it a malformed one.
    private func hasEnd(_ start: UnsafePointer<UInt8>, _ count: Int, _ progress: inout Progress) -> Bool {
        var next = start + max(0, progress.searched - 2)
        let end = start + count
        while let found = memchr(next, Int32(ASCII.lineFeed), end - next) {
            next = UnsafePointer(found.assumingMemoryBound(to: UInt8.self)) + 1
            if next < end, next[0] == ASCII.lineFeed { return true }
            if next + 1 < end, next[0] == ASCII.carriageReturn, next[1] == ASCII.lineFeed { return true }
        }
        progress.searched = count
        return false
    }
}
