"""One process of Martlet that serves each test as a worker."""
import http.client
import json
import os
import shutil
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

from wrap import timeout, wrap

#: Beyond a test's own time limit: to start, and to answer.
GRACE_SECONDS = 60
#: What is raised for WPT: CPU time only.
LIMITS = ["--cpu-ms", "300000", "--startup-cpu-ms", "60000"]
#: Not limits of a worker: where it seems to be, when the process begins to evict idle ones, what it may log.
PROCESS = ["--base-url", "http://web-platform.test/", "--memory-budget-mb", "1024", "--log-kb", "16"]


class Server:
    """Serves `tests` while it is entered."""

    def __init__(self, project, root, tests):
        self.binary = project / ".build/release/martlet"
        self.folder = project / ".build/wpt"
        self.root = root
        self.tests = {f"t{number}": test for number, test in enumerate(tests)}

    def __enter__(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        workers = self.folder / "workers"
        for name, test in self.tests.items():
            wrap(self.root, test, workers / name)
        (self.folder / "tests.json").write_text(
            json.dumps({name: test.name for name, test in self.tests.items()}, indent=0))
        self.log = open(self.folder / "log", "wb")
        command = [self.binary, "serve", "--workers", workers, "--port", "0", "--admin-port", "0"]
        self.process = subprocess.Popen(
            command + LIMITS + PROCESS, stdout=subprocess.PIPE, stderr=self.log, text=True)
        line = self.process.stdout.readline()
        if not line.startswith("Listening on "):
            raise SystemExit(f"make wpt: Martlet does not start; see {self.log.name}")
        self.port = int(line.strip().rstrip("/").rpartition(":")[2])
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self.log.close()

    def answers(self):
        """Runs the tests. Returns: { test's name: { status, message, results, seconds } }."""
        # What takes longest comes first.
        order = sorted(self.tests, key=lambda name: not self.tests[name].is_long)
        with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
            answers = list(pool.map(self.ask, order))
        return {self.tests[name].name: answer for name, answer in zip(order, answers)}

    def ask(self, name):
        test = self.tests[name]
        started = time.monotonic()
        try:
            answer = self.request(name, timeout(test) + GRACE_SECONDS)
        except (OSError, http.client.HTTPException) as error:
            answer = {"status": 1, "message": f"No answer: {error!r}", "results": []}
        answer["seconds"] = time.monotonic() - started
        return answer

    def request(self, name, seconds):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=seconds)
        try:
            connection.request("GET", "/", headers={"Host": f"{name}.localhost"})
            response = connection.getresponse()
            body = response.read()
        finally:
            connection.close()
        if response.status == 200:
            return json.loads(body)
        outcome = response.getheader("Martlet-Outcome")
        return {"status": 1, "message": f"{response.status} {outcome} from worker {name}", "results": []}
