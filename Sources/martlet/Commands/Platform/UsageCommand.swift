import ArgumentParser
import Client
import Foundation
import Model

/// `martlet usage`: what Workers used, and what it costs.
struct UsageCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "usage", abstract: "Shows what an account's Workers used, and what it costs.")

    @Option(help: "From that day or time on, UTC: 2026-01-31 or 2026-01-31T12:00:00Z. By default 30 days ago.")
    var from: String?
    @Option(help: "Up to that day or time. By default now.")
    var to: String?
    @Option(help: "Only this Worker.")
    var script: String?
    @Flag(help: "Print CSV, a line for each Worker and hour.")
    var csv = false
    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var list: ListOptions

    private static let columns = [
        "requests", "errors", "cpu_us", "wall_us", "subrequests", "bytes_in", "bytes_out", "kv_reads", "kv_writes",
        "memory_kb_s",
    ]

    func run() throws {
        let query = [("from", from), ("to", to), ("script", script)].compactMap { name, value in
            value.map { (name, $0) }
        }
        let usage = try connection.connect().call("GET", "/usage", query: query)
        if csv {
            print((["hour", "script"] + Self.columns).joined(separator: ","))
            for hour in usage["hours"]?.array ?? [] {
                print((["hour", "script"] + Self.columns).map { hour.cell($0) }.joined(separator: ","))
            }
            return
        }
        list.show(
            usage, usage["scripts"]?.array ?? [],
            [
                ("WORKER", { $0.cell("script") }), ("REQUESTS", { $0.cell("requests") }),
                ("ERRORS", { $0.cell("errors") }), ("CPU MS", { Self.thousands($0["cpu_us"]) }),
                ("WALL MS", { Self.thousands($0["wall_us"]) }), ("SUBREQUESTS", { $0.cell("subrequests") }),
                ("KV READS", { $0.cell("kv_reads") }), ("KV WRITES", { $0.cell("kv_writes") }),
            ])
        guard !list.json, let cost = usage["cost"] else { return }
        print("\nCost: \(Self.dollars(cost["usd"])), for \(cost.cell("billed_requests")) requests.")
        print("If wall time were billed: \(Self.dollars(cost["usd_if_wall_time_were_billed"])).")
    }

    private static func thousands(_ value: JSONValue?) -> String { String(Int((value?.number ?? 0) / 1_000)) }

    private static func dollars(_ value: JSONValue?) -> String {
        String(format: "%.6f USD", value?.number ?? 0)
    }
}
