internal import Foundation
package import Model

/// The status page, as JSON: each Worker, all hosts together, and each host.
package struct StatusPage: Encodable {
    struct Numbers: Encodable {
        let isolates: Int
        let blankIsolates: Int
        let condemnedIsolates: Int
        let leakedIsolates: Int
        let evictions: Int
        let frontLanes: Int
        let backLanes: Int
        let lostLanes: Int
        let memoryMappings: Int
        /// Isolates failed in a way that may have left something behind: the process is replaced some day.
        let tainted: Bool

        init(_ status: RuntimeStatus) {
            isolates = status.isolates
            blankIsolates = status.blankIsolates
            condemnedIsolates = status.condemnedIsolates
            leakedIsolates = status.leakedIsolates
            evictions = status.evictions
            frontLanes = status.frontLanes
            backLanes = status.backLanes
            lostLanes = status.lostLanes
            memoryMappings = status.memoryMappings
            tainted = status.taint > 0
        }
    }

    /// A process with its numbers beside what names it.
    struct Process: Encodable {
        let pid: Int32
        var cordon: String?
        let residentBytes: Int
        let numbers: Numbers

        private enum CodingKeys: String, CodingKey {
            case pid, cordon, residentBytes
        }

        func encode(to encoder: any Encoder) throws {
            try numbers.encode(to: encoder)
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(pid, forKey: .pid)
            try container.encodeIfPresent(cordon, forKey: .cordon)
            try container.encode(residentBytes, forKey: .residentBytes)
        }
    }

    let workers: [String: RuntimeStatus.Worker]
    /// This one, which answers, with the numbers of all hosts.
    let process: Process
    let hosts: [Process]
    let location: JSONValue?

    /// - Parameter location: how the location is that this process serves; nil if it is none.
    package init(_ hosts: [HostStatus], location: JSONValue? = nil) {
        self.location = location
        let sum = RuntimeStatus(sumOf: hosts.map(\.runtime))
        workers = sum.workers
        process = Process(pid: getpid(), residentBytes: HostStatus.residentBytes(of: getpid()), numbers: Numbers(sum))
        self.hosts = hosts.map {
            Process(
                pid: $0.process, cordon: $0.cordon, residentBytes: $0.residentBytes, numbers: Numbers($0.runtime))
        }
    }

    package var json: [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        return Array((try? encoder.encode(self)) ?? Data("{}".utf8))
    }
}
