import Foundation
import Testing

@Suite("Hostile workers") struct HostileTests {
    static let groups: [HostileGroup] = [
        .loops, .lanes, .floods, .finalizers, .conversions, .memory, .fatal, .start, .startMemory, .middle, .sabotage,
    ]

    /// A process under attack, and those who live in it.
    private struct Site {
        let martlet: Martlet
        var neighbourCount = 0
        private(set) var lostLaneCount = 0
        /// Attacks that may have cost the process an isolate for good.
        var leakCount = 0

        init(_ martlet: Martlet) throws {
            self.martlet = martlet
            // What a process does once, such as loading ICU's data, is done before anyone's CPU time is short.
            try wait(until: "the first isolate is healthy") {
                try HostileTests.parts.allSatisfy {
                    try martlet.get("/\($0)", host: "health.localhost").text == "healthy"
                }
            }
        }

        /// The neighbour's isolate is gone.
        mutating func loseLane() {
            lostLaneCount += 1
            neighbourCount = 0
        }

        /// On a connection of its own: an idle one may have been closed, if the attack took long.
        func askNeighbour(by deadline: Deadline) throws -> Answer {
            try martlet.get(host: "neighbour.localhost", by: deadline)
        }
    }

    @Test(arguments: groups)
    func anAttackCostsTheAttackerOnly(_ group: HostileGroup) throws {
        let folder = try ScratchFolder()
        try folder.write("neighbour.js", "let n = 0; export default { fetch: () => new Response(String(++n)) };")
        try folder.write("health/index.js", Self.health)
        try folder.write("health/add.wasm", WasmModule.add)
        for (number, worker) in group.workers.enumerated() {
            try folder.write("h\(number)/index.js", worker.source)
            for (name, bytes) in worker.modules { try folder.write("h\(number)/\(name)", bytes) }
            try folder.write("health\(number)/index.js", Self.health)
            try folder.write("health\(number)/add.wasm", WasmModule.add)
        }
        // One lane, so that all of them are neighbours.
        let flags = ["--front-lanes", "1", "--back-lanes", "0"] + group.flags
        var site: Site?
        for (number, worker) in group.workers.enumerated() {
            do {
                if site == nil { site = try Site(Martlet.serve(folder.path, flags)) }
                try attack(number, worker, in: group, at: &site!)
            } catch {
                Issue.record("\(group.name)/\(worker.name): \(error)")
                // The next one gets a chance of its own.
                if let old = site, !old.martlet.isAlive {
                    Issue.record(
                        "\(group.name)/\(worker.name): the process ended: \(old.martlet.logSoFar().suffix(30))")
                }
                site = nil
            }
        }
    }

    private func attack(_ number: Int, _ worker: HostileWorker, in group: HostileGroup, at site: inout Site) throws {
        let martlet = site.martlet
        let name = "\(group.name)/\(worker.name)"
        site.neighbourCount += 1
        try expect(site.askNeighbour(by: .patient), says: "\(site.neighbourCount)", "\(name): the neighbour before")
        let attacker = try martlet.client("h\(number).localhost")
        try attacker.send()
        if group.isShort { try expectNeighbour(name, at: &site) }
        let ending = try ending(of: attacker, worker, name)
        #expect(worker.endings.contains(ending), "\(name) ended as \(ending)")
        if ending == .laneLost { site.loseLane() }
        try expectNeighbour(name, at: &site)
        let process = try martlet.serverStatus()["process"]
        #expect(process["pid"] == .number(Double(martlet.id)), "\(name)")
        #expect(process["lostLanes"] == .number(Double(site.lostLaneCount)), "\(name)")
        if worker.mayLeak { site.leakCount += 1 }
        // A disposal that takes long counts as a leak until it is over.
        try wait(until: "\(name): no isolate more has leaked", by: .patient) {
            try martlet.serverStatus()["process"]["leakedIsolates"].int.map { $0 <= site.leakCount } == true
        }
        if let log = worker.log { try martlet.logLine(containing: log) }
        if !worker.failsAtStart { try expectFreshIsolate(after: ending, of: number, worker, name, at: site) }
        try expectHealth(number, name, at: site)
    }

    /// In the isolate it had, and within the second that is promised; ten of them, for the sake of busy machines.
    private func expectNeighbour(_ name: String, at site: inout Site) throws {
        site.neighbourCount += 1
        try expect(
            site.askNeighbour(by: .soon), says: "\(site.neighbourCount)", "\(name): the neighbour")
    }

    private func expect(_ answer: Answer, says text: String, _ who: String) throws {
        guard answer.status == 200, answer.text == text else { throw Failure("\(who): \(answer.summary)") }
    }

