"""Figures of the platform: deploys under load, ten thousand scripts in one store, bindings."""
import json
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from lab import percentile

DEPLOYS, SCRIPTS, ACCOUNTS = 50, 10_000, 1_000
#: Operations in one request, so that the request itself weighs little.
OPERATIONS = 500


def answer_of(client, host, path="/"):
    """The answer's body on a connection that stays."""
    client.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    answer = client.recv(65536)
    head, _, body = answer.partition(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
    while len(body) < length:
        body += client.recv(65536)
    return head.split(b" ", 2)[1], body


def deploys(lab, row):
    """Versions of 100 kB of one script, one after the other, while it is asked all the time."""
    filler = "const table = " + json.dumps(["some text of a script"] * 4000) + ";\n"

    def code(number):
        return f"{filler}export default {{ fetch: () => new Response('{number}:' + table.length) }};"

    with lab.platform() as (server, api):
        api.deploy("a", code(0))
        stop, failed, asked, times = threading.Event(), [], [0], []

        def ask():
            with socket.create_connection(("127.0.0.1", server.port)) as client:
                while not stop.wait(0.002):
                    status, _ = answer_of(client, "a.main.localhost")
                    asked[0] += 1
                    if status != b"200":
                        failed.append(status)

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        with socket.create_connection(("127.0.0.1", server.port)) as client:
            for number in range(1, DEPLOYS + 1):
                start = time.perf_counter()
                api.upload("a", code(number))
                while not answer_of(client, "a.main.localhost")[1].startswith(f"{number}:".encode()):
                    pass
                times.append((time.perf_counter() - start) * 1e3)
        stop.set()
        for thread in threads:
            thread.join()
    yield row(f"deploy of a 100 kB script, from the upload's first byte to the first answer, p50 of {DEPLOYS}",
              percentile(times, 0.5), "ms", 100, None, "",
              f"p99 {percentile(times, 0.99):.0f} ms; {len(failed)} of {asked[0]} requests failed meanwhile")


def scripts(lab, row):
    """A store of many scripts: how soon it is ready, and what finding one among them costs."""
    hello = "export default { fetch: () => new Response('Hello World') };"
    data = lab.folder / "scripts"
    with lab.platform(data) as (server, api):
        api.deploy("only", hello)
        _, alone = lab.load(server, host="only.main.localhost")

        def fill(numbers):
            mine = api.another()
            for number in numbers:
                account = mine.call("POST", "/accounts", {"name": f"a{number}"})["id"]
                mine.call("PUT", f"/accounts/{account}/workers/subdomain", {"subdomain": f"a{number}"})
                for script in range(SCRIPTS // ACCOUNTS):
                    mine.deploy(f"s{script}", hello, account=account)

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(fill, [range(first, ACCOUNTS, 4) for first in range(4)]))
    start = time.perf_counter()
    with lab.platform(data) as (server, _):
        while b" 200 " not in server.get(path="/readyz", port=server.admin)[:16]:
            pass
        ready = time.perf_counter() - start
        resident = server.pss()
        _, among = lab.load(server, host="s5.a500.localhost")
    yield row(f"start to ready with {SCRIPTS:,} scripts of {ACCOUNTS:,} accounts", ready, "s", 2, None, "",
              f"{resident:.0f} MB resident before the first request")
    yield row(f"CPU time that routing among {SCRIPTS:,} scripts adds to a request", among - alone, "us", 2, None,
              f"one script: {alone:.2f} us a request", f"{among:.2f} us a request")


def bindings(lab, row):
    """What one operation takes, of many one after the other in a request."""
    caller = """
        const cases = {
            none: async () => 1,
            kv: async (env) => (await env.KV.get("key")).length,
            service: async (env) => (await (await env.SVC.fetch("http://b/")).text()).length,
            rpc: async (env) => env.RPC.add(1, 2),
        };
        export default { async fetch(request, env) {
            let sum = 0;
            const run = cases[new URL(request.url).pathname.slice(1)];
            for (let i = 0; i < OPERATIONS; i++) sum += await run(env);
            return new Response(String(sum));
        } };""".replace("OPERATIONS", str(OPERATIONS))
    callee = ("import { WorkerEntrypoint } from 'cloudflare:workers';"
              "export class Adder extends WorkerEntrypoint { add(a, b) { return a + b; } }"
              "export default { fetch: () => new Response('answer') };")
    with lab.platform(None, "--cpu-ms", "30000", "--subrequests", "100000") as (server, api):
        namespace = api.call("POST", f"/accounts/{api.account}/storage/kv/namespaces", {"title": "bench"})["id"]
        api.call("PUT", f"/accounts/{api.account}/storage/kv/namespaces/{namespace}/values/key", b"a value",
                 "application/octet-stream")
        api.deploy("b", callee)
        api.deploy("a", caller, [
            {"type": "kv_namespace", "name": "KV", "namespace_id": namespace},
            {"type": "service", "name": "SVC", "service": "b"},
            {"type": "service", "name": "RPC", "service": "b", "entrypoint": "Adder"}])
        sums = {"none": 1, "kv": len("a value"), "service": len("answer"), "rpc": 3}
        medians = {}
        with socket.create_connection(("127.0.0.1", server.port)) as client:
            for name, each in sums.items():
                times = []
                for _ in range(30):
                    start = time.perf_counter()
                    status, body = answer_of(client, "a.main.localhost", f"/{name}")
                    if body != str(each * OPERATIONS).encode():
                        raise RuntimeError(f"{name}: {status} {body[:200]}")
                    times.append((time.perf_counter() - start) * 1e6 / OPERATIONS)
                medians[name] = percentile(times[5:], 0.5)
    for name, what in [("kv", "KV read from a Worker"), ("service", "service binding's fetch()"),
                       ("rpc", "call of another Worker's method")]:
        yield row(f"latency that a {what} adds, p50", medians[name] - medians["none"], "us", 100, None, "",
                  f"{OPERATIONS} in one request, one after the other")
