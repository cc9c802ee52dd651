"""The web-platform-tests: which of them are run, and what their headers say."""
import re
import subprocess
from pathlib import Path
from typing import NamedTuple


class Area(NamedTuple):
    """A row of the table in docs/wpt.md."""
    name: str
    #: How the paths of its tests begin.
    prefixes: tuple
    #: What the names of its files match.
    files: str = "(?!idlharness)"


AREAS = [
    Area("url", ("url/",)),
    Area("urlpattern", ("urlpattern/",)),
    Area("encoding", ("encoding/",)),
    Area("streams", ("streams/",)),
    Area("compression", ("compression/",)),
    Area("WebCryptoAPI", ("WebCryptoAPI/",)),
    Area("FileAPI", ("FileAPI/blob/", "FileAPI/file/")),
    Area("fetch/api", tuple(f"fetch/api/{part}/" for part in "abort basic body headers request response".split())),
    Area("dom", ("dom/abort/", "dom/events/")),
    Area("html/webappapis", ("html/webappapis/",)),
    Area("xhr/formdata", ("xhr/formdata/",)),
    Area("console, hr-time", ("console/", "hr-time/")),
    # Not in the table of peers.
    Area("FileReader, blob URLs", ("FileAPI/fileReader", "FileAPI/reading-data-section/", "FileAPI/url/")),
    # The shape of the interfaces.
    Area("idlharness", tuple("url/ urlpattern/ encoding/ streams/ compression/ WebCryptoAPI/ FileAPI/ fetch/api/ dom/ "
                             "html/webappapis/ console/ hr-time/".split()), "idlharness"),
]

#: Scopes whose tests a worker can run: a service worker's, or any worker's. Without a header tests are for windows and
#: dedicated workers.
SCOPES = {"worker", "serviceworker", "dedicatedworker"}

#: Where tests that need a server of WPT's show it: its handlers, raw answers, templates and other hosts; and
#: XMLHttpRequest, which is no API of Workers and would fetch from that server besides.
SERVER_NAMES = re.compile(r"\.(sub|h2)\.any\.js$|/send-file-form")
SERVER_USE = re.compile(r"\.(py|asis)\b|get_host_info|get-host-info|\.sub\.js|keepalive-helper|decoding-helpers"
                        r"|XMLHttpRequest|\{\{(host|ports|domains|GET)")

#: Tests are classic scripts, and most of them do as well in a module. These break its rules: they assign variables that
#: nobody declared, or attributes that are read-only.
SLOPPY = {
    "WebCryptoAPI/derive_bits_keys/cfrg_curves_bits.https.any.js",
    "WebCryptoAPI/derive_bits_keys/cfrg_curves_bits_curve25519.https.any.js",
    "WebCryptoAPI/derive_bits_keys/cfrg_curves_keys.https.any.js",
    "WebCryptoAPI/derive_bits_keys/cfrg_curves_keys_curve25519.https.any.js",
    "WebCryptoAPI/derive_bits_keys/ecdh_bits.https.any.js",
    "WebCryptoAPI/derive_bits_keys/ecdh_keys.https.any.js",
    "fetch/api/request/request-init-priority.any.js",
    "fetch/api/request/request-structure.any.js",
    "html/webappapis/structured-clone/structured-clone.any.js",
}


class Test(NamedTuple):
    """One variant of a test file."""
    #: Below the root of WPT, with the variant: "url/x.any.js?include=file".
    name: str
    path: Path
    #: The files that its META lines name, in order.
    scripts: list
    is_long: bool
    is_sloppy: bool


def key(root):
    """What the expected failures of this copy are filed under: its commit, or the version of Debian's package."""
    version = root / "debian-version"
    if version.exists():
        return "debian-" + version.read_text().strip()
    command = ["git", "-c", "safe.directory=*", "-C", str(root), "rev-parse", "--show-toplevel", "HEAD"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode == 0:
        top, commit = done.stdout.split()
        if Path(top).resolve() == root.resolve():
            return commit
    raise SystemExit(f"make wpt: {root} is no git checkout of web-platform-tests")


def tests(root, area):
    """The area's tests in this copy, in order."""
    found = []
    for folder in sorted({prefix.split("/")[0] for prefix in area.prefixes}):
        for path in sorted((root / folder).rglob("*.any.js")):
            name = str(path.relative_to(root))
            if name.startswith(area.prefixes) and re.match(area.files, path.name):
                found += variants(name, root, path)
    return found


def variants(name, root, path):
    """The tests that a file holds; none if it is not for workers, not settled yet, or needs a server."""
    if ".tentative." in name or "/tentative/" in name or SERVER_NAMES.search(name):
        return []
    text = path.read_text(encoding="utf-8", errors="surrogatepass")
    header = re.findall(r"^// META: *(\w+)=(.*?)\s*$", text, re.MULTILINE)
    if SERVER_USE.search(text):
        return []
    scopes = [value for field, value in header if field == "global"]
    if scopes and not SCOPES & set(scopes[0].split(",")):
        return []
    scripts = [script(root, path, value) for field, value in header if field == "script"]
    is_long = ("timeout", "long") in header
    is_sloppy = name in SLOPPY
    queries = [value for field, value in header if field == "variant"] or [""]
    return [Test(name + query, path, scripts, is_long, is_sloppy) for query in queries]


def script(root, path, reference):
    """The file that a META line names."""
    if reference == "/resources/WebIDLParser.js":
        return root / "resources/webidl2/lib/webidl2.js"
    return root / reference[1:] if reference.startswith("/") else (path.parent / reference).resolve()
