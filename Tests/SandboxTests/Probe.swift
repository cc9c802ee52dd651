import CAttacks
import Foundation
import Sandbox

/// What became of one attempt from inside.
struct Attempt {
    /// What the process could not do any more by the time of the attempt, and what it still could.
    var held: [String] = []
    var refused: [String] = []
    /// 0 or more if it worked, else a negated errno; nil if the process did not live to tell.
    var result: Int?
    /// The process's end, as waitpid(2) gives it.
    var end: Int32 = 0
    /// How often the kernel ended it for want of memory.
    var kills: Int?
    /// That of the probe.
    var process: pid_t = 0

    /// Whether the kernel ended the process for what it called.
    var isFatal: Bool { end & 0x7f == SIGSYS }
    /// An exec that works tells nothing.
    var hasWorked: Bool { (result ?? (end == 0 ? 0 : -1)) >= 0 }

    func holds(_ text: String) -> Bool { held.contains { $0.contains(text) } }
}

/// The program that locks itself in and tries something (Tests/SandboxProbe).
enum Probe {
    private static let binary: URL = {
        let bundle = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return URL(filePath: bundle).deletingLastPathComponent().appending(path: "SandboxProbe")
    }()

    static func attempt(_ name: String, layers: SandboxPolicy.Layers, isApart: Bool) throws -> Attempt {
        try run([isApart ? "apart" : "together", String(layers.rawValue), name])
    }

    /// In a control group, locked in wholly.
    static func attempt(_ name: String, megabytes: Int, threads: Int) throws -> Attempt {
        try run(["bounded", String(megabytes), String(threads), name])
    }

    private static func run(_ arguments: [String]) throws -> Attempt {
        let process = Process()
        process.executableURL = binary
        process.arguments = arguments
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        process.waitUntilExit()
        var attempt = Attempt()
        attempt.process = process.processIdentifier
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ", maxSplits: 2).map(String.init)
            switch words.first {
            case "measure" where words[1] == "held": attempt.held.append(words[2])
            case "measure": attempt.refused.append(words[2])
            case "result": attempt.result = Int(words[1])
            case "end": attempt.end = Int32(words[1])!
            case "kills": attempt.kills = Int(words[1])
            default: throw SandboxError("the probe says: \(line)")
            }
        }
        return attempt
    }

    static let attacks = names(in: cattacks())
    static let needs = names(in: cattacks_needs())

    private static func names(in list: UnsafePointer<cattack>) -> [String] {
        var names: [String] = []
        var entry = list
        while let name = entry.pointee.name {
            names.append(String(cString: name))
            entry += 1
        }
        return names
    }
}
