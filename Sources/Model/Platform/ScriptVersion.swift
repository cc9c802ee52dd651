/// One upload of a script: code and all that its meaning depends on. It never changes.
package struct ScriptVersion: Sendable, Equatable, Codable {
    /// A file of the upload. Its bytes lie in the blob store.
    package struct Module: Sendable, Equatable, Codable {
        package var name: String
        /// As uploaded: "application/javascript+module".
        package var contentType: String
        /// SHA-256 of the bytes, in hexadecimal digits.
        package var hash: String
        package var size: Int

        package init(name: String, contentType: String, hash: String, size: Int) {
            self.name = name
            self.contentType = contentType
            self.hash = hash
            self.size = size
        }
    }

    package struct Limits: Sendable, Equatable, Codable {
        package var cpuMilliseconds: Int?
        package var subrequests: Int?

        package init(cpuMilliseconds: Int? = nil, subrequests: Int? = nil) {
            self.cpuMilliseconds = cpuMilliseconds
            self.subrequests = subrequests
        }
    }

    /// The static assets of a version. Their set lies in the blob store.
    package struct Assets: Sendable, Equatable, Codable {
        /// The blob of the set: an `AssetSet` as JSON.
        package var set: String
        package var count: Int
        /// Bytes of all files together.
        package var size: Int

        package init(set: String, count: Int, size: Int) {
            self.set = set
            self.count = count
            self.size = size
        }
    }

    /// How the code is written.
    package enum Syntax: String, Sendable, Codable {
        case modules
        /// A classic script with listeners.
        case serviceWorker
    }

    package var id: String
    /// Counts a script's versions from 1.
    package var number: Int
    package var createdOn: Timestamp
    package var source: String
    package var author: String
    package var annotations: [String: String]
    package var syntax: Syntax
    /// The main module is the first. Empty: there are only assets.
    package var modules: [Module]
    package var assets: Assets?
    package var bindings: [Binding]
    package var compatibilityDate: String?
    package var compatibilityFlags: [String]
    package var limits: Limits
    package var usageModel: String?
    package var placement: JSONValue?
    /// Events that the code handles: "fetch", "scheduled" ...
    package var handlers: [String]
    /// Exports that can be bound to. Nil if nobody has looked.
    package var entrypoints: [Entrypoint]?
    package var startupMilliseconds: Double

    package init(
        id: String = Identifier.uuid(), number: Int = 0, createdOn: Timestamp = .now, source: String, author: String,
        annotations: [String: String] = [:], syntax: Syntax, modules: [Module] = [], bindings: [Binding] = [],
        compatibilityDate: String? = nil, compatibilityFlags: [String] = [], limits: Limits = Limits(),
        usageModel: String? = nil, placement: JSONValue? = nil, handlers: [String] = [], startupMilliseconds: Double = 0
    ) {
        self.id = id
        self.number = number
        self.createdOn = createdOn
        self.source = source
        self.author = author
        self.annotations = annotations
        self.syntax = syntax
        self.modules = modules
        self.bindings = bindings
        self.compatibilityDate = compatibilityDate
        self.compatibilityFlags = compatibilityFlags
        self.limits = limits
        self.usageModel = usageModel
        self.placement = placement
        self.handlers = handlers
        self.startupMilliseconds = startupMilliseconds
    }
}

/// What `env` holds under a name.
package struct Binding: Sendable, Equatable {
    package var name: String
    /// "plain_text", "secret_text", "kv_namespace" ...
    package var type: String
    /// What else belongs to that type. A secret's text is not among it.
    package var fields: [String: JSONValue]

    package init(name: String, type: String, fields: [String: JSONValue] = [:]) {
        self.name = name
        self.type = type
        self.fields = fields
    }

    /// Types whose value is kept encrypted, under the binding's name, beside the version.
    package static let secretTypes: Set<String> = ["secret_text"]
    package var isSecret: Bool { Self.secretTypes.contains(type) }

    /// The export that a service binding names; nil for the default one.
    package var entrypoint: String? {
        let name = fields["entrypoint"]?.string ?? ""
        return name.isEmpty || name == "default" ? nil : name
    }

    /// As one object: the shape of Cloudflare's API.
    package var json: JSONValue {
        .object(fields.merging(["name": .string(name), "type": .string(type)]) { _, own in own })
    }
}

extension Binding: Codable {
    package init(from decoder: any Decoder) throws {
        var fields = try decoder.singleValueContainer().decode([String: JSONValue].self)
        guard let name = fields.removeValue(forKey: "name")?.string,
            let type = fields.removeValue(forKey: "type")?.string
        else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "a binding without name and type"))
        }
        self.init(name: name, type: type, fields: fields)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(json)
    }
}
