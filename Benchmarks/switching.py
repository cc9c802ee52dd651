"""Figures that are charts: switching between many isolates, and CPU-bound answers, against processes."""
import os
import socket
import subprocess
import threading
import time

from charts import line_chart
from lab import percentile

COUNTS = [1, 10, 100, 1000]
ROUNDS = 6000
# Turns of each before the clock starts: until then V8 compiles, and collects what starting left.
WARM_UP = 20


def isolate_turns(server, count):
    """Microseconds per request, one after the other on one connection, round robin over `count` workers."""
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        requests = [f"GET / HTTP/1.1\r\nHost: w{i}.localhost\r\n\r\n".encode() for i in range(count)]

        def turns(times):
            for turn in range(times):
                client.sendall(requests[turn % count])
                client.recv(4096)

        turns(WARM_UP * count)
        start = time.perf_counter()
        turns(ROUNDS)
        return (time.perf_counter() - start) * 1e6 / ROUNDS


def process_turns(count):
    """The same with `count` processes that answer a byte with a byte over pipes: cat, as small as processes get."""
    processes = [
        subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) for _ in range(count)]
    try:
        ends = [(process.stdin.fileno(), process.stdout.fileno()) for process in processes]

        def turns(times):
            for turn in range(times):
                end = ends[turn % count]
                os.write(end[0], b"x")
                os.read(end[1], 1)

        turns(WARM_UP * count)
        start = time.perf_counter()
        turns(ROUNDS)
        return (time.perf_counter() - start) * 1e6 / ROUNDS
    finally:
        for process in processes:
            process.kill()
        for process in processes:
            process.wait()
            process.stdin.close()
            process.stdout.close()


def switching(lab, row):
    source = ("const table = Array.from({ length: 2000 }, (_, i) => ({ i, name: 'n' + i })); let n = 0;"
              " export default { fetch: () => new Response(table[n = (n + 7) % 2000].name) };")
    folder = lab.worker_folder("switching", {f"w{i}": source for i in range(COUNTS[-1])})
    with lab.serve(folder, "--front-lanes", "1") as server:
        isolates = [(count, isolate_turns(server, count)) for count in COUNTS]
    processes = [(count, process_turns(count)) for count in COUNTS]
    lab.chart("switching", line_chart(
        "A turn over many: isolates in one process, and processes", "how many take turns",
        "microseconds a turn", {"isolates, HTTP request and answer": isolates, "processes (cat), a byte": processes},
        log_x=True))
    added = isolates[-1][1] - isolates[0][1]
    against = f"1,000 processes: {processes[-1][1]:.1f} us a turn, one: {processes[0][1]:.1f} us"
    yield row("added by switching between 1,000 isolates, against between 1,000 processes over pipes",
              added / max(0.1, processes[-1][1] - processes[0][1]), "of what processes add", None, None, against,
              f"1,000 isolates: {isolates[-1][1]:.1f} us a turn, one: {isolates[0][1]:.1f} us (docs/switching.svg)")


# Integers only: what engines of different age make of this is the same code, so that the chart shows scheduling.
WORK = "let x = 1; for (let i = 0; i < LOOPS; i++) x = (Math.imul(x, 31) + i) | 0;"
FUNCTIONS = 8
SHARES = [0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99]


def closed_loops(ports_and_hosts, seconds):
    """Latencies in ms of one client for each, each with one request at a time and a pause that fills both cores."""
    results, stop = [], time.perf_counter() + seconds

    def client(port, host):
        with socket.create_connection(("127.0.0.1", port)) as connection:
            while time.perf_counter() < stop:
                start = time.perf_counter()
                connection.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
                connection.recv(4096)
                results.append((time.perf_counter() - start) * 1e3)

    threads = [threading.Thread(target=client, args=pair) for pair in ports_and_hosts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def cpu_bound(lab, row):
    loops = "45000000"
    work = WORK.replace("LOOPS", loops)
    workers = {f"f{i}": f"export default {{ fetch() {{ {work} return new Response(String(x)); }} }};"
               for i in range(FUNCTIONS)}
    with lab.serve(lab.worker_folder("bound", workers), "--cpu-ms", "2000", "--back-lanes", str(FUNCTIONS)) as server:
        places = [(server.port, f"f{i}.localhost") for i in range(FUNCTIONS)]
        closed_loops(places, 2)
        ours = closed_loops(places, 10)
    source = f"require('http').createServer((q, r) => {{ {work} r.end(String(x)); }}).listen(PORT);"
    contexts = [lab.peer("node", source) for _ in range(FUNCTIONS)]
    servers = [context.__enter__() for context in contexts]
    places = [(server.port, "localhost") for server in servers]
    closed_loops(places, 2)
    theirs = closed_loops(places, 10)
    for context in contexts:
        context.__exit__(None, None, None)
    lines = {"Martlet: one process": ours, f"Node 24: {FUNCTIONS} processes": theirs}
    lab.chart("cpu-bound", line_chart(
        f"50 ms of CPU a request, {FUNCTIONS} functions at once on two cores", "percentile", "milliseconds to the answer",
        {name: [(share * 100, percentile(values, share)) for share in SHARES] for name, values in lines.items()}))
    median, tail = percentile(ours, 0.5), percentile(ours, 0.99)
    yield row(f"p99 of CPU-bound answers, {FUNCTIONS} functions flat out", tail / percentile(theirs, 0.99),
              "of a Node process per function", None, None,
              f"Node: p50 {percentile(theirs, 0.5):.0f} ms, p99 {percentile(theirs, 0.99):.0f} ms, "
              f"{len(theirs)} answers", f"p50 {median:.0f} ms, p99 {tail:.0f} ms, {len(ours)} answers (docs/cpu-bound.svg)")
