import Foundation
import Testing

/// The commands of the README's quick start, as they stand there.
@Suite("Quick start") struct QuickStartTests {
    private static let readme = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../../README.md").standardized

    /// The lines of the first block of commands under the heading.
    private static func commands() throws -> [String] {
        let text = try String(contentsOf: readme, encoding: .utf8)
        let section = try #require(text.split(separator: "\n## Quick start\n").dropFirst().first)
        let block = try #require(section.split(separator: "```sh\n").dropFirst().first?.split(separator: "```").first)
        return block.split(separator: "\n").map(String.init)
    }

    /// Stands in PATH under the name of the real one: picks free ports, and tells `login` which.
    private static let wrapper = """
        #!/bin/sh
        case "$1" in
        serve) exec "$MARTLET" "$@" --port 0 --admin-port 0 ;;
        login)
            address=$(sed -n 's/^Listening on //p' "$HOME/platform.txt" | tail -n 1)
            exec "$MARTLET" "$@" --endpoint "$address" ;;
        *) exec "$MARTLET" "$@" ;;
        esac
        """

    @Test func fiveCommandsFromNothingToAWorkerWithKV() throws {
        let commands = try Self.commands()
        #expect(commands.count == 5)
        let home = try ScratchFolder()
        try home.write("bin/martlet", Self.wrapper)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: "\(home.path)/bin/martlet")
        // A person waits for the platform before the next command, and sees at the end that it is still there.
        let script = """
            \(commands[0])
            platform=$!
            trap 'kill $platform' EXIT
            until [ "$(grep -c '^Listening' platform.txt)" = 2 ]; do sleep 0.05; done
            set -e
            \(commands.dropFirst().joined(separator: "\n"))
            address=$(sed -n 's/^Listening on //p' "$HOME/platform.txt" | head -n 1)
            python3 - "$address" <<'END'
            import sys, urllib.request
            request = urllib.request.Request(sys.argv[1] + "/here", headers={"Host": "visits.main.localhost"})
            for _ in range(2): print(urllib.request.urlopen(request, timeout=30).read().decode(), end="")
            END
            """
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        let result = try Program.run(
            "/usr/bin/env", ["--chdir", home.path, "sh", "-c", script],
            environment: [
                "HOME": home.path, "XDG_CONFIG_HOME": "\(home.path)/config", "MARTLET": Martlet.binary,
                "PATH": "\(home.path)/bin:\(path)",
            ])
        #expect(result.status == 0, "\(result.output)")
        #expect(
            result.output.hasSuffix("Hello! Visits of /here: 1\nHello! Visits of /here: 2\n"), "\(result.output)")
        #expect(FileManager.default.fileExists(atPath: "\(home.path)/visits/src/index.ts"))
    }
}
