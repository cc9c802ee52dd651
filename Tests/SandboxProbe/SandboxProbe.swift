import CAttacks
import Glibc
import Sandbox

/// A process that locks itself in as a host does, and then tries one thing that it must not be able to do.
///
/// Called as `SandboxProbe apart|together LAYERS ATTACK`, where LAYERS is the raw value of `SandboxPolicy.Layers`, it
/// starts itself once more, so, and prints:
///
///     measure held NAME
///     measure refused NAME: WHY
///     result NUMBER          0 or more if the attack worked, else a negated errno; missing if it ended the process
///     end STATUS             of waitpid(2)
///
/// Called as `SandboxProbe bounded MEMORY_MB THREADS ATTACK`, it does the same with all layers in a control group, and
/// prints at last:
///
///     kills NUMBER           of the group's processes that the kernel ended for want of memory
@main
enum SandboxProbe {
    static func main() throws {
        let arguments = CommandLine.arguments
        if arguments.count == 5, arguments[1] == "inside" {
            attack(arguments[4], layers: Int(arguments[2])!, port: UInt16(arguments[3])!)
        } else if arguments.count == 4 {
            try launch(isApart: arguments[1] == "apart", layers: arguments[2], attack: arguments[3])
        } else if arguments.count == 5, arguments[1] == "bounded" {
            let limits = ControlGroups.Limits(memory: Int(arguments[2])! << 20, threads: Int(arguments[3])!)
            guard let group = try ControlGroups(limits: limits).make() else { exit(69) }
            let layers = SandboxPolicy.Layers.all.rawValue
            try launch(isApart: true, layers: String(layers), attack: arguments[4], in: group)
            say("kills \(group.memoryKills)")
            group.remove()
        } else {
            say("usage: SandboxProbe apart|together LAYERS ATTACK")
            exit(64)
        }
    }

    private static func launch(
        isApart: Bool, layers: String, attack: String, in group: ControlGroup? = nil
    ) throws {
        let sockets = Sockets()
        let child = try Child.start(
            ["inside", layers, String(sockets.port), attack], environment: [],
            descriptors: [0, 1, 2, sockets.listener, sockets.connected, sockets.unconnected, sockets.datagram],
            isApart: isApart, group: group)
        if let refusal = child.groupRefusal { throw SandboxError(refusal) }
        say("end \(child.wait())")
    }

    private static func attack(_ name: String, layers: Int, port: UInt16) {
        var policy = SandboxPolicy()
        policy.layers = SandboxPolicy.Layers(rawValue: layers)
        policy.firstOwnDescriptor = Int32(CATTACKS_CONNECTED)
        cattacks_set_port(port)
        if layers != 0 {
            for measure in policy.lock() {
                say(measure.refusal.map { "measure refused \(measure.name): \($0)" } ?? "measure held \(measure.name)")
            }
        }
        let lists = [cattacks(), cattacks_needs(), cattacks_floods()]
        guard let run = lists.lazy.compactMap({ find(name, in: $0) }).first else { exit(64) }
        say("result \(run())")
    }

    private static func find(_ name: String, in list: UnsafePointer<cattack>) -> (@convention(c) () -> Int)? {
        var entry = list
        while let candidate = entry.pointee.name {
            if String(cString: candidate) == name { return entry.pointee.run }
            entry += 1
        }
        return nil
    }

    private static func say(_ line: String) {
        let bytes = Array("\(line)\n".utf8)
        _ = write(1, bytes, bytes.count)
    }
}

/// What the process is given, in the order of CAttacks.h.
private struct Sockets {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    let connected = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    let unconnected = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    let datagram = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
    let port: UInt16

    init() {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let (listener, connected) = (listener, connected)
        withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                precondition(bind(listener, pointer, length) == 0 && listen(listener, 8) == 0)
                getsockname(listener, pointer, &length)
                precondition(connect(connected, pointer, length) == 0)
            }
        }
        port = UInt16(bigEndian: address.sin_port)
    }
}
