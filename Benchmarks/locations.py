"""A control node, a NATS server and locations, each a process of its own on this machine, and who asks them all."""
import json
import os
import random
import re
import selectors
import signal
import subprocess
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from control import ControlAPI
from lab import Server, free_port, wait_for

BINARY = os.environ.get("MARTLET_BINARY", str(Path(__file__).parent.parent / ".build/release/martlet"))
#: Between two questions to one location, in seconds, at least; and for each location, and of the time so far. An answer
#: costs two thirds of a millisecond of processor where 310 processes share two: questions are what such a machine has
#: to do otherwise.
EACH, EACH_OF_MANY, EACH_OF_TIME = 0.020, 0.0004, 0.25
#: What a location's process is started with: as few threads as it can do with.
LEAN = ["--front-lanes", "1", "--back-lanes", "1", "--blank-isolates", "1", "--egress-threads", "1"]


def open_files(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


class Prober:
    """Asks every location, over one connection each, until it gives the wanted answer."""

    def __init__(self, ports):
        self.selector = selectors.DefaultSelector()
        self.links = []
        for port in ports:
            link = wait_for(port)
            link.setblocking(False)
            state = {"socket": link, "due": 0.0, "waiting": False, "buffer": b""}
            self.selector.register(link, selectors.EVENT_READ, state)
            self.links.append(state)

    def run(self, wanted, seconds, worker="probe"):
        """When each location first answered with that text; None for those that have not in time."""
        # One that waits for a processor that the locations have would measure itself.
        self._hurry(-15)
        try:
            return self._run(wanted, seconds, worker)
        finally:
            self._hurry(0)

    @staticmethod
    def _hurry(nice):
        try:
            os.setpriority(os.PRIO_PROCESS, 0, nice)
        except PermissionError:
            pass

    def _run(self, wanted, seconds, worker):
        request = f"GET / HTTP/1.1\r\nHost: {worker}.main.localhost\r\n\r\n".encode()
        begun = time.monotonic()
        end = begun + seconds
        found = [None] * len(self.links)
        left = set(range(len(self.links)))
        index = {id(state): number for number, state in enumerate(self.links)}
        while left and time.monotonic() < end:
            now = time.monotonic()
            nearest = end
            for number in left:
                state = self.links[number]
                if state["waiting"]:
                    continue
                if state["due"] <= now:
                    state["socket"].send(request)
                    pause = max(EACH, EACH_OF_MANY * len(self.links), EACH_OF_TIME * (now - begun))
                    state["waiting"], state["due"] = True, now + pause
                else:
                    nearest = min(nearest, state["due"])
            for key, _ in self.selector.select(max(0, min(nearest - time.monotonic(), EACH))):
                number = index[id(key.data)]
                if self._answer(key.data) == wanted and number in left:
                    found[number] = time.monotonic()
                    left.discard(number)
        self._finish()
        return found

    @staticmethod
    def _answer(state):
        """The body of a whole answer; None if it is not there yet."""
        state["buffer"] += state["socket"].recv(65536)
        head, mark, body = state["buffer"].partition(b"\r\n\r\n")
        if not mark:
            return None
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        if len(body) < length:
            return None
        state["waiting"], state["buffer"] = False, b""
        return body[:length]

    def _finish(self):
        """Takes the answers that are still to come."""
        end = time.monotonic() + 5
        while any(state["waiting"] for state in self.links) and time.monotonic() < end:
            for key, _ in self.selector.select(0.1):
                self._answer(key.data)


class Network:
    """A control node and its locations."""

    def __init__(self, folder, count, feed):
        self.folder, self.processes, self.nats, self.edges = folder, [], None, []
        admin, port = free_port(), free_port()
        flags = []
        join = f"http://127.0.0.1:{admin}"
        if feed == "nats":
            self.start_nats(free_port(), free_port())
            join = f"nats://127.0.0.1:{self.nats_port}"
            flags = ["--feed", join]
        process = self.start(
            [BINARY, "serve", "--data", f"{folder}/control", "--port", str(port), "--admin-port", str(admin)] + flags,
            "control")
        account, token = self.line("control", "Account "), self.line("control", "Token ")
        wait_for(admin).close()
        self.control = Server(process, port, admin)
        self.api = ControlAPI(self.control, account, token)
        self.environment = os.environ | {
            "MARTLET_ENDPOINT": f"http://127.0.0.1:{admin}", "MARTLET_TOKEN": token}
        time.sleep(2)
        self.before = self.hub()
        places = json.loads(self.martlet("location", "places", "--json"))[:count]
        for place in places:
            self.martlet("location", "add", place["id"], "--out", f"{folder}/{place['id']}.json")
            self.edges.append(self.start_edge(place["id"], join))

    def start_nats(self, port, status):
        self.nats_port, self.nats_status = port, status
        config = self.folder / "nats.conf"
        config.write_text(f'listen: "127.0.0.1:{port}"\nhttp: "127.0.0.1:{status}"\n'
                          f'jetstream {{ store_dir: "{self.folder}/nats" }}\n')
        process = self.start(["/usr/sbin/nats-server", "-c", str(config)], "nats")
        wait_for(port).close()
        self.nats = Server(process, port)

    def start_edge(self, name, join):
        port = free_port()
        command = [BINARY, "edge", "--join", join, "--credentials", f"{self.folder}/{name}.json", "--data",
                   f"{self.folder}/{name}", "--port", str(port), "--admin-port", "0", *LEAN]
        return Server(self.start(command, name), port)

    def start(self, command, name):
        with open(f"{self.folder}/{name}.out", "wb") as out, open(f"{self.folder}/{name}.log", "wb") as log:
            process = subprocess.Popen(command, stdout=out, stderr=log)
        self.processes.append(process)
        return process

    def line(self, name, prefix, seconds=30):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for line in Path(f"{self.folder}/{name}.out").read_text().splitlines():
                if line.startswith(prefix):
                    return line[len(prefix):]
            time.sleep(0.01)
        raise TimeoutError(f"{name} has not said '{prefix}'")

    def martlet(self, *arguments):
        done = subprocess.run([BINARY, *arguments], env=self.environment, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{arguments}: {done.stderr}{done.stdout}")
        return done.stdout

    def hub(self):
        """What the hub has used so far, and has: the NATS server's figures, those of the control node beside them."""
        now = {"time": time.monotonic(), "control_cpu": self.control.cpu(), "control_mb": self.control.pss(),
               "control_files": open_files(self.control.pid), "edges_cpu": sum(edge.cpu() for edge in self.edges)}
        if self.nats:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.nats_status}/varz") as answer:
                varz = json.load(answer)
            now |= {"nats_cpu": self.nats.cpu(), "nats_mb": self.nats.pss(), "nats_files": open_files(self.nats.pid),
                    "bytes_out": varz["out_bytes"], "bytes_in": varz["in_bytes"], "messages_out": varz["out_msgs"],
                    "messages_in": varz["in_msgs"]}
        return now

    def deploy(self, number, size):
        """When it was acknowledged."""
        padding = "".join(random.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=size))
        self.api.upload("probe", f"export default {{ fetch: () => new Response('{number}') }};\n// {padding}\n")
        return time.monotonic()

    def fill(self, count):
        """So many scripts, ten to an account."""
        def accounts(numbers):
            mine = self.api.another()
            for number in numbers:
                account = mine.call("POST", "/accounts", {"name": f"a{number}"})["id"]
                mine.call("PUT", f"/accounts/{account}/workers/subdomain", {"subdomain": f"a{number}"})
                for script in range(10):
                    mine.deploy(f"s{script}", f"export default {{ fetch: () => new Response('{number}') }};",
                                account=account)

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(accounts, [range(first, count // 10, 4) for first in range(4)]))

    def end(self):
        for process in reversed(self.processes):
            process.send_signal(signal.SIGKILL)
        for process in self.processes:
            process.wait()


def processor():
    with open("/proc/cpuinfo") as file:
        return re.search(r"model name\s*: (.*)", file.read())[1]
