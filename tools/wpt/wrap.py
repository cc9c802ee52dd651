"""Makes a worker of a test."""
import json
import re
import shutil
from pathlib import Path

#: How long a test may take before what has not ended counts as timed out, in seconds: thrice WPT's own limits, which
#: are for a machine that does nothing else.
TIMEOUT = 30
LONG_TIMEOUT = 180

HARNESS = Path(__file__).with_name("harness.js").read_text()
DECLARATION = re.compile(r"^(?:async )?function\s*\*?\s*(\w+)", re.MULTILINE)
OBJECTS = re.compile(r"^\s*idl_array\.add_objects\(\{(.*?)^\s*\}\)", re.DOTALL | re.MULTILINE)
LITERAL = re.compile(r"""(["'`])(?:(?!\1).)+\1(?!\s*:)""")
STRING = re.compile(r"""(["'`])([\w./ -]+)\1""")


def timeout(test):
    return LONG_TIMEOUT if test.is_long else TIMEOUT


def origin(test):
    """Where WPT's own server would have it."""
    return ("https" if ".https." in test.name else "http") + "://web-platform.test/"


def wrap(root, test, folder):
    """Writes the test's worker to a new folder."""
    folder.mkdir(parents=True)
    texts = [path.read_text(encoding="utf-8", errors="replace") for path in [*test.scripts, test.path]]
    imports = ""
    for number, path in enumerate(sorted(find_resources(root, test, texts))):
        shutil.copyfile(path, folder / f"{number}.bin")
        imports += f'    [{json.dumps(origin(test) + str(path.relative_to(root)))}, () => import("./{number}.bin")],\n'
    constants = (
        f"const TEST = {json.dumps(origin(test) + test.name)};\n"
        f"const TIMEOUT = {timeout(test) * 1000};\n"
        f"const RESOURCES = new Map([\n{imports}]);\n")
    if any(path.name == "idlharness.js" for path in test.scripts):
        texts.insert(0, compile_expressions(texts[-1]))
    code = "\n".join([expose(texts), *texts])
    if not test.is_sloppy:
        # Where WPT's server has it: its place is what an ErrorEvent's filename says.
        place = folder / test.path.relative_to(root)
        place.parent.mkdir(parents=True)
        place.write_text(f"export default function () {{\n{code}\n}}\n")
    main = CLASSIC_MAIN % code if test.is_sloppy else MODULE_MAIN % json.dumps(f"./{test.path.relative_to(root)}")
    (folder / "index.js").write_text(constants + HARNESS + main)
    shutil.copyfile(root / "resources/testharness.js", folder / "testharness.js")


#: Ends of the worker's main file: a module, or a classic script, that is, service-worker syntax.
MODULE_MAIN = """
const evaluateTest = async () => (await import(%s)).default();
export default { fetch: answer };
"""
CLASSIC_MAIN = """
async function evaluateTest() {
%s
}
addEventListener("fetch", (event) => event.respondWith(answer()));
"""


def expose(texts):
    """Classic scripts put their functions on the global object, and some look for them there; modules do not.

    A function may turn out to be of an inner scope.
    """
    names = sorted({name for text in texts for name in DECLARATION.findall(text)})
    return "".join(f"if (typeof {name} === 'function') globalThis.{name} = {name};\n" for name in names)


def compile_expressions(text):
    """An IDL test names its objects by expressions, for eval(). There is none here: they are compiled beforehand."""
    literals = {match[0] for block in OBJECTS.findall(text) for match in LITERAL.finditer(block)}
    cases = "".join(f"    [{literal}, () => ({literal[1:-1]})],\n" for literal in sorted(literals))
    return f"const EXPRESSIONS = new Map([\n{cases}]);\nglobalThis.eval = (text) => EXPRESSIONS.get(text)();\n"


def find_resources(root, test, texts):
    """The files that a test may fetch: itself, those that its strings name, and the interfaces of an IDL test."""
    names = {match[1] for text in texts for match in STRING.findall(text)}
    if any(path.name == "idlharness.js" for path in test.scripts):
        names |= {f"/interfaces/{name}.idl" for name in names}
    found = {test.path}
    for name in names:
        path = root / name[1:] if name.startswith("/") else test.path.parent / name
        if path.suffix not in {"", ".js"} and path.is_file():
            found.add(path.resolve())
    return found
