internal import Foundation
package import Model

/// What use costs. Read from a JSON file, of which every member may be left out.
package struct Plan: Sendable, Equatable, Codable {
    /// USD for a million requests.
    package var usdPerMillionRequests = 0.50
    /// CPU time that a request has for that, in milliseconds: what is used beyond it counts as further requests.
    package var cpuMillisecondsPerRequest = 50.0
    /// Requests of a day, by UTC, that cost nothing.
    package var freeRequestsPerDay: Int64 = 100_000
    /// The plan to compare with, which bills wall time: USD for a million requests, and for a million tenths of a
    /// second that they began.
    package var wallUSDPerMillionRequests = 0.20
    package var wallUSDPerMillionTenths = 1.64

    package init() {}

    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        func value<Value: Decodable>(_ key: CodingKeys, _ standard: Value) throws -> Value {
            try values.decodeIfPresent(Value.self, forKey: key) ?? standard
        }
        let standard = Plan()
        usdPerMillionRequests = try value(.usdPerMillionRequests, standard.usdPerMillionRequests)
        cpuMillisecondsPerRequest = try value(.cpuMillisecondsPerRequest, standard.cpuMillisecondsPerRequest)
        freeRequestsPerDay = try value(.freeRequestsPerDay, standard.freeRequestsPerDay)
        wallUSDPerMillionRequests = try value(.wallUSDPerMillionRequests, standard.wallUSDPerMillionRequests)
        wallUSDPerMillionTenths = try value(.wallUSDPerMillionTenths, standard.wallUSDPerMillionTenths)
    }

    /// - Throws: `StoreError` of kind `unusable` that names the file and what is wrong.
    package static func read(_ path: String) throws -> Plan {
        let data: Data
        do {
            data = try Data(contentsOf: URL(filePath: path))
        } catch {
            throw StoreError(.unusable, "\(path) cannot be read: \(error.localizedDescription)")
        }
        do {
            let plan = try JSONDecoder().decode(Plan.self, from: data)
            guard plan.isSensible else { throw StoreError(.unusable, "") }
            return plan
        } catch {
            let names =
                "usdPerMillionRequests, cpuMillisecondsPerRequest, freeRequestsPerDay, "
                + "wallUSDPerMillionRequests and wallUSDPerMillionTenths"
            throw StoreError(.unusable, "\(path) is not a plan: a JSON object of numbers from 0 named \(names)")
        }
    }

    private var isSensible: Bool {
        usdPerMillionRequests >= 0 && cpuMillisecondsPerRequest > 0 && freeRequestsPerDay >= 0
            && wallUSDPerMillionRequests >= 0 && wallUSDPerMillionTenths >= 0
    }

    /// Requests of one day as this plan counts them.
    package func requests(of day: UsageAmounts) -> Int64 {
        let byCPU = (Double(day.cpuMicroseconds) / (cpuMillisecondsPerRequest * 1_000)).rounded(.up)
        return max(day.requests, Int64(byCPU))
    }

    /// What some days cost, in USD.
    package func cost(ofDays days: [UsageAmounts]) -> Double {
        let billed = days.reduce(0) { $0 + max(0, requests(of: $1) - freeRequestsPerDay) }
        return Double(billed) / 1e6 * usdPerMillionRequests
    }

    /// What the same use costs where wall time is billed, in USD.
    package func wallCost(of amounts: UsageAmounts) -> Double {
        Double(amounts.requests) / 1e6 * wallUSDPerMillionRequests
            + Double(amounts.wallTenths) / 1e6 * wallUSDPerMillionTenths
    }
}
