import ArgumentParser

@main
struct Martlet: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "martlet",
        abstract: "Runs Cloudflare-Workers-style programs: thousands of V8 isolates in one process.",
        subcommands: [Dev.self, Serve.self])
}
