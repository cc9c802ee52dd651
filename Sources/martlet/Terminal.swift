import Glibc

/// What goes to a terminal may be coloured; what goes to a file or a pipe never is.
enum Terminal {
    enum Colour: String {
        case red = "31"
        case green = "32"
        case yellow = "33"
    }

    /// A terminal, whose owner does not mind (no-color.org).
    static func hasColours(_ descriptor: Int32) -> Bool {
        guard isatty(descriptor) == 1, getenv("NO_COLOR").map({ $0.pointee == 0 }) ?? true else { return false }
        return getenv("TERM").map { String(cString: $0) } != "dumb"
    }

    static func coloured(_ text: String, _ colour: Colour, on descriptor: Int32) -> String {
        hasColours(descriptor) ? "\u{1b}[\(colour.rawValue)m\(text)\u{1b}[0m" : text
    }
}
