internal import Foundation
package import Model
internal import TOMLKit

/// What `wrangler.json`, `wrangler.jsonc` or `wrangler.toml` says of a Worker, for one environment.
package struct ProjectFile: Sendable {
    /// Searched in this order.
    package static let names = ["wrangler.json", "wrangler.jsonc", "wrangler.toml"]

    package let path: String
    package let name: String
    /// Relative to the file's folder.
    package let main: String?
    package let compatibilityDate: String?
    package let compatibilityFlags: [String]
    /// As the control API takes them.
    package let bindings: [JSONValue]
    package let limits: JSONValue?
    /// nil if there are none.
    package let assets: ProjectAssets?
    package let isOnSubdomain: Bool
    /// Patterns, each with its zone if that is given.
    package let routes: [JSONValue]
    /// Whether it says anything of routes and custom domains: if not, they stay as they are.
    package let saysRoutes: Bool
    package let customDomains: [String]
    /// nil leaves the schedules as they are.
    package let crons: [String]?
    package let keepsVariables: Bool
    package var build: BuildSettings
    /// Where `martlet dev` listens: `dev.ip` and `dev.port`.
    package let developmentHost: String?
    package let developmentPort: UInt16?
    /// Keys that mean nothing here.
    package let warnings: [String]

    package var folder: String { File.folder(of: path) }

    /// The project file in a folder; nil if there is none, or if it is no folder.
    package static func inFolder(_ path: String) -> String? {
        names.map { "\(path)/\($0)" }.first { File.exists($0) }
    }

    package static func isFolder(_ path: String) -> Bool { File.isFolder(path) }

    /// That in which a file is.
    package static func folder(of file: String) -> String { File.folder(of: file) }

    /// Looks in a folder and those above it.
    /// - Returns: nil if there is none.
    package static func find(from folder: String) -> String? {
        var folder = folder
        while true {
            for name in names where File.exists("\(folder)/\(name)") { return "\(folder)/\(name)" }
            guard let slash = folder.lastIndex(of: "/"), folder != "/" else { return nil }
            folder = slash == folder.startIndex ? "/" : String(folder[..<slash])
        }
    }

    /// - Parameter environment: a member of `env`; nil for the top level.
    /// - Throws: `ProjectError` that names the file and the key.
    package init(_ path: String, environment: String? = nil) throws(ProjectError) {
        let bytes = try File.read(path, limit: 1 << 20)
        let top = try Self.parse(bytes, path)
        let reader = try KeyReader(top, path: path, environment: environment)
        self.path = path
        guard let name = try reader.name(environment) else {
            throw ProjectError("\(path): there is no 'name'")
        }
        self.name = name
        main = try reader.string("main")
        compatibilityDate = try reader.string("compatibility_date")
        compatibilityFlags = try reader.strings("compatibility_flags") ?? []
        limits = reader.inherited("limits")
        let routes = try reader.routes()
        self.routes = routes.patterns
        saysRoutes = reader.inherited("routes") != nil || reader.inherited("route") != nil
        customDomains = routes.domains
        isOnSubdomain = try reader.bool("workers_dev") ?? (routes.patterns.isEmpty && routes.domains.isEmpty)
        crons = try reader.crons()
        keepsVariables = top["keep_vars"]?.bool ?? false
        assets = try reader.assets()
        let binding: [JSONValue] = assets?.binding.map { [["type": "assets", "name": .string($0)]] } ?? []
        bindings = try reader.bindings() + binding
        build = try reader.build(in: File.folder(of: path))
        developmentHost = top["dev"]?["ip"]?.string
        if let port = top["dev"]?["port"], !port.isNull {
            guard let number = port.int.flatMap({ UInt16(exactly: $0) }) else {
                throw ProjectError("\(path): 'dev.port' must be a number up to 65535")
            }
            developmentPort = number
        } else {
            developmentPort = nil
        }
        warnings = reader.warnings
    }

    private static func parse(_ bytes: [UInt8], _ path: String) throws(ProjectError) -> [String: JSONValue] {
        let json: Data
        if path.hasSuffix(".toml") {
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw ProjectError("\(path): it is not UTF-8")
            }
            if let mistake = TOMLCheck.firstMistake(in: bytes) {
                throw ProjectError("\(path):\(mistake.line): \(mistake.text)")
            }
            do {
                let table = try TOMLTable(string: text)
                json = Data(table.convert(to: .json).utf8)
            } catch let error as TOMLParseError {
                throw ProjectError("\(path):\(error.source.begin.line): \(error.description)")
            } catch {
                throw ProjectError("\(path): \(error)")
            }
        } else {
            json = Data(TolerantJSON.plain(bytes))
        }
        let value: JSONValue
        do {
            value = try JSONDecoder().decode(JSONValue.self, from: json)
        } catch {
            throw ProjectError("\(path): it is not JSON: \(Self.explanation(of: error))")
        }
        guard let object = value.object else { throw ProjectError("\(path): it must hold an object") }
        return object
    }

    private static func explanation(of error: any Error) -> String {
        guard case DecodingError.dataCorrupted(let context) = error, let cause = context.underlyingError else {
            return "\(error)"
        }
        return (cause as NSError).userInfo[NSDebugDescriptionErrorKey] as? String ?? "\(cause)"
    }
}
