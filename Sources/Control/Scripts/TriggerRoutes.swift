internal import Model

/// What calls a script besides routes: the account's subdomain, and schedules.
struct TriggerRoutes {
    let api: API
    let service: ScriptService
    private var store: any PlatformStore { service.store }

    /// Schedules of one script.
    private static let schedulesAtMost = 250

    func register() {
        let script = "/accounts/:account/workers/scripts/:script"
        api.on(.get, script + "/subdomain", .read) { [self] in Self.subdomain(of: try service.require($0.script)) }
        api.on(.post, script + "/subdomain", .deploy) { [self] call in
            let body = try call.object()
            guard let isEnabled = body["enabled"]?.bool else { throw APIError.badBody("'enabled' must be a boolean") }
            return try set(call, isEnabled: isEnabled, previews: body["previews_enabled"]?.bool ?? isEnabled)
        }
        api.on(.delete, script + "/subdomain", .deploy) { [self] in try set($0, isEnabled: false, previews: false) }
        api.on(.get, script + "/schedules", .read) { [self] call in
            _ = try service.require(call.script)
            return Self.schedules(try store.schedules(of: call.script))
        }
        api.on(.put, script + "/schedules", .deploy) { [self] in try setSchedules($0) }
    }

    private static func subdomain(of script: Script) -> Reply {
        .result(["enabled": .bool(script.isOnSubdomain), "previews_enabled": .bool(script.hasPreviews)])
    }

    private func set(_ call: Call, isEnabled: Bool, previews: Bool) throws -> Reply {
        _ = try service.require(call.script)
        if isEnabled, try store.account(call.account)?.subdomain == nil {
            throw APIError(
                400, 10063, "the account has no subdomain yet: PUT /accounts/\(call.account)/workers/subdomain")
        }
        try store.update(call.script) { script in
            script.isOnSubdomain = isEnabled
            script.hasPreviews = previews
        }
        return Self.subdomain(of: try service.require(call.script))
    }

    private static func schedules(_ schedules: [Schedule]) -> Reply {
        let list = schedules.map { schedule -> JSONValue in
            var shape: [String: JSONValue] = [
                "cron": .string(schedule.cron), "created_on": .string(schedule.createdOn.description),
                "modified_on": .string(schedule.modifiedOn.description),
            ]
            // Ours.
            if let run = schedule.lastRun {
                shape["last_run"] = [
                    "scheduled_on": .string(run.due.description), "outcome": run.outcome.map { .string($0) } ?? .null,
                ]
            }
            return .object(shape)
        }
        return .result(["schedules": .array(list)])
    }

    private func setSchedules(_ call: Call) throws -> Reply {
        _ = try service.require(call.script)
        guard let entries = try call.json().array else {
            throw APIError.badBody("the body must be a list of schedules")
        }
        var crons: [String] = []
        for entry in entries {
            guard let cron = entry["cron"]?.string else { throw APIError.badBody("each schedule needs a 'cron'") }
            do {
                _ = try CronExpression(cron)
            } catch {
                throw APIError.badBody("invalid cron string: \(error.description)")
            }
            if !crons.contains(cron) { crons.append(cron) }
        }
        guard crons.count <= Self.schedulesAtMost else {
            throw APIError.badBody("a Worker has at most \(Self.schedulesAtMost) schedules")
        }
        return Self.schedules(try store.replaceSchedules(of: call.script, with: crons))
    }
}
