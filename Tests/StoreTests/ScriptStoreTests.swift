import Foundation
import Model
import Store
import Testing

@Suite struct ScriptStoreTests {
    @Test func aVersionIsStoredWhole() throws {
        let fixture = try Fixture()
        let version = try fixture.deploy("one", as: "hello", bindings: [Binding(name: "V", type: "plain_text")])
        #expect(version.number == 1)
        try fixture.reopen()
        let script = try #require(try fixture.store.script(fixture.key("hello")))
        #expect(script.latestVersion == version.id)
        #expect(script.deployment?.shares == [.init(version: version.id, percentage: 100)])
        #expect(try fixture.store.version(version.id, of: script.key) == version)
        let worker = try fixture.store.definition(ofVersion: version.id, script: script.key)
        #expect(worker.files.map(\.bytes) == [Array("one".utf8)])
        #expect(worker.version.bindings.map(\.name) == ["V"])
    }

    @Test func whoWasSlowerIsTold() throws {
        let fixture = try Fixture()
        let first = try fixture.deploy("one", as: "hello")
        try fixture.deploy("two", as: "hello")
        let late = VersionDraft(
            version: ScriptVersion(source: "api", author: "", syntax: .modules), files: [], secrets: [:],
            base: first.id)
        #expect(throws: StoreError.self) { try fixture.store.add(late, to: fixture.key("hello"), deploying: nil) }
        #expect(try fixture.store.versions(of: fixture.key("hello")).count == 2)
    }

    @Test func theLastHundredVersionsAreKept() throws {
        let fixture = try Fixture()
        let key = fixture.key("hello")
        let first = try fixture.deploy("deployed", as: "hello")
        for number in 2...103 { try fixture.deploy("text \(number)", as: "hello", deploying: false) }
        let numbers = try fixture.store.versions(of: key).map(\.number)
        #expect(numbers == Array((4...103).reversed()) + [1])
        #expect(fixture.blobs.count == 101)
        let kept = try fixture.store.definition(ofVersion: first.id, script: key)
        #expect(kept.files.map(\.bytes) == [Array("deployed".utf8)])
    }

    @Test func equalBlobsAreOneAndGoWithTheLast() throws {
        let fixture = try Fixture()
        try fixture.deploy("same", as: "a")
        try fixture.deploy("same", as: "b")
        #expect(fixture.blobs.count == 1)
        try fixture.store.deleteScript(fixture.key("a"))
        #expect(fixture.blobs.count == 1)
        try fixture.store.deleteScript(fixture.key("b"))
        #expect(fixture.blobs.isEmpty)
        #expect(throws: StoreError.self) { try fixture.store.deleteScript(fixture.key("b")) }
    }

    @Test func aDeploymentNeedsItsVersions() throws {
        let fixture = try Fixture()
        let key = fixture.key("hello")
        let one = try fixture.deploy("one", as: "hello")
        let two = try fixture.deploy("two", as: "hello")
        let shares = [
            Deployment.Share(version: one.id, percentage: 12.5), Deployment.Share(version: two.id, percentage: 87.5),
        ]
        let deployment = Deployment(source: "api", author: "me", annotations: ["workers/message": "m"], shares: shares)
        try fixture.store.add(deployment, to: key)
        #expect(try fixture.store.deployments(of: key).first == deployment)
        #expect(try fixture.store.deployments(of: key).count == 3)
        let bad = Deployment(source: "api", author: "", shares: [.init(version: "none", percentage: 100)])
        #expect(throws: StoreError.self) { try fixture.store.add(bad, to: key) }
        #expect(try fixture.store.script(key)?.deployment == deployment)
    }

    @Test func secretsAreCarriedOnAndUnreadableOnDisk() throws {
        let fixture = try Fixture()
        let key = fixture.key("hello")
        try fixture.deploy("one", as: "hello", secrets: ["A": "first-secret-text"])
        let binding = Binding(name: "A", type: "secret_text")
        let draft = VersionDraft(
            version: ScriptVersion(
                source: "api", author: "", syntax: .modules,
                bindings: [binding, Binding(name: "B", type: "secret_text")]),
            files: nil, secrets: ["B": "second-secret-text"], base: try fixture.store.script(key)?.latestVersion)
        let version = try fixture.store.add(draft, to: key, deploying: nil)
        #expect(
            try fixture.store.secrets(of: version.id, script: key)
                == ["A": "first-secret-text", "B": "second-secret-text"])
        #expect(try fixture.store.files(of: version).map(\.bytes) == [Array("one".utf8)])
        #expect(try !fixture.holds("first-secret-text"))
        #expect(try !fixture.holds("second-secret-text"))
        #expect(try fixture.holds("secret_text"))
    }

    @Test func aSecretWithoutATextIsRefusedWhole() throws {
        let fixture = try Fixture()
        let draft = VersionDraft(
            version: ScriptVersion(
                source: "api", author: "", syntax: .modules, bindings: [Binding(name: "A", type: "secret_text")]),
            files: [], secrets: [:], base: nil)
        #expect(throws: StoreError.self) { try fixture.store.add(draft, to: fixture.key("x"), deploying: nil) }
        #expect(try fixture.store.script(fixture.key("x")) == nil)
    }

    @Test func schedulesAreReplaced() throws {
        let fixture = try Fixture()
        let key = fixture.key("hello")
        try fixture.deploy("one", as: "hello")
        let first = try fixture.store.replaceSchedules(of: key, with: ["0 * * * *", "5 * * * *"])
        #expect(first.map(\.cron) == ["0 * * * *", "5 * * * *"])
        let second = try fixture.store.replaceSchedules(of: key, with: ["5 * * * *"])
        #expect(second.map(\.cron) == ["5 * * * *"])
        #expect(second[0].createdOn == first[1].createdOn)
        #expect(try fixture.store.replaceSchedules(of: key, with: []).isEmpty)
    }
}
