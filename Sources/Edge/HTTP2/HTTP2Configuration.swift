package import Model
internal import NIOCore
package import NIOHTTP2

extension HTTP2Limits {
    /// The limits as SwiftNIO's handler takes them.
    /// - Parameter headerBytes: of one request's header.
    package func apply(
        to connection: inout NIOHTTP2Handler.ConnectionConfiguration,
        _ stream: inout NIOHTTP2Handler.StreamConfiguration, headerBytes: Int
    ) {
        let period = TimeAmount.seconds(Int64(period))
        connection.initialSettings = [
            HTTP2Setting(parameter: .maxConcurrentStreams, value: streams),
            HTTP2Setting(parameter: .maxHeaderListSize, value: headerBytes),
            HTTP2Setting(parameter: .initialWindowSize, value: streamWindow),
        ]
        connection.maximumSequentialEmptyDataFrames = emptyFrames
        connection.maximumBufferedControlFrames = waitingControlFrames
        // A header of the largest size in frames of the smallest largest size, and some more.
        connection.maximumSequentialContinuationFrames = headerBytes / (16 << 10) + 2
        connection.maximumConnectionGlitches = streamErrors
        connection.controlFrameRateLimit.maximumCount = controlFrames
        connection.controlFrameRateLimit.windowLength = period
        stream.streamResetFrameRateLimit.maximumCount = resets
        stream.streamResetFrameRateLimit.windowLength = period
        stream.streamErrorRateLimit.maximumCount = streamErrors
        stream.streamErrorRateLimit.windowLength = period
    }
}
