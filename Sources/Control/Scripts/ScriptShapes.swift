internal import Model

// Scripts, versions and deployments as the API shows them.

extension Script {
    /// An entry of the list of scripts.
    func json(_ version: ScriptVersion?) -> [String: JSONValue] {
        var shape: [String: JSONValue] = [
            "id": .string(name), "tag": .string(tag), "created_on": .string(createdOn.description),
            "modified_on": .string(modifiedOn.description),
            "logpush": settings["logpush"] ?? false, "tags": settings["tags"] ?? [],
            "observability": settings["observability"] ?? ["enabled": false],
            "tail_consumers": settings["tail_consumers"] ?? [],
        ]
        guard let version else { return shape }
        shape.merge(version.codeJSON) { _, new in new }
        shape["usage_model"] = .string(version.usageModel ?? "standard")
        shape["last_deployed_from"] = .string(version.source)
        shape["has_assets"] = .bool(version.assets != nil)
        shape["has_modules"] = .bool(version.syntax == .modules && !version.modules.isEmpty)
        return shape
    }
}

extension ScriptVersion {
    /// What depends on the code and its settings.
    var codeJSON: [String: JSONValue] {
        var shape: [String: JSONValue] = [
            "etag": .string(etag), "handlers": .array(handlers.map { .string($0) }),
            "named_handlers": namedHandlersJSON,
            "compatibility_flags": .array(compatibilityFlags.map { .string($0) }),
        ]
        if let compatibilityDate { shape["compatibility_date"] = .string(compatibilityDate) }
        if !limitsJSON.isEmpty { shape["limits"] = .object(limitsJSON) }
        if let placement { shape["placement"] = placement }
        return shape
    }

    private var namedHandlersJSON: JSONValue {
        .array(
            (entrypoints ?? []).map {
                ["name": .string($0.name), "handlers": .array($0.handlers.map { .string($0) })]
            })
    }

    var limitsJSON: [String: JSONValue] {
        var shape: [String: JSONValue] = [:]
        if let cpu = limits.cpuMilliseconds { shape["cpu_ms"] = .number(Double(cpu)) }
        if let subrequests = limits.subrequests { shape["subrequests"] = .number(Double(subrequests)) }
        return shape
    }

    /// Changes with the code: the hash of the main module, or of the assets if there is no code.
    var etag: String { modules.first?.hash ?? assets?.set ?? "" }

    private var metadataJSON: JSONValue {
        [
            "created_on": .string(createdOn.description), "modified_on": .string(createdOn.description),
            "source": .string(source), "author_id": .string(author), "author_email": .string(author),
            "has_preview": false, "hasPreview": false,
        ]
    }

    var annotationsJSON: JSONValue { .object(annotations.mapValues { .string($0) }) }

    /// One version, whole.
    var json: JSONValue {
        var runtime: [String: JSONValue] = [
            "compatibility_flags": .array(compatibilityFlags.map { .string($0) }),
            "usage_model": .string(usageModel ?? "standard"), "limits": .object(limitsJSON),
        ]
        if let compatibilityDate { runtime["compatibility_date"] = .string(compatibilityDate) }
        return [
            "id": .string(id), "number": .number(Double(number)), "metadata": metadataJSON,
            "annotations": annotationsJSON,
            "resources": [
                "bindings": .array(bindings.map(\.json)),
                "script": [
                    "etag": .string(etag), "handlers": .array(handlers.map { .string($0) }),
                    "named_handlers": namedHandlersJSON,
                    "last_deployed_from": .string(source),
                ],
                "script_runtime": .object(runtime),
            ],
            "startup_time_ms": .number(startupMilliseconds.rounded()),
        ]
    }

    /// An entry of the list of versions.
    var summaryJSON: JSONValue {
        [
            "id": .string(id), "number": .number(Double(number)), "metadata": metadataJSON,
            "annotations": annotationsJSON,
        ]
    }
}

extension Deployment {
    var json: JSONValue {
        [
            "id": .string(id), "source": .string(source), "strategy": "percentage", "author_email": .string(author),
            "created_on": .string(createdOn.description),
            "annotations": .object(annotations.mapValues { .string($0) }),
            "versions": .array(
                shares.map { ["version_id": .string($0.version), "percentage": .number($0.percentage)] }),
        ]
    }
}
