import Foundation
import Testing

/// A worker with what must come of requests to it: a folder of `Tests/Workers` with the worker's files and a
/// `case.json`.
struct WorkerCase: Decodable {
    struct Request: Decodable {
        var method: String?
        /// As sent: "/" if not given.
        var path: String?
        /// Name and value in turn, so that names may repeat.
        var headers: [[String]]?
        var body: String?

        /// 200 if not given.
        var status: Int?
        /// What Martlet-Outcome says; "ok" if not given.
        var outcome: String?
        /// The number in an error page.
        var error: Int?
        /// Every value of a field, in order; an empty list if it must not be there. Values as Latin-1.
        var fields: [String: [String]]?
        var text: String?
        var json: JSON?
    }

    /// What the case is about, in a sentence.
    var about: String
    var flags: [String]?
    var requests: [Request]
    /// Lines that the log must hold in this order, others between them. A star stands for any text.
    var log: [String]?
    /// What none of the log's lines may hold.
    var never: [String]?

    static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../Workers").standardized

    static func path(_ name: String) -> String { folder.appending(path: name).path }

    /// A file that test cases share.
    static func file(_ name: String) -> Data { (try? Data(contentsOf: folder.appending(path: name))) ?? Data() }

    static let names: [String] = {
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return entries.filter { FileManager.default.fileExists(atPath: path("\($0)/case.json")) }.sorted()
    }()

    init(named name: String) throws {
        do {
            let data = try Data(contentsOf: Self.folder.appending(path: "\(name)/case.json"))
            self = try JSONDecoder().decode(WorkerCase.self, from: data)
        } catch {
            throw Failure("\(name)/case.json: \(error)")
        }
    }
}

@Suite("Worker cases") struct WorkerCaseTests {
    @Test func thereAreCases() { #expect(WorkerCase.names.count > 30) }

    @Test(arguments: WorkerCase.names)
    func workerCase(_ name: String) throws {
        let test = try WorkerCase(named: name)
        let martlet = try Martlet.dev(WorkerCase.path(name), test.flags ?? [])
        for request in test.requests {
            try check(request, on: martlet)
        }
        var seen: [String] = []
        for expected in test.log ?? [] {
            let pattern = Pattern(expected)
            do {
                try martlet.logLine { line in
                    seen.append(line)
                    return pattern.matches(line)
                }
            } catch {
                throw Failure("no line '\(expected)': \(error)")
            }
        }
        seen += martlet.logSoFar()
        for text in test.never ?? [] {
            #expect(!seen.contains { $0.contains(text) }, "the log holds '\(text)'")
        }
    }

    /// Each on a connection of its own: cases are about workers, not about connections.
    private func check(_ request: WorkerCase.Request, on martlet: Martlet) throws {
        let method = request.method ?? "GET"
        let path = request.path ?? "/"
        let client = try martlet.client()
        let fields = (request.headers ?? []).map { ($0[0], $0[1]) }
        try client.send(method, path, fields: fields, body: request.body.map { Array($0.utf8) })
        let answer = try client.answer(by: .patient)
        let place = "\(method) \(path)"
        let summary = answer.summary
        #expect(answer.status == request.status ?? 200, "\(place): \(summary)")
        #expect(answer.outcome == request.outcome ?? "ok", "\(place): \(summary)")
        if let number = request.error { #expect(answer.errorNumber == number, "\(place): \(summary)") }
        for (name, values) in request.fields ?? [:] {
            #expect(answer.values(of: name) == values, "\(place): \(name)")
        }
        if let text = request.text { #expect(answer.text == text, "\(place)") }
        if let expected = request.json {
            for difference in try answer.json().differences(from: expected) { Issue.record("\(place): \(difference)") }
        }
    }
}

/// Text with stars that stand for anything.
private struct Pattern {
    private let pieces: [Substring]

    init(_ text: String) { pieces = text.split(separator: "*", omittingEmptySubsequences: false) }

    func matches(_ line: String) -> Bool {
        guard let first = pieces.first, let last = pieces.last, line.hasPrefix(first) else { return false }
        guard pieces.count > 1 else { return line == first }
        var rest = line.dropFirst(first.count)
        for piece in pieces.dropFirst().dropLast() where !piece.isEmpty {
            guard let found = rest.range(of: piece) else { return false }
            rest = rest[found.upperBound...]
        }
        return rest.hasSuffix(last)
    }
}
