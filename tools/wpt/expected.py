"""The failures that are expected, each with its reason: expected/<key of the copy>/<area>.json.

A file is { "reason": { "path/of/test.any.js?variant": ["name of a subtest", ...] } }.
"""
import json
from pathlib import Path

FOLDER = Path(__file__).with_name("expected")
#: Stands for the file as a whole, where it breaks off or does not begin.
WHOLE_FILE = "(the file)"


def place(key, area):
    return FOLDER / key / (area.name.replace("/", "-").replace(", ", "-") + ".json")


def read(key, area):
    """{ (test, subtest): reason }"""
    path = place(key, area)
    if not path.exists():
        return {}
    return {
        (test, subtest): reason
        for reason, tests in json.loads(path.read_text()).items()
        for test, subtests in tests.items()
        for subtest in subtests
    }


def write(key, area, failures):
    """Writes what `read` gives."""
    path = place(key, area)
    if not failures:
        path.unlink(missing_ok=True)
        return
    grouped = {}
    for (test, subtest), reason in sorted(failures.items(), key=lambda item: (item[1], item[0])):
        grouped.setdefault(reason, {}).setdefault(test, []).append(subtest)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(grouped, indent=4) + "\n")
