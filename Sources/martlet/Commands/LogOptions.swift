import ArgumentParser
import Edge
import Glibc
import Model

/// How the log is written.
struct LogOptions: ParsableArguments {
    enum Format: String, ExpressibleByArgument {
        case json
        case text
    }

    @Option(help: "The log on stderr: json, an object a line, or text. By default text for dev, json for serve.")
    var logFormat: Format?

    /// - Parameter showsRequests: whether each request is told of, too.
    func sink(_ writer: LineWriter, or format: Format, showsRequests: Bool) -> any EventSink {
        switch logFormat ?? format {
        case .json: JSONLog(writer: writer, wantsRequests: showsRequests)
        case .text:
            ReadableLog(
                writer: writer, wantsRequests: showsRequests, namesWorkers: !showsRequests,
                hasColours: Terminal.hasColours(STDERR_FILENO))
        }
    }
}
