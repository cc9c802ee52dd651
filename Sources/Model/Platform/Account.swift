/// A tenant: what it owns no other account sees.
package struct Account: Sendable, Equatable {
    package let id: String
    package var name: String
    package let createdOn: Timestamp
    /// Its Workers do not run; its data stays.
    package var isSuspended: Bool
    /// The label under which its Workers have host names: `<script>.<subdomain>.<base domain>`. Lower case.
    package var subdomain: String?
    package var limits: AccountLimits
    /// The cordon of its scripts; nil: the one where all begin.
    package var cordon: String?

    package init(
        id: String = Identifier.hex(), name: String, createdOn: Timestamp = .now, isSuspended: Bool = false,
        subdomain: String? = nil, limits: AccountLimits = AccountLimits(), cordon: String? = nil
    ) {
        self.cordon = cordon
        self.limits = limits
        self.id = id
        self.name = name
        self.createdOn = createdOn
        self.isSuspended = isSuspended
        self.subdomain = subdomain
    }
}

/// What a client shows to be let in. The secret itself is told once and never stored.
package struct Token: Sendable, Equatable {
    /// What a token lets its holder do. Each includes the one before.
    package enum Scope: String, Sendable, CaseIterable, Comparable {
        case read
        /// Also change Workers, their data and their routes.
        case deploy
        /// Also make and delete tokens; without an account, also accounts.
        case admin

        package static func < (left: Scope, right: Scope) -> Bool {
            allCases.firstIndex(of: left)! < allCases.firstIndex(of: right)!
        }
    }

    package let id: String
    /// The account it is for; nil for the operator's, which are for all.
    package var account: String?
    package var name: String
    package var scope: Scope
    package let createdOn: Timestamp

    package init(
        id: String = Identifier.hex(), account: String?, name: String, scope: Scope, createdOn: Timestamp = .now
    ) {
        self.id = id
        self.account = account
        self.name = name
        self.scope = scope
        self.createdOn = createdOn
    }
}
