internal import Foundation
package import Model

/// Logs for people, under `martlet dev`: what the worker logs, and a line for each request.
package final class ReadableLog: EventSink {
    private let writer: LineWriter
    package let wantsRequests: Bool
    package let wantsRays = false
    private let namesWorkers: Bool
    private let hasColours: Bool

    /// - Parameter namesWorkers: whether each line says whose it is.
    package init(
        writer: LineWriter, wantsRequests: Bool = true, namesWorkers: Bool = false, hasColours: Bool = false
    ) {
        self.writer = writer
        self.wantsRequests = wantsRequests
        self.namesWorkers = namesWorkers
        self.hasColours = hasColours
    }

    package func log(_ event: LogEvent) {
        let mark =
            switch event.level {
            case "error": hasColours ? "\u{1b}[31m\u{2718}\u{1b}[0m " : "\u{2718} "
            case "warn": hasColours ? "\u{1b}[33m!\u{1b}[0m " : "! "
            default: "  "
            }
        let name = namesWorkers && !event.worker.isEmpty ? "\(event.worker): " : ""
        for line in event.text.split(separator: "\n", omittingEmptySubsequences: false) {
            writer.write(mark + name + LogText.escaped(line))
        }
    }

    package func requestEnded(_ event: RequestEvent) {
        let wall = LogText.milliseconds(event.wallTime)
        let cpu = LogText.milliseconds(event.cpuTime)
        let note = event.outcome == .ok ? "" : " \(event.outcome.rawValue)"
        let start = event.isColdStart ? ", cold start" : ""
        let url = LogText.escaped(event.url[...])
        guard event.event == .fetch else {
            writer.write("\(event.method) \(url) \(event.outcome.rawValue) (\(wall) ms, \(cpu) ms CPU\(start))")
            return
        }
        writer.write("\(event.method) \(url) \(event.status)\(note) (\(wall) ms, \(cpu) ms CPU\(start))")
    }
}

/// Logs for programs, under `martlet serve`: one JSON object a line. There, requests are counted on the status
/// page, not logged.
package final class JSONLog: EventSink {
    private struct Line: Encodable {
        let time: String
        let level: String
        let worker: String?
        let request: Int?
        let ray: String?
        let message: String
    }

    private let writer: LineWriter
    package let wantsRequests: Bool
    package let wantsRays = true

    package init(writer: LineWriter, wantsRequests: Bool = false) {
        self.writer = writer
        self.wantsRequests = wantsRequests
    }

    package func log(_ event: LogEvent) {
        let line = Line(
            time: Date.ISO8601FormatStyle(includingFractionalSeconds: true).format(Date()), level: event.level,
            worker: event.worker.isEmpty ? nil : event.worker, request: event.request == 0 ? nil : event.request,
            ray: event.ray, message: event.text)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let json = try? encoder.encode(line) else { return }
        writer.write(String(decoding: json, as: UTF8.self))
    }

    package func requestEnded(_ event: RequestEvent) {
        guard wantsRequests || !event.event.hasCaller else { return }
        let wall = LogText.milliseconds(event.wallTime)
        let cpu = LogText.milliseconds(event.cpuTime)
        let status = event.event == .fetch ? "\(event.status) " : ""
        let text = "\(event.method) \"\(event.url)\": \(status)\(event.outcome.rawValue) (\(wall) ms, \(cpu) ms CPU)"
        let level = event.outcome == .ok ? "info" : "error"
        log(LogEvent(worker: event.worker, request: 0, level: level, text: text))
    }
}

enum LogText {
    /// Control characters shown, so that a worker cannot write to the terminal's state.
    static func escaped(_ text: Substring) -> String {
        guard text.unicodeScalars.contains(where: isControl) else { return String(text) }
        return text.unicodeScalars.reduce(into: "") { result, scalar in
            if isControl(scalar) {
                result += "\\x" + String(scalar.value, radix: 16)
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x20 && scalar != "\t" || (0x7F...0x9F).contains(scalar.value)
    }

    static func milliseconds(_ nanoseconds: UInt64) -> String {
        let tenths = (nanoseconds + 50_000) / 100_000
        return "\(tenths / 10).\(tenths % 10)"
    }
}
