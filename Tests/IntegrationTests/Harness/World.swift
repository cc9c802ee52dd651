import Foundation

/// How locations get what is deployed.
enum FeedKind: CaseIterable {
    /// By http, at the control node's admin port.
    case embedded
    case nats

    static var all: [FeedKind] { NATSServer.isInstalled ? allCases : [.embedded] }
}

/// A control node, with a port that stays, and what its locations join.
final class World {
    let nats: NATSServer?
    let platform: Platform

    init(_ feed: FeedKind, _ flags: [String] = []) throws {
        nats = feed == .nats ? try NATSServer() : nil
        let port = ["--admin-port", "\(try EdgeTests.freePort())"]
        platform = try Platform((nats.map { ["--feed", $0.address] } ?? []) + port + flags)
    }

    var join: String { nats?.address ?? platform.address }

    /// A location that serves.
    func edge(_ location: String, flags: [String] = []) throws -> EdgeNode {
        let folder = try ScratchFolder()
        try EdgeNode.add(location, to: platform, in: folder)
        let edge = try EdgeNode(location, folder: folder, join: join, flags: flags)
        platform.locations.append(edge)
        try edge.takeAddresses()
        return edge
    }

    /// Waits until the control node counts them as there.
    func waitForContact(with edges: [EdgeNode]) throws {
        let ids = Set(edges.map(\.location))
        try wait(until: "the locations are in contact", by: .patient) {
            let list = try platform.done("GET", "/locations").array ?? []
            return ids.isSubset(of: list.filter { $0["present"] == .bool(true) }.compactMap { $0["id"].string })
        }
    }
}
