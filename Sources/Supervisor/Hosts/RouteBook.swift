package import Model

/// What a platform serves, by the cordons whose hosts serve it: no host is told of what others run.
package struct RouteBook {
    /// All that is known of one account.
    private struct Section {
        private(set) var account: RoutedAccount?
        private(set) var scripts: [String: RoutedScript] = [:]
        /// How many scripts run where.
        private(set) var counts: [Cordon: Int] = [:]
        var zones: [String: RoutedZone] = [:]
        var domains: [String: CustomDomain] = [:]

        var isEmpty: Bool { account == nil && scripts.isEmpty && zones.isEmpty && domains.isEmpty }

        func cordon(of script: RoutedScript) -> Cordon { Cordon(of: script, in: account) }

        /// Those whose hosts have something of the account: at least the one of the account itself, whose zones may
        /// have origins and no scripts.
        var cordons: Set<Cordon> { Set(counts.keys).union([Cordon(of: account)]) }

        /// Whether all of it is in the default one.
        var isPlain: Bool { Cordon(of: account) == .standard && counts.keys.allSatisfy { $0 == .standard } }

        mutating func set(_ account: RoutedAccount?) {
            let hasMoved = Cordon(of: self.account) != Cordon(of: account)
            self.account = account
            guard hasMoved else { return }
            counts = [:]
            for script in scripts.values { counts[cordon(of: script), default: 0] += 1 }
        }

        mutating func set(_ name: String, _ script: RoutedScript?) {
            if let script { counts[cordon(of: script), default: 0] += 1 }
            guard let old = scripts.removeValue(forKey: name) else {
                scripts[name] = script
                return
            }
            scripts[name] = script
            let cordon = cordon(of: old)
            let left = counts[cordon, default: 0] - 1
            counts[cordon] = left > 0 ? left : nil
        }

        func items(of cordon: Cordon) -> [RoutingItem] {
            var items = account.map { [RoutingItem.account($0)] } ?? []
            items += scripts.values.filter { self.cordon(of: $0) == cordon }.map { .script($0) }
            items += zones.values.map { .zone($0) }
            items += domains.values.map { .domain($0) }
            return items
        }
    }

    package private(set) var revision: Int64 = -1
    private var sections: [String: Section] = [:]
    /// What scripts are held to beyond their settings.
    private var restraints: [ScriptKey: Restraint] = [:]
    /// Those among them as they would be without.
    private var originals: [ScriptKey: RoutedScript] = [:]
    /// Whose a zone or a domain is.
    private var owners: [RoutingKey: String] = [:]

    /// What a script is held to after it has crashed its host.
    package enum Restraint: Sendable {
        /// It runs in a host of its own.
        case apart
        /// It does not run.
        case paused
    }

    package init() {}

    /// All that are in use; the default one always is.
    package var cordons: Set<Cordon> {
        sections.values.reduce(into: [.standard]) { all, section in all.formUnion(section.counts.keys) }
    }

    /// Where a script runs; nil if there is none of that name.
    package func cordon(of key: ScriptKey) -> Cordon? {
        guard let section = sections[key.account], let script = section.scripts[key.name] else { return nil }
        return section.cordon(of: script)
    }

    /// Where an account's scripts run that say nothing else.
    package func cordon(of account: String) -> Cordon { Cordon(of: sections[account]?.account) }

    /// All that the hosts of a cordon are told.
    package func snapshot(of cordon: Cordon) -> RoutingSnapshot {
        let sections = sections.values.filter { $0.cordons.contains(cordon) }
        return RoutingSnapshot(revision: revision, items: sections.flatMap { $0.items(of: cordon) })
    }

    /// The host names of each cordon.
    /// - Parameter baseDomain: under which scripts have names of their own.
    package func hostNames(under baseDomain: String) -> [Cordon: HostNames] {
        var names: [Cordon: HostNames] = [:]
        for section in sections.values {
            for script in section.scripts.values where script.isOnSubdomain {
                guard let subdomain = section.account?.subdomain else { break }
                names[section.cordon(of: script), default: HostNames()]
                    .add("\(script.key.name).\(subdomain).\(baseDomain)")
            }
            for domain in section.domains.values {
                guard let script = section.scripts[domain.script.name] else { continue }
                names[section.cordon(of: script), default: HostNames()].add(domain.hostname)
            }
            for zone in section.zones.values {
                // What no route takes is the account's own host's.
                let scripts = zone.routes.compactMap { $0.script.flatMap { section.scripts[$0] } }
                for cordon in Set(scripts.map { section.cordon(of: $0) } + [Cordon(of: section.account)]) {
                    names[cordon, default: HostNames()].add(zone: zone.zone.name)
                }
            }
        }
        return names
    }

    // MARK: Changes

    package mutating func replace(with snapshot: RoutingSnapshot) {
        sections = [:]
        owners = [:]
        for item in snapshot.items { apply(item) }
        revision = snapshot.revision
    }

    /// - Returns: what the hosts of each cordon are to be told. Cordons that are not there learn only the revision.
    package mutating func apply(_ changes: RoutingSnapshot) -> [Cordon: [RoutingItem]] {
        var told: [Cordon: [RoutingItem]] = [:]
        for (account, items) in byAccount(changes.items) {
            if isPlain(account), items.allSatisfy(\.isPlain) {
                for item in items { apply(item) }
                told[.standard, default: []] += items
            } else {
                let old = sections[account] ?? Section()
                for item in items { apply(item) }
                Self.tell(from: old, to: sections[account] ?? Section(), &told)
            }
        }
        revision = changes.revision
        return told
    }

    /// Whether all of an account is in the default cordon, as itself says.
    private func isPlain(_ account: String) -> Bool {
        sections[account]?.isPlain ?? true && !restraints.keys.contains { $0.account == account }
    }

    /// Whatever is there is told again, and what is not there any more is removed: accounts have little, and seldom
    /// change cordons.
    private static func tell(from old: Section, to new: Section, _ told: inout [Cordon: [RoutingItem]]) {
        for cordon in old.cordons.union(new.cordons) {
            let before = old.cordons.contains(cordon) ? old.items(of: cordon) : []
            let now = new.cordons.contains(cordon) ? new.items(of: cordon) : []
            let keys = Set(now.map(\.key))
            told[cordon, default: []] += before.map(\.key).filter { !keys.contains($0) }.map { .removed($0) }
            let known = Dictionary(before.map { ($0.key, $0) }) { first, _ in first }
            told[cordon, default: []] += now.filter { known[$0.key] != $0 }
        }
    }

    /// Holds a script to something, or frees it (nil).
    /// - Returns: what the hosts of each cordon are to be told.
    package mutating func restrain(_ key: ScriptKey, _ restraint: Restraint?) -> [Cordon: [RoutingItem]] {
        restraints[key] = restraint
        guard let old = sections[key.account], let script = originals.removeValue(forKey: key) ?? old.scripts[key.name]
        else { return [:] }
        apply(.script(script))
        var told: [Cordon: [RoutingItem]] = [:]
        Self.tell(from: old, to: sections[key.account]!, &told)
        return told
    }

    private mutating func restrained(_ script: RoutedScript) -> RoutedScript {
        guard let restraint = restraints[script.key] else { return script }
        originals[script.key] = script
        var script = script
        switch restraint {
        case .apart: script.cordon = Cordon.own
        // Whoever else is in its cordon says so.
        case .paused: script.isPaused = true
        }
        return script
    }

    private func byAccount(_ items: [RoutingItem]) -> [String: [RoutingItem]] {
        Dictionary(grouping: items) { owner(of: $0) ?? "" }
    }

    private func owner(of item: RoutingItem) -> String? {
        switch item {
        case .account(let account): account.id
        case .script(let script): script.key.account
        case .zone(let zone): zone.zone.account
        case .domain(let domain): domain.script.account
        case .removed(.account(let id)): id
        case .removed(.script(let key)): key.account
        case .removed(let key): owners[key]
        }
    }

    private mutating func apply(_ item: RoutingItem) {
        guard let owner = owner(of: item) else { return }
        // In place: an account may have many scripts.
        switch item {
        case .account(let account): sections[owner, default: Section()].set(account)
        case .script(let script):
            let script = restrained(script)
            sections[owner, default: Section()].set(script.key.name, script)
        case .zone(let zone):
            sections[owner, default: Section()].zones[zone.zone.id] = zone
            owners[item.key] = owner
        case .domain(let domain):
            sections[owner, default: Section()].domains[domain.id] = domain
            owners[item.key] = owner
        case .removed(let key):
            switch key {
            case .account: sections[owner]?.set(nil)
            case .script(let key):
                sections[owner]?.set(key.name, nil)
                originals[key] = nil
            case .zone(let id): sections[owner]?.zones[id] = nil
            case .domain(let id): sections[owner]?.domains[id] = nil
            }
            owners[key] = nil
            if sections[owner]?.isEmpty == true { sections[owner] = nil }
        }
    }
}

extension RoutingItem {
    /// Whether it says nothing of another cordon than the default one.
    fileprivate var isPlain: Bool {
        switch self {
        case .account(let account): Cordon(of: account) == .standard
        case .script(let script): script.cordon == nil
        case .zone, .domain, .removed: true
        }
    }
}
