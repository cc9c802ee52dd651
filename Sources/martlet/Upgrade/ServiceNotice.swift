import CLinux
import Glibc

/// Word to whoever manages services, such as systemd (sd_notify(3)).
enum ServiceNotice {
    private static let variable = "NOTIFY_SOCKET"

    /// This service serves.
    static func ready() { send("READY=1") }

    /// This service ends.
    static func stopping() { send("STOPPING=1") }

    private static func send(_ text: String) {
        guard let path = getenv(variable).map({ String(cString: $0) }), path.hasPrefix("/") || path.hasPrefix("@")
        else {
            return
        }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var name = Array(path.utf8)
        let room = MemoryLayout.size(ofValue: address.sun_path)
        guard name.count < room else { return }
        // An abstract name begins with a zero.
        if name[0] == UInt8(ascii: "@") { name[0] = 0 }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + name.count)
        let bytes = Array(text.utf8)
        _ = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL), $0, length)
            }
        }
    }
}
