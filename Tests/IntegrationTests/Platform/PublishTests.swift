import Testing

/// `cf-publish`, as its users call it. Its base address is a constant: only that is set.
@Suite("cf-publish") struct PublishTests {
    private static let wrapper = """
        import os, sys
        import cf_publish.pages
        cf_publish.pages.API = os.environ["API"]
        import cf_publish.worker
        if hasattr(cf_publish.worker, "API"):
            cf_publish.worker.API = os.environ["API"]
        from cf_publish.cli import main
        main(sys.argv[1:])
        """

    @Test func deploysAFolder() throws {
        let platform = try Platform()
        let folder = try ScratchFolder()
        try folder.write("wrapper.py", Self.wrapper)
        try folder.write(
            "site/wrangler.toml",
            """
            name = "published"
            main = "index.js"
            compatibility_date = "2026-01-01"
            [vars]
            V = "v"
            [triggers]
            crons = ["0 0 * * *"]
            """)
        try folder.write(
            "site/index.js",
            """
            import { x } from "./lib/x.js";
            export default {
              fetch: (r, env) => new Response(`${x} ${env.V} ${env.S}`),
              scheduled() {},
            };
            """)
        try folder.write("site/lib/x.js", "export const x = 'lib';")
        let result = try Program.run(
            try PythonClients.python(),
            [
                "\(folder.path)/wrapper.py", "worker", "deploy", "\(folder.path)/site", "--workers-dev", "--secret",
                "S", "--json",
            ],
            environment: [
                "API": "http://127.0.0.1:\(platform.martlet.ports[1])/client/v4",
                "CLOUDFLARE_API_TOKEN": platform.token, "CLOUDFLARE_ACCOUNT_ID": platform.account, "S": "hidden",
                "HOME": folder.path,
            ])
        #expect(result.status == 0, "\(result.output)")
        #expect(try platform.get("published").text == "lib v hidden")
        let schedules = try platform.done("GET", "/accounts/{A}/workers/scripts/published/schedules")
        #expect("\(schedules)".contains("0 0 * * *"))
    }
}
