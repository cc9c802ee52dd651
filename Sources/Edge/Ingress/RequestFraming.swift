/// What the header of a request says about the rest of it and about the connection.
package struct RequestFraming: Equatable, Sendable {
    package enum Body: Equatable, Sendable {
        case none
        /// That many bytes, at least one.
        case length(Int)
        case chunked
    }

    /// Bytes of the header, with its empty line.
    package var headerBytes = 0
    package var body = Body.none
    /// The answer has no body.
    package var isHead = false
    /// The client speaks HTTP/1.0: it does not know chunks.
    package var isVersion10 = false
    /// The client would use the connection again.
    package var keepsAlive = true
    /// The client would use another protocol, if the field Upgrade says which.
    package var namesUpgrade = false
    /// The client waits for 100 before it sends the body.
    package var expectsContinue = false

    package init() {}
}
