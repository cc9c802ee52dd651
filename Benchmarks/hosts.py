"""Figures of the supervisor's hosts: what the sandbox costs, how soon a host is replaced, and what is lost with one."""
import os
import signal
import socket
import threading
import time

from lab import percentile, wait_for

CRASHES, CLIENTS, ROUNDS = 50, 4, 3
HELLO = "export default { fetch: () => new Response('Hello World') };"


def sandbox(lab, row):
    """CPU time of a request with the sandbox and without, in turns."""
    folder = lab.worker_folder("sandbox", {"hello": HELLO})
    used = {"best-effort": [], "off": []}
    for _ in range(ROUNDS):
        for mode, times in used.items():
            with lab.serve(folder, "--sandbox", mode) as server:
                times.append(lab.load(server, host="hello.localhost")[1])
    with_it, without = (min(times) for times in used.values())
    yield row("CPU time of a request in the sandbox, against one without", with_it / without, "x", 1.05, None, "",
              f"{with_it:.1f} and {without:.1f} us, the least of {ROUNDS} runs each")


def _ask(port):
    """One request on a connection of its own: "answered", "cut" or "refused"."""
    try:
        client = socket.create_connection(("127.0.0.1", port), timeout=30)
    except OSError:
        return "refused"
    with client:
        try:
            client.sendall(b"GET / HTTP/1.1\r\nHost: hello.localhost\r\nConnection: close\r\n\r\n")
            answer = b""
            while piece := client.recv(65536):
                answer += piece
            return "answered" if answer.endswith(b"Hello World") else "cut"
        except OSError:
            return "cut"


def crashes(lab, row):
    """A host that is killed again and again under load."""
    folder = lab.worker_folder("crashes", {"hello": HELLO})
    with lab.serve(folder) as server:
        counts, stop, lock = {"answered": 0, "cut": 0, "refused": 0}, threading.Event(), threading.Lock()

        def load():
            while not stop.is_set():
                result = _ask(server.port)
                with lock:
                    counts[result] += 1

        clients = [threading.Thread(target=load) for _ in range(CLIENTS)]
        for client in clients:
            client.start()
        times = []
        for number in range(CRASHES):
            time.sleep(0.6)
            host = server.hosts()[0]["pid"]
            start = time.perf_counter()
            os.kill(host, [signal.SIGSEGV, signal.SIGKILL, signal.SIGABRT][number % 3])
            # What is asked from now on waits for the next host.
            while True:
                hosts = server.hosts()
                if hosts and hosts[0]["pid"] != host:
                    break
                time.sleep(0.002)
            times.append((time.perf_counter() - start) * 1e3)
        stop.set()
        for client in clients:
            client.join()
    yield row(f"a crashed host is replaced, p50 of {CRASHES}", percentile(times, 0.5), "ms", 500, None, "",
              f"p99 {percentile(times, 0.99):.0f} ms, {CLIENTS} clients asking all the time")
    yield row(f"requests cut over {CRASHES} crashes, of {sum(counts.values())}", counts["cut"], "", None, None, "",
              f"{counts['refused']} connections refused")


# What ends an isolate, each in its own way: a full heap, a request to stop, a jump out of a loop that looks at none.
CULPRITS = {
    "heap": "const a = []; for (;;) a.push(new Array(1000).fill(1.1));",
    "loop": "for (;;) {}",
    "builtin": "[].forEach.call({ length: 2 ** 53 - 1 }, () => {});",
}
CONDEMNED, WARM = 100, 20


def _resident(process):
    with open(f"/proc/{process}/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def condemned(lab, row):
    """What a host keeps of isolates that were ended for a limit."""
    workers = {name: f"export default {{ fetch() {{ {code} }} }};" for name, code in CULPRITS.items()}
    folder = lab.worker_folder("condemned", {**workers, "hello": HELLO})
    flags = ["--taint-budget", "1000000", "--memory-mb", "32", "--cpu-ms", "500", "--blank-isolates", "2"]
    with lab.serve(folder, *flags) as server:
        wait_for(server.admin).close()
        process = server.hosts()[0]["pid"]
        for name in CULPRITS:
            def end(times):
                for _ in range(times):
                    server.get(host=f"{name}.localhost")
                # What is disposed of on a thread of its own is gone when a fresh one answers, and a moment later.
                server.get(host="hello.localhost")
                time.sleep(2)
            end(WARM)
            before = _resident(process)
            end(CONDEMNED)
            kept = (_resident(process) - before) / CONDEMNED / 1024
            status = server.hosts()[0]
            yield row(f"memory kept per condemned isolate ({name})", kept, "KiB", None, None, "",
                      f"{CONDEMNED} isolates after {WARM}; {status['leakedIsolates']} of "
                      f"{status['condemnedIsolates']} so far could not be disposed of, "
                      f"{_resident(process) >> 20} MiB resident")
        if server.hosts()[0]["pid"] != process:
            raise SystemExit("the host was replaced meanwhile")
