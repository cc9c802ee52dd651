"""The figures: each a function that measures and gives rows for the table."""
import platform
import re
import socket
import subprocess
import threading
import time

import hosting
import hosts
import switching
import webapis
from lab import percentile, wait_for, free_port

WORKER_5K = "".join(
    f"function util{k}(a, b) {{ const o = {{ ...a, ...b }}; return Object.keys(o).map((x) => x + o[x]).join('&'); }}\n"
    for k in range(52))


def sized_worker(number):
    return WORKER_5K + f"export default {{ async fetch(r) {{ return new Response('{number}' + util1({{ a: 1 }})); }} }};\n"


def row(what, value, unit, bar, aim, against="", note=""):
    return {"what": what, "value": value, "unit": unit, "bar": bar, "aim": aim, "against": against, "note": note}


def verdict(entry):
    if entry["bar"] is None:
        return "-"
    if entry["aim"] is not None and entry["value"] <= entry["aim"]:
        return "aim met"
    return "bar met" if entry["value"] <= entry["bar"] else f"missed: {entry['value'] / entry['bar']:.2f} times the bar"


# MARK: Cold starts

def node_start(lab, times=8):
    """Milliseconds from spawning Node 24 to its first answer."""
    script = lab.folder / "node-start.js"
    results = []
    for _ in range(times):
        port = free_port()
        script.write_text(f"require('http').createServer((q, r) => r.end('hi')).listen({port})")
        start = time.perf_counter()
        process = subprocess.Popen([str(lab.node()), str(script)])
        with wait_for(port) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            client.recv(1024)
        results.append((time.perf_counter() - start) * 1e3)
        process.kill()
        process.wait()
    return percentile(results, 0.5)


def first_requests(server, names, pause):
    results = []
    for name in names:
        start = time.perf_counter()
        with socket.create_connection(("127.0.0.1", server.port)) as client:
            client.sendall(f"GET / HTTP/1.1\r\nHost: {name}.localhost\r\n\r\n".encode())
            answer = client.recv(4096)
        results.append((time.perf_counter() - start) * 1e3)
        if not answer.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(answer)
        time.sleep(max(0, pause - (time.perf_counter() - start)))
    return results


def cold(lab):
    node = node_start(lab)
    folder = lab.worker_folder("cold", {f"w{i}": sized_worker(i) for i in range(600)})
    with lab.serve(folder) as server:
        time.sleep(2)  # What a deployment does ahead: the pool is full, the workers are compiled.
        steady = first_requests(server, [f"w{i}" for i in range(300)], 0.01)
        warm = first_requests(server, [f"w{i}" for i in range(300)], 0.01)
        hasty = first_requests(server, [f"w{i}" for i in range(300, 600)], 0)
    against = f"Node 24 process start to first answer: {node:.0f} ms"
    p50, p99, burst = percentile(steady, 0.5), percentile(steady, 0.99), percentile(hasty, 0.5)
    yield row("cold start of a 5 kB worker, 100 a second, p50", p50 / node, "of Node's", 1 / 100, None, against,
              f"{p50:.2f} ms; p99 {p99:.2f} ms (aim: under 5); the same clients' second requests, on new connections "
              f"too: {percentile(warm, 0.5):.2f} ms")
    yield row("the same back to back, p50", burst / node, "of Node's", 1 / 20, 1 / 50, against, f"{burst:.2f} ms")


# MARK: Memory

def memory(lab):
    folder = lab.worker_folder("memory", {f"w{i}": sized_worker(i) for i in range(1000)})
    with lab.serve(folder) as server:
        time.sleep(1)
        before = server.pss()
        first_requests(server, [f"w{i}" for i in range(1000)], 0)
        time.sleep(2)
        each = (server.pss() - before) / 1000
    with lab.peer("node", "require('http').createServer((q, r) => r.end('hi')).listen(PORT)") as node:
        node.get()
        time.sleep(1)
        idle = node.pss()
    yield row("resident memory per idle worker at 1,000 workers", each, "MB", 2.0, 1.2)
    yield row("the same against an idle Node 24 process (PSS)", each / idle, "of Node's", 1 / 15, 1 / 25,
              f"Node 24: {idle:.0f} MB")


