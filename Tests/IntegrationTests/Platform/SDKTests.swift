import Testing

/// The official Python SDK, as its users write it, from a virtual environment that the test makes.
@Suite("The Python SDK") struct SDKTests {
    @Test func drivesThePlatform() throws {
        let platform = try Platform()
        let python = try PythonClients.python()
        let result = try Program.run(
            python, ["-"], input: Self.program,
            environment: [
                "CLOUDFLARE_BASE_URL": "http://127.0.0.1:\(platform.martlet.ports[1])/client/v4",
                "CLOUDFLARE_API_TOKEN": platform.token, "ACCOUNT": platform.account,
                "PORT": "\(platform.martlet.port)",
            ])
        #expect(result.status == 0, "\(result.output)")
        #expect(result.output.hasSuffix("all done\n"), "\(result.output)")
    }

    private static let program = #"""
        import os, urllib.request, urllib.error
        import cloudflare

        account = os.environ["ACCOUNT"]
        client = cloudflare.Cloudflare(max_retries=0)
        workers = client.workers

        def get(host, path="/"):
            url = f"http://127.0.0.1:{os.environ['PORT']}{path}"
            request = urllib.request.Request(url, headers={"Host": host})
            try:
                with urllib.request.urlopen(request, timeout=20) as answer:
                    return answer.read().decode()
            except urllib.error.HTTPError as error:
                return error.code

        assert client.user.tokens.verify().status == "active"
        assert [a.id for a in client.accounts.list()] == [account]
        assert client.accounts.get(account_id=account).name == "main"

        def files(text):
            module = "application/javascript+module"
            return [
                ("index.js", f"import {{ x }} from './lib/x.js';\nexport default {{ "
                 f"fetch: (r, env) => new Response(`{text} ${{x}} ${{env.V}} ${{env.S}}`) }};".encode(), module),
                ("lib/x.js", b"export const x = 'lib';", module),
            ]

        metadata = {"main_module": "index.js", "compatibility_date": "2026-01-01",
                    "bindings": [{"type": "plain_text", "name": "V", "text": "v"}]}
        made = workers.scripts.update("sdk", account_id=account, metadata=metadata, files=files("one"))
        assert made.id == "sdk", made
        workers.scripts.subdomain.create("sdk", account_id=account, enabled=True)
        assert get("sdk.main.localhost") == "one lib v undefined"
        assert [s.id for s in workers.scripts.list(account_id=account)] == ["sdk"]

        secret = {"name": "S", "text": "hidden", "type": "secret_text"}
        workers.scripts.secrets.update("sdk", account_id=account, **secret)
        assert [s.name for s in workers.scripts.secrets.list("sdk", account_id=account)] == ["S"]
        assert get("sdk.main.localhost") == "one lib v hidden"

        raw = workers.scripts.versions.with_raw_response
        version = raw.create("sdk", account_id=account, metadata=metadata, files=files("two")).json()["result"]
        assert get("sdk.main.localhost") == "one lib v hidden"
        workers.scripts.deployments.create(
            "sdk", account_id=account, strategy="percentage",
            versions=[{"version_id": version["id"], "percentage": 100}])
        assert get("sdk.main.localhost") == "two lib v hidden"
        numbers = [v.number for v in workers.scripts.versions.list("sdk", account_id=account)]
        assert numbers == [3, 2, 1], numbers

        schedules = workers.scripts.schedules.update("sdk", account_id=account, body=[{"cron": "*/5 * * * *"}])
        assert [s.cron for s in schedules.schedules] == ["*/5 * * * *"]

        zone = client.zones.create(account={"id": account}, name="example.com", type="full")
        assert [z.name for z in client.zones.list()] == ["example.com"]
        route = workers.routes.create(zone_id=zone.id, pattern="example.com/*", script="sdk")
        assert get("example.com") == "two lib v hidden"
        workers.routes.delete(route.id, zone_id=zone.id)
        assert get("example.com") == 404
        domain = workers.domains.update(account_id=account, hostname="www.example.com", service="sdk")
        assert get("www.example.com") == "two lib v hidden"
        workers.domains.delete(domain.id, account_id=account)
        assert get("www.example.com") == 404

        kv = client.kv.namespaces
        namespace = kv.create(account_id=account, title="sdk")
        ids = {"account_id": account, "namespace_id": namespace.id}
        kv.values.update("a/b", value=b"\x00\xff", metadata={"m": 1}, **ids)
        assert kv.values.get("a/b", **ids).read() == b"\x00\xff"
        assert kv.metadata.get("a/b", **ids) == {"m": 1}
        kv.bulk_update(namespace.id, account_id=account,
                       body=[{"key": f"k{n}", "value": f"{n}"} for n in range(25)])
        names = [k.name for k in kv.keys.list(namespace.id, account_id=account, prefix="k", limit=10)]
        assert len(names) == 25, names
        kv.bulk_delete(namespace.id, account_id=account, body=["k1", "k2"])
        kv.values.delete("a/b", **ids)
        assert len(list(kv.keys.list(namespace.id, account_id=account))) == 23
        assert [n.title for n in kv.list(account_id=account)] == ["sdk"]
        kv.delete(namespace.id, account_id=account)

        try:
            workers.scripts.update("sdk", account_id=account, metadata={"main_module": "index.js"},
                                   files=[("index.js", b"export default {", "application/javascript+module")])
            raise SystemExit("a syntax error was deployed")
        except cloudflare.BadRequestError as error:
            assert error.errors[0].code == 10021, error
        assert get("sdk.main.localhost") == "two lib v hidden"

        import base64, hashlib
        pages = {"/index.html": b"<h1>sdk</h1>", "/img.png": b"\x89PNG"}
        names = {path: hashlib.sha256(base64.b64encode(data)).hexdigest()[:32] for path, data in pages.items()}
        manifest = {path: {"hash": names[path], "size": len(data)} for path, data in pages.items()}
        session = workers.scripts.assets.upload.create("site", account_id=account, manifest=manifest)
        assert sum(len(bucket) for bucket in session.buckets) == 2, session
        uploads = cloudflare.Cloudflare(api_token=session.jwt, max_retries=0).workers.assets.upload
        sent = uploads.create(account_id=account, base64=True,
                              body={names[path]: base64.b64encode(data).decode() for path, data in pages.items()})
        raw_site = workers.scripts.update("site", account_id=account, files=[], metadata={
            "assets": {"jwt": sent.jwt, "config": {"not_found_handling": "single-page-application"}}})
        assert raw_site.has_assets, raw_site
        workers.scripts.subdomain.create("site", account_id=account, enabled=True)
        assert get("site.main.localhost", "/any/where") == "<h1>sdk</h1>"
        again = workers.scripts.assets.upload.create("site", account_id=account, manifest=manifest)
        assert again.buckets == [], again

        workers.scripts.delete("sdk", account_id=account)
        try:
            workers.scripts.settings.get("sdk", account_id=account)
            raise SystemExit("a deleted script is there")
        except cloudflare.NotFoundError:
            pass
        print("all done")

        """#
}
