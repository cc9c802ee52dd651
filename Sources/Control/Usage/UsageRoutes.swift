internal import Foundation
internal import Model

/// What an account used, and what it costs. Ours in shape: Cloudflare has this behind GraphQL only.
struct UsageRoutes {
    let api: API
    let store: any PlatformStore
    let plan: Plan

    /// Hours of one answer.
    private static let hoursAtMost: Int64 = 366 * 24
    /// Without `from`, so many days up to now.
    private static let standardDays: Int64 = 30

    func register() {
        api.on(.get, "/accounts/:account/usage", .read) { [self] call in
            guard try store.account(call.account) != nil else {
                throw APIError.unknownPath("/accounts/\(call.account)")
            }
            let hours = try Self.hours(of: call)
            let script = call.query["script"]
            let readings = try store.usage(of: call.account, hours: hours).filter {
                script == nil || $0.script.name == script
            }
            return .result(shape(readings, hours))
        }
    }

    /// `from` up to, not including, `to`: dates or points in time, UTC.
    private static func hours(of call: Call) throws(APIError) -> Range<Int64> {
        let end = try hour("to", call, roundsUp: true) ?? Usage.hour(of: .now) + 1
        let start = try hour("from", call, roundsUp: false) ?? end - standardDays * 24
        guard start < end else { throw .badBody("'from' must lie before 'to'") }
        guard end - start <= hoursAtMost else { throw .badBody("'from' and 'to' are more than a year apart") }
        return start..<end
    }

    private static func hour(_ name: String, _ call: Call, roundsUp: Bool) throws(APIError) -> Int64? {
        guard let text = call.query[name] else { return nil }
        let full = text.contains("T") ? text : text + "T00:00:00Z"
        guard let date = try? Date(full, strategy: .iso8601) else {
            throw .badBody("'\(name)' must be a date, 2026-01-31, or a point in time, 2026-01-31T12:00:00Z")
        }
        let seconds = date.timeIntervalSince1970 + (roundsUp ? 3_599 : 0)
        return Int64((seconds / 3_600).rounded(.down))
    }

    private func shape(_ readings: [Usage], _ hours: Range<Int64>) -> JSONValue {
        var scripts: [String: UsageAmounts] = [:]
        var days: [Int64: UsageAmounts] = [:]
        var total = UsageAmounts()
        for reading in readings {
            scripts[reading.script.name] = (scripts[reading.script.name] ?? UsageAmounts()) + reading.amounts
            days[reading.hour / 24] = (days[reading.hour / 24] ?? UsageAmounts()) + reading.amounts
            total = total + reading.amounts
        }
        return [
            "from": .string(Self.time(hours.lowerBound)), "to": .string(Self.time(hours.upperBound)),
            "totals": .object(total.json),
            "scripts": .array(
                scripts.sorted { $0.key < $1.key }.map { name, amounts in
                    .object(amounts.json.merging(["script": .string(name)]) { _, new in new })
                }),
            "hours": .array(
                readings.map { reading in
                    .object(
                        reading.amounts.json.merging([
                            "hour": .string(Self.time(reading.hour)), "script": .string(reading.script.name),
                        ]) { _, new in new })
                }),
            "cost": [
                "usd": .number(plan.cost(ofDays: Array(days.values))),
                "billed_requests": .number(Double(days.values.reduce(0) { $0 + plan.requests(of: $1) })),
                "usd_if_wall_time_were_billed": .number(plan.wallCost(of: total)),
            ],
        ]
    }

    private static func time(_ hour: Int64) -> String { Timestamp(milliseconds: hour * 3_600_000).description }
}

extension UsageAmounts {
    fileprivate var json: [String: JSONValue] {
        func number(_ value: Int64) -> JSONValue { .number(Double(value)) }
        return [
            "requests": number(requests), "errors": number(errors), "cpu_us": number(cpuMicroseconds),
            "wall_us": number(wallMicroseconds), "wall_tenths": number(wallTenths),
            "subrequests": number(subrequests), "bytes_in": number(bytesIn), "bytes_out": number(bytesOut),
            "kv_reads": number(reads), "kv_writes": number(writes),
            "memory_kb_s": number(memoryKilobyteSeconds),
        ]
    }
}
