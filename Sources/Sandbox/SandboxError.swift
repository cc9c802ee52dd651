internal import Glibc

/// The kernel refused something: one line for people.
package struct SandboxError: Error, Equatable, Sendable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }

    /// - Parameter code: of errno, positive or negated.
    init(_ what: String, code: Int32) { description = "\(what): \(Self.text(of: code))" }

    static func text(of code: Int32) -> String { String(cString: strerror(abs(code))) }
}