    /// What came of the attack, from what the client sees of it.
    private func ending(of client: Client, _ worker: HostileWorker, _ name: String) throws -> HostileWorker.Ending {
        let answer: Answer
        do {
            answer = try client.answer(by: Deadline(seconds: 60))
        } catch {
            guard "\(error)".contains("cut") else { throw error }
            return [.cutAndCondemned, .laneLost].first(where: worker.endings.contains) ?? .cut
        }
        if answer.status == 200 {
            if let text = worker.text { #expect(answer.text == text, "\(name)") }
            return worker.endings.contains(.condemnedLater) ? .condemnedLater : .ok
        }
        guard let ending = answer.outcome.flatMap(HostileWorker.Ending.init(rawValue:)) else {
            throw Failure(answer.summary)
        }
        let isPage = ending.page.map { $0 == (answer.status, answer.errorNumber ?? 0) } ?? false
        #expect(isPage, "\(name): \(answer.summary)")
        return ending
    }

    /// A condemned isolate is never used again; one that is not keeps its globals.
    private func expectFreshIsolate(
        after ending: HostileWorker.Ending, of number: Int, _ worker: HostileWorker, _ name: String, at site: Site
    ) throws {
        let host = "h\(number).localhost"
        if ending == .condemnedLater || ending == .cutAndCondemned {
            try wait(until: "\(name): the fresh isolate") {
                try site.martlet.get("/served", host: host).text == "1"
            }
            return
        }
        // Code that runs once more after the answer, for its log, may end the isolate then.
        let mayEndLater = !ending.condemns && worker.endings.contains(where: \.condemns)
        let expected = ending.condemns ? ["1"] : mayEndLater ? ["1", "2"] : ["2"]
        let answer = try site.martlet.get("/served", host: host)
        #expect(expected.contains(answer.text), "\(name): the next request: \(answer.summary)")
    }

    /// Whether a new isolate can do what needs V8's process-wide locks and memory.
    private func expectHealth(_ number: Int, _ name: String, at site: Site) throws {
        let client = try site.martlet.client("health\(number).localhost")
        for part in Self.parts {
            let answer = try client.get("/\(part)")
            #expect(answer.status == 200 && answer.text == "healthy", "\(name): \(part): \(answer.summary)")
        }
        let served = try client.get("/served")
        #expect(served.text == String(Self.parts.count + 1), "\(name): \(served.summary)")
    }

    /// On several lanes, front and back, with the attackers' requests all under way together.
    @Test func attacksAtOnce() throws {
        let folder = try ScratchFolder()
        try folder.write("neighbour.js", "let n = 0; export default { fetch: () => new Response(String(++n)) };")
        let workers = HostileGroup.loops.workers
        for (number, worker) in workers.enumerated() {
            try folder.write("h\(number)/index.js", worker.source)
            for (name, bytes) in worker.modules { try folder.write("h\(number)/\(name)", bytes) }
        }
        let martlet = try Martlet.serve(folder.path, ["--front-lanes", "2", "--back-lanes", "2", "--cpu-ms", "50"])
        for round in 1...2 {
            let attackers = try workers.indices.map { try martlet.client("h\($0).localhost") }
            for attacker in attackers { try attacker.send() }
            try #expect(martlet.get(host: "neighbour.localhost", by: .patient).status == 200)
            for (attacker, worker) in zip(attackers, workers) {
                let outcome = try attacker.answer(by: Deadline(seconds: 60)).outcome ?? "none"
                let isExpected = worker.endings.contains { $0.rawValue == outcome }
                #expect(isExpected, "\(worker.name), round \(round): \(outcome)")
            }
        }
        try #expect(martlet.get(host: "neighbour.localhost", by: .patient).status == 200)
        let process = try martlet.serverStatus()["process"]
        #expect(process["pid"] == .number(Double(martlet.id)))
        #expect(process["lostLanes"] == .number(0))
    }

    /// A search that takes minutes, in C++: the lane that runs it is given up. The process can still end.
    @Test func theEndDoesNotWaitForALostLane() throws {
        let folder = try ScratchFolder()
        let search = "'a'.repeat(1e6).lastIndexOf('a'.repeat(5e5) + 'b')"
        try folder.write("h.js", "export default { fetch: () => new Response(\(search)) };")
        let martlet = try Martlet.serve(folder.path, ["--front-lanes", "1", "--back-lanes", "0"])
        let client = try martlet.client("h.localhost")
        try client.send()
        try wait(until: "the loss of the lane", by: .patient) {
            try martlet.serverStatus()["process"]["lostLanes"] == .number(1)
        }
        martlet.terminate()
        #expect(try martlet.exitCode() == 0)
    }

    /// What a healthy isolate can do, each in a small part of the CPU time of a request. The memory is 32 MB together.
    private static let parts = ["wasm", "memory", "memory", "memory", "memory", "regexp", "intl"]

    private static let health = """
        import add from "./add.wasm";
        let served = 0;
        const parts = {
          wasm: () => new WebAssembly.Instance(add).exports.run(40, 2) === 42
            && new WebAssembly.Memory({ initial: 1 }).buffer.byteLength === 65536,
          memory() {
            let sum = 0;
            for (let i = 0; i < 8; i++) sum += new Uint8Array(1 << 20).length;
            return sum === 8 << 20;
          },
          regexp: () => /^a+b?(c|d)*$/u.test("aaabcdcd") && "x-y".replace(/(.)-(.)/, "$2-$1") === "y-x",
          intl: () => new Intl.NumberFormat("de").format(1234.5) === "1.234,5",
        };
        export default { fetch(request) {
          served++;
          const part = new URL(request.url).pathname.slice(1);
          return new Response(part === "served" ? served : parts[part]() ? "healthy" : "ill");
        } };
        """
}
