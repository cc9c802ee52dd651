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

    @Test func publishesPages() throws {
        let platform = try Platform()
        let folder = try ScratchFolder()
        try folder.write("wrapper.py", Self.wrapper)
        try folder.write("site/index.html", "<h1>pages</h1>")
        try folder.write("site/css/site.css", "body {}")
        try folder.write("site/_headers", "/*\n  X-Pages: yes\nbroken line\n")
        try folder.write("site/_redirects", "/* /index.html 200\n/old /css/site.css 301\n")
        func publish(_ flags: [String] = []) throws -> (status: Int32, output: String) {
            try Program.run(
                try PythonClients.python(),
                ["\(folder.path)/wrapper.py", "\(folder.path)/site", "--project", "pages"] + flags,
                environment: [
                    "API": "http://127.0.0.1:\(platform.martlet.ports[1])/client/v4",
                    "CLOUDFLARE_API_TOKEN": platform.token, "CLOUDFLARE_ACCOUNT_ID": platform.account,
                    "HOME": folder.path,
                ])
        }
        let first = try publish()
        #expect(first.status == 0, "\(first.output)")
        #expect(first.output.contains("created project"))
        #expect(first.output.contains("deployed: http://pages.main.localhost"))
        let home = try platform.get("pages")
        #expect(home.text == "<h1>pages</h1>")
        #expect(home["X-Pages"] == "yes")
        // Without a page for what is not there, all is one page.
        #expect(try platform.get("pages", "/any/where").text == "<h1>pages</h1>")
        #expect(try platform.get("pages", "/css/site.css")["Content-Type"] == "text/css; charset=utf-8")
        #expect(try platform.get("pages", "/old")["Location"] == "/css/site.css")
        try folder.write("site/404.html", "not here")
        let second = try publish()
        #expect(second.output.contains("uploading 1 / 3"), "\(second.output)")
        let missing = try platform.get("pages", "/any/where")
        #expect(missing.status == 404)
        #expect(missing.text == "not here")
        let preview = try publish(["--branch", "feature"])
        #expect(preview.status == 1)
        #expect(preview.output.contains("no preview deployments"))
        #expect(try platform.get("pages").text == "<h1>pages</h1>")
        let listed = try platform.done("GET", "/accounts/{A}/pages/projects")
        #expect("\(listed)".contains("pages.main.localhost"))
        try platform.done("DELETE", "/accounts/{A}/pages/projects/pages")
        #expect(try platform.get("pages").status == 404)
        #expect(try platform.call("GET", "/accounts/{A}/pages/projects/pages").code == 8_000_007)
    }
}
