/// The static assets of a version: which paths there are, and how requests are answered with them. Never changes.
package struct AssetSet: Sendable, Equatable, Codable {
    package var files: [String: AssetFile]
    package var configuration: AssetConfiguration

    package init(files: [String: AssetFile], configuration: AssetConfiguration = AssetConfiguration()) {
        self.files = files
        self.configuration = configuration
    }
}

/// One asset. Its bytes lie elsewhere, under `blob`.
package struct AssetFile: Sendable, Equatable, Codable {
    /// As the client that uploaded it made it of the content: 32 hexadecimal digits. Also the entity tag.
    package var hash: String
    /// Where its bytes are found.
    package var blob: String
    package var size: Int
    /// nil: answers say none.
    package var contentType: String?

    package init(hash: String, blob: String, size: Int, contentType: String?) {
        self.hash = hash
        self.blob = blob
        self.size = size
        self.contentType = contentType
    }
}

/// How requests are answered with assets. (Cloudflare, Workers, Static Assets, Configuration.)
package struct AssetConfiguration: Sendable, Equatable, Codable {
    package enum HTMLHandling: String, Sendable, Codable, CaseIterable {
        case autoTrailingSlash = "auto-trailing-slash"
        case forceTrailingSlash = "force-trailing-slash"
        case dropTrailingSlash = "drop-trailing-slash"
        case none
    }

    package enum NotFoundHandling: String, Sendable, Codable, CaseIterable {
        case none
        case page = "404-page"
        case singlePageApplication = "single-page-application"
    }

    /// Whether the Worker is asked before the assets.
    package enum WorkerFirst: Sendable, Equatable, Codable {
        case never
        case always
        /// For paths that one of these takes; one that begins with `!` says no, and comes before the others.
        case patterns([String])
    }

    package var htmlHandling = HTMLHandling.autoTrailingSlash
    package var notFoundHandling = NotFoundHandling.none
    package var workerFirst = WorkerFirst.never
    /// Browsers that navigate get what `notFoundHandling` says before the Worker is asked.
    package var prefersNavigation = false
    package var headers: [HeaderRule] = []
    package var redirects: [RedirectRule] = []

    package init() {}

    /// Bytes of `_headers` or `_redirects`.
    package static let rulesBytes = 1 << 20

    /// Patterns of `run_worker_first`, and characters of each.
    private static let patternsAtMost = 100
    private static let patternLength = 100

    /// - Throws: what is wrong with a list of `run_worker_first`.
    package static func patterns(_ list: [String]) throws(AssetRuleError) -> WorkerFirst {
        guard (1...patternsAtMost).contains(list.count) else {
            throw AssetRuleError("run_worker_first takes 1 to \(patternsAtMost) patterns, not \(list.count)")
        }
        for pattern in list {
            guard pattern.hasPrefix("/") || pattern.hasPrefix("!/") else {
                throw AssetRuleError("run_worker_first: '\(pattern)' begins neither with '/' nor with '!/'")
            }
            guard pattern.utf8.count <= patternLength else {
                throw AssetRuleError("run_worker_first: '\(pattern)' has over \(patternLength) characters")
            }
        }
        guard Set(list).count == list.count else {
            throw AssetRuleError("run_worker_first has a pattern twice")
        }
        guard list.contains(where: { $0.hasPrefix("/") }) else {
            throw AssetRuleError("run_worker_first has only patterns with '!': at least one without is needed")
        }
        return .patterns(list)
    }
}

/// What is wrong with a rule for assets, for its author.
package struct AssetRuleError: Error, Sendable, Equatable, CustomStringConvertible {
    package let description: String
    package init(_ description: String) { self.description = description }
}

/// Where the bytes of assets are. Any thread; every call may wait for the disk.
package protocol AssetSource: Sendable {
    /// A piece of an asset's bytes. The whole is checked before the first piece of it is given.
    /// - Throws: `damaged` if the bytes are gone or not what was stored.
    func assetBytes(_ blob: String, from offset: Int, count: Int) throws -> [UInt8]
}
