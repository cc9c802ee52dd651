/// Tenants of one trust, who share a host: a process of its own. Who is in another cordon shares no memory with them.
package struct Cordon: Sendable, Hashable, Codable, CustomStringConvertible {
    /// "free", "paid" or another name; "private:" and whose it is for a host of its own.
    package let name: String
    package var description: String { name }
    /// What accounts or scripts say that are in it.
    package var setting: String { String(name.prefix { $0 != ":" }) }

    package init(name: String) { self.name = name }

    /// Where all accounts begin.
    package static let standard = Cordon(name: "free")

    /// What an account or a script says when it wants a host for itself.
    package static let own = "private"

    /// - Parameter account: nil if it is not known.
    package init(of account: RoutedAccount?) {
        guard let account, let setting = account.cordon else {
            self = .standard
            return
        }
        self.init(name: setting == Self.own ? "\(Self.own):\(account.id)" : setting)
    }

    /// A script's own setting counts for more than its account's.
    package init(of script: RoutedScript, in account: RoutedAccount?) {
        guard let setting = script.cordon else {
            self.init(of: account)
            return
        }
        self.init(name: setting == Self.own ? "\(Self.own):\(script.key)" : setting)
    }

    /// - Returns: what is wrong with a setting; nil if it can be used.
    package static func complaint(about setting: String) -> String? {
        let isName =
            (1...32).contains(setting.utf8.count) && setting.first != "-"
            && setting.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
        return isName
            ? nil : "a cordon is 'free', 'paid', 'private' or another name of 1 to 32 small letters, digits and hyphens"
    }
}
