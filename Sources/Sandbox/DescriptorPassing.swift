internal import CSandbox

/// Descriptors that travel over a Unix socket (unix(7), SCM_RIGHTS).
package enum DescriptorPassing {
    /// Sends bytes, of which there must be one at least, with a descriptor, which stays open here.
    /// - Returns: how many were sent; nil if the other side is gone.
    package static func send(_ bytes: ArraySlice<UInt8>, with descriptor: Int32, on socket: Int32) -> Int? {
        var descriptor = descriptor
        let count = bytes.withUnsafeBytes { csandbox_send(socket, $0.baseAddress!, $0.count, &descriptor, 1) }
        return count > 0 ? count : nil
    }

    private static let most = 16

    /// Receives bytes and adds the descriptors that came along.
    /// - Returns: how many bytes; 0 at the end; a negated errno.
    package static func receive(
        into bytes: UnsafeMutableRawBufferPointer, from socket: Int32, _ descriptors: inout [Int32]
    ) -> Int {
        withUnsafeTemporaryAllocation(of: Int32.self, capacity: most) { list in
            var count = most
            let result = csandbox_receive(socket, bytes.baseAddress!, bytes.count, list.baseAddress!, &count)
            if result >= 0 { descriptors += list[..<count] }
            return result
        }
    }
}
