internal import CSandbox
internal import Glibc

/// Memory that two processes have in common. It has no name and goes with the last who has it.
package final class SharedMemory: @unchecked Sendable {
    // Sound as far as those who read and write it see to it: nothing here does.

    package let descriptor: Int32
    package let bytes: UnsafeMutableRawBufferPointer

    /// Makes a new one, all zeros.
    package init(size: Int) throws(SandboxError) {
        descriptor = csandbox_shared_memory(size)
        guard descriptor >= 0 else { throw SandboxError("memfd_create", code: descriptor) }
        do throws(SandboxError) {
            bytes = try Self.map(descriptor, size)
        } catch {
            close(descriptor)
            throw error
        }
    }

    /// Maps one that another process has made.
    package init(inherited descriptor: Int32, size: Int) throws(SandboxError) {
        self.descriptor = descriptor
        bytes = try Self.map(descriptor, size)
    }

    deinit {
        munmap(bytes.baseAddress, bytes.count)
        close(descriptor)
    }

    private static func map(_ descriptor: Int32, _ size: Int) throws(SandboxError) -> UnsafeMutableRawBufferPointer {
        let address = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0)
        guard let address, address != MAP_FAILED else { throw SandboxError("mmap", code: errno) }
        return UnsafeMutableRawBufferPointer(start: address, count: size)
    }
}
