import Glibc

/// What goes to a terminal may be coloured; what goes to a file or a pipe never is.
enum Terminal {
    enum Colour: String {
        case red = "31"
        case green = "32"
        case yellow = "33"
    }

    /// Whether the terminal that this process was started at is gone. Its end sends SIGHUP, as others do who mean more.
    static var isHungUp: Bool {
        (0...2).contains { descriptor in
            var entry = pollfd(fd: Int32(descriptor), events: 0, revents: 0)
            return isatty(Int32(descriptor)) == 0 && errno == EIO
                || poll(&entry, 1, 0) > 0 && entry.revents & Int16(POLLHUP) != 0 && ttyname(Int32(descriptor)) != nil
        }
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
