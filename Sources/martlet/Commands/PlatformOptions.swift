import ArgumentParser
import Control
import Foundation
import Model
import Store

/// Flags of `serve --data`.
struct PlatformOptions: ParsableArguments {
    /// Where the key of the secrets may stand: 64 hexadecimal digits.
    private static let keyVariable = "MARTLET_SECRET_KEY"

    @Option(help: "A data folder: accounts, Workers and what they store. Made at the first start.")
    var data: String?
    @Option(help: "Workers answer on SCRIPT.SUBDOMAIN.BASE-DOMAIN.")
    var baseDomain = "localhost"
    @Option(
        help: """
            A file with the key of the secrets, 64 hexadecimal digits; MARTLET_SECRET_KEY holds one too. By default \
            secret.key in the data folder.
            """)
    var secretKeyFile: String?

    @Option(help: "Static assets that one version may have.")
    var assetFiles = 20_000
    @Option(help: "The largest static asset, in MiB; 25 at most.")
    var assetFileMb = 25
    @Option(help: "Seconds after which a tail ends.")
    var tailS = 21_600

    @OptionGroup var feed: FeedOptions
    @OptionGroup var schedules: ScheduleOptions
    @Option(help: "A JSON file with what use costs.")
    var plan: String?

    func validate() throws {
        guard (1...604_800).contains(tailS) else {
            throw ValidationError("--tail-s must be from 1 to 604800, not \(tailS).")
        }
        guard HostName.isValid(baseDomain.lowercased()) else {
            throw ValidationError("--base-domain must be a domain name, not '\(baseDomain)'.")
        }
        guard (1...100_000).contains(assetFiles) else { throw ValidationError("--asset-files takes 1 to 100000.") }
        guard (1...25).contains(assetFileMb) else { throw ValidationError("--asset-file-mb takes 1 to 25.") }
    }

    var assetLimits: AssetLimits { AssetLimits(files: assetFiles, fileBytes: assetFileMb << 20) }

    /// What use costs.
    func readPlan() throws(CleanFailure) -> Plan {
        guard let plan else { return Plan() }
        do {
            return try Plan.read(plan)
        } catch {
            throw CleanFailure("\(error) (--plan)")
        }
    }

    /// Opens the store.
    func open(_ folder: String, _ handover: Handover) throws(CleanFailure) -> SQLiteStore {
        let key = try key()
        do {
            let store = try SQLiteStore(folder: folder, key: key, lock: handover.inherited("data"))
            handover.keep(store.lock, as: "data")
            return store
        } catch {
            throw CleanFailure("\(error)")
        }
    }

    private func key() throws(CleanFailure) -> [UInt8]? {
        if let secretKeyFile {
            guard let text = try? String(contentsOfFile: secretKeyFile, encoding: .utf8) else {
                throw CleanFailure("\(secretKeyFile): it cannot be read (--secret-key-file)")
            }
            guard let key = StoreKey.parse(text) else {
                throw CleanFailure("\(secretKeyFile): not a key of 64 hexadecimal digits (--secret-key-file)")
            }
            return key
        }
        guard let text = ProcessInfo.processInfo.environment[Self.keyVariable] else { return nil }
        guard let key = StoreKey.parse(text) else {
            throw CleanFailure("\(Self.keyVariable) is not a key of 64 hexadecimal digits")
        }
        return key
    }
}
