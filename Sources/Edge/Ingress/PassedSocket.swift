/// A client's socket on its way from one process to another.
package struct PassedSocket: Sendable {
    /// Bytes that the one who had it may have received: whole requests, or a part of one.
    package static let mostReceived = InputBuffer.blockSize

    package var descriptor: Int32
    /// What was received of it and not answered.
    package var received: [UInt8]
    /// Its first request is answered where it goes to now, whatever it is.
    package var staysForOne: Bool

    package init(_ descriptor: Int32, received: [UInt8] = [], staysForOne: Bool = false) {
        self.descriptor = descriptor
        self.received = received
        self.staysForOne = staysForOne
    }
}
