/// What a client may ask of one HTTP/2 connection, beside what `IngressLimits` says of requests. Whoever goes too far
/// is sent GOAWAY with ENHANCE_YOUR_CALM.
package struct HTTP2Limits: Sendable, Equatable, Codable {
    /// Requests under way at a time; more are refused. `--http2-streams`.
    package var streams = 100
    /// Bytes of one request's body that the client may send before the worker reads them.
    package var streamWindow = 256 << 10
    /// The same for all requests of a connection together.
    package var connectionWindow = 1 << 20
    /// Bytes of answers that wait for the client; no further request is begun as long as there are more.
    package var unsentBytes = 1 << 20
    /// Frames that cancel a request, in `period`. A client that opens and cancels makes work and gets no answers. So
    /// many requests may also come that are refused because there are too many. `--http2-resets`.
    package var resets = 200
    /// PING, SETTINGS and PRIORITY frames, in `period`. `--http2-control-frames`.
    package var controlFrames = 200
    /// Errors of single requests, in `period`. `--http2-stream-errors`.
    package var streamErrors = 200
    /// WINDOW_UPDATE frames beyond two for each request and each piece of an answer. `--http2-window-updates`.
    package var windowUpdates = 1_000
    /// Empty DATA frames in a row that end nothing.
    package var emptyFrames = 4
    /// Answers to PING and SETTINGS that wait for the client to take them.
    package var waitingControlFrames = 256
    /// The seconds in which `resets`, `controlFrames` and `streamErrors` are counted.
    package var period = 30

    package init() {}
}
