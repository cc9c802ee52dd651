internal import Glibc

/// A system call that failed: which one, and the kernel's reason.
package struct SystemCallError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The call's name, such as "epoll_ctl".
    package let call: String
    /// The value of `errno`.
    package let code: Int32

    /// Takes the calling thread's `errno`, unless a code is given.
    package init(_ call: String, code: Int32 = errno) {
        self.call = call
        self.code = code
    }

    package var description: String { "\(call): \(String(cString: strerror(code)))" }
}