def alive(lab):
    source = "let n = 0; export default { async fetch() { return new Response(String(++n)); } };"
    folder = lab.worker_folder("alive", {f"w{i}": source for i in range(4000)})
    with lab.serve(folder, "--memory-budget-mb", "16000") as server:
        names = [f"w{i}" for i in range(4000)]
        first_requests(server, names, 0)
        again = 0
        for name in names:
            again += server.get(f"{name}.localhost").endswith(b"\r\n2")
    yield row("isolates alive and answering in one process", 4000 / max(1, again), "of 4,000 (1 is all)", 1.0, 1.0,
              note=f"{again} of 4,000 answered their second request with state kept")


# MARK: CPU time per request

HTTP = {
    "hello": ("Hello World", 1.3, 1.0, 'return new Response("Hello World");', None),
    "json": ("JSON answer", 1.5, 1.0, 'return Response.json({ a: 1, b: [1, 2, 3], c: "text" });', None),
    "headers": (
        "6 headers read and set", 1.5, 1.0,
        'const h = new Headers(); for (let i = 0; i < 6; i++) h.set("x-out-" + i, r.headers.get("x-in-" + i) ?? "");'
        ' return new Response("ok", { headers: h });',
        "".join(f'wrk.headers["x-in-{i}"] = "value {i}"\n' for i in range(6))),
    "post1k": ("POST echo of 1 kB", 1.5, 1.0, "return new Response(await r.text());",
               'wrk.method = "POST"\nwrk.body = string.rep("x", 1000)\n'),
    "post100k": ("POST echo of 100 kB", 1.5, 1.0, "return new Response(await r.text());",
                 'wrk.method = "POST"\nwrk.body = string.rep("x", 100000)\n'),
}


def http(lab):
    workers = {name: f"export default {{ async fetch(r) {{ {code} }} }};" for name, (_, _, _, code, _) in HTTP.items()}
    with lab.serve(lab.worker_folder("http", workers), "--front-lanes", "1") as martlet:
        for name, (title, bar, aim, code, script) in HTTP.items():
            deno_source = f'Deno.serve({{ port: PORT, hostname: "127.0.0.1" }}, async (r) => {{ {code} }});'
            bun_source = f'Bun.serve({{ port: PORT, hostname: "127.0.0.1", async fetch(r) {{ {code} }} }});'
            with lab.peer("deno", deno_source) as deno, lab.peer("bun", bun_source) as bun:
                best = {"martlet": 1e9, "deno": 1e9, "bun": 1e9}
                for _ in range(3):
                    for who, server in (("martlet", martlet), ("deno", deno), ("bun", bun)):
                        _, cost = lab.load(server, host=f"{name}.localhost", script=script, seconds=2)
                        best[who] = min(best[who], cost)
            peer = min(best["deno"], best["bun"])
            yield row(f"CPU time per request: {title}", best["martlet"] / peer, "of the better peer", bar, aim,
                      f"Deno {best['deno']:.1f} us, Bun {best['bun']:.1f} us",
                      f"{best['martlet']:.1f} us; the best of three rounds each")


# MARK: Neighbours

#: Integers only: for floating-point numbers V8's code is twice as slow in one isolate as in another.
HOG = ("export default { fetch() { let x = 1; for (let i = 0; i < LOOPS; i++) x = (Math.imul(x, 31) + i) | 0;"
       " return new Response(String(x)); } };")


def loops_of(lab, milliseconds):
    """How many of the hogs' loops take that long here."""
    loops = 20_000_000
    with lab.serve(lab.worker_folder("calibration", {"hog": HOG.replace("LOOPS", str(loops))}),
                   "--cpu-ms", "60000") as server:
        times = []
        for _ in range(5):
            start = time.perf_counter()
            server.get("hog.localhost", "/")
            times.append((time.perf_counter() - start) * 1e3)
    return str(int(loops * milliseconds / min(times)))


def light_latency(server, host, seconds, rate=200):
    results, stop = [], time.perf_counter() + seconds
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        due = time.perf_counter()
        while due < stop:
            time.sleep(max(0, due - time.perf_counter()))
            start = time.perf_counter()
            client.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            client.recv(4096)
            results.append((time.perf_counter() - start) * 1e3)
            due += 1 / rate
    return results


