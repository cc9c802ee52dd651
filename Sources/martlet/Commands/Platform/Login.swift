import ArgumentParser
import Client
import Foundation
import Model

/// `martlet login`: keeps where a platform is and a token for it.
struct Login: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Stores a platform's address and a token for it.",
        discussion: "The token is read from stdin. Both are kept in ~/.config/martlet, readable by you only.")

    @Option(help: "The address of the platform's admin port.")
    var endpoint = "http://127.0.0.1:8788"
    @Option(help: "The account that later commands are about.")
    var account: String?

    func validate() throws {
        guard endpoint.hasPrefix("http://") || endpoint.hasPrefix("https://") else {
            throw ValidationError("--endpoint takes an http or https URL, not '\(endpoint)'.")
        }
    }

    func run() throws {
        let token = try Input.secret("Token").filter { !$0.isWhitespace }
        guard !token.isEmpty else { throw CleanFailure("no token was given on stdin") }
        var address = endpoint
        while address.hasSuffix("/") { address.removeLast() }
        let credentials = Credentials(endpoint: address, token: token, account: account)
        try Connection.clean {
            try PlatformClient(credentials).call("GET", "/user/tokens/verify")
            try credentials.write(ProcessInfo.processInfo.environment)
        }
        print("Logged in to \(address).")
    }
}

/// `martlet whoami`: the token and what it can see.
struct WhoAmI: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "whoami", abstract: "Shows the accounts that the token is for.")

    @OptionGroup var list: ListOptions

    func run() throws {
        try Connection.clean {
            let client = PlatformClient(try Credentials.find(ProcessInfo.processInfo.environment))
            let accounts = try client.pages("/memberships")
            list.show(
                .array(accounts), accounts,
                [
                    ("ACCOUNT", { $0["account"]?.cell("id") ?? "" }), ("NAME", { $0["account"]?.cell("name") ?? "" }),
                    ("SCOPE", { $0["roles"]?.strings?.joined(separator: ", ") ?? "" }),
                ])
        }
    }
}