def burn(server, host, stop):
    def run():
        with socket.create_connection(("127.0.0.1", server.port)) as client:
            while not stop.is_set():
                client.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
                client.recv(4096)
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


def neighbours(lab):
    loops = loops_of(lab, 50)
    light = "export default { fetch() { return new Response('light'); } };"
    hogs = {f"hog{i}": HOG.replace("LOOPS", loops) for i in range(4)}
    stop = threading.Event()
    with lab.serve(lab.worker_folder("neighbours", {"light": light, **hogs}), "--cpu-ms", "200") as server:
        light_latency(server, "light.localhost", 1)
        threads = [burn(server, f"hog{i}.localhost", stop) for i in range(4)]
        time.sleep(1)
        together = percentile(light_latency(server, "light.localhost", 8), 0.99)
        stop.set()
        for thread in threads:
            thread.join(timeout=2)
    stop = threading.Event()
    with lab.serve(lab.worker_folder("light", {"light": light})) as server:
        contexts = [lab.serve(lab.worker_folder(f"hog{i}", {f"hog{i}": hogs[f"hog{i}"]}), "--cpu-ms", "200",
                              "--front-lanes", "1", "--back-lanes", "0", "--blank-isolates", "1") for i in range(4)]
        servers = [context.__enter__() for context in contexts]
        threads = [burn(other, f"hog{i}.localhost", stop) for i, other in enumerate(servers)]
        time.sleep(1)
        apart = percentile(light_latency(server, "light.localhost", 8), 0.99)
        stop.set()
        for thread in threads:
            thread.join(timeout=2)
        for context in contexts:
            context.__exit__(None, None, None)
    yield row("p99 latency of a light worker, 200 requests/s, beside four tenants that burn 50 ms a request",
              together / apart, "of hogs in processes of their own", 3.0, 1.5, f"apart: {apart:.1f} ms",
              f"{together:.1f} ms")


ALL = {
    "cold": cold, "memory": memory, "alive": alive, "http": http, "neighbours": neighbours,
    "switching": lambda lab: switching.switching(lab, row), "cpu-bound": lambda lab: switching.cpu_bound(lab, row),
    "deploys": lambda lab: hosting.deploys(lab, row), "scripts": lambda lab: hosting.scripts(lab, row),
    "bindings": lambda lab: hosting.bindings(lab, row),
    "sandbox": lambda lab: hosts.sandbox(lab, row), "crashes": lambda lab: hosts.crashes(lab, row),
    "condemned": lambda lab: hosts.condemned(lab, row),
    "webapis": lambda lab: webapis.scripted(lab, row), "natives": lambda lab: webapis.natives(lab, row),
}


#: Where what people wrote about the figures begins in docs/benchmarks.md: it stays.
NOTES = "## What is missed"


def report(rows, lab, page):
    """The page anew; its notes are those of `page`."""
    version = subprocess.run([str(lab.node()), "--version"], capture_output=True, text=True).stdout.strip()
    deno = subprocess.run([str(lab.peers / "deno"), "--version"], capture_output=True, text=True).stdout.split()[1]
    bun = subprocess.run([str(lab.peers / "bun"), "--version"], capture_output=True, text=True).stdout.strip()
    with open("/proc/cpuinfo") as file:
        cpu = re.search(r"model name\s*: (.*)", file.read())[1]
    lines = [
        "# Benchmarks", "",
        "Written by `make bench`. A figure is a ratio of two things measured in the same run, or stands with its unit. Machine:",
        f"{cpu}, two cores, {platform.system()} {platform.release()}; Node {version}, Deno {deno}, Bun {bun}.", "",
        "| what | measured | bar | aim | verdict | in numbers | repeat |", "|---|--:|--:|--:|---|---|---|",
    ]
    number = lambda value: "" if value is None else f"{value:.3g}"
    for entry in rows:
        detail = "; ".join(part for part in (entry["note"], entry["against"]) if part)
        lines.append(f"| {entry['what']} | {number(entry['value'])} {entry['unit']} | {number(entry['bar'])} "
                     f"| {number(entry['aim'])} | {verdict(entry)} | {detail} | `{entry['command']}` |")
    lines += [""] + [f"![{name}]({name}.svg)" for name in lab.charts]
    notes = page[page.find(NOTES):] if NOTES in page else ""
    return "\n".join(lines) + "\n\n" + notes
