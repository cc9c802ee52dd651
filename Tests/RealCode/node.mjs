// Answers as Node.js does: imports the bundle that is named, calls its fetch() with a request for /, and prints the
// answer's body. A .wasm file is a compiled module, as for a worker.
import { register } from "node:module";
import process from "node:process";
import { pathToFileURL } from "node:url";

const hooks = `
export async function load(url, context, nextLoad) {
    if (!url.endsWith(".wasm")) return await nextLoad(url, context);
    const source = 'import { readFileSync } from "node:fs";'
        + "export default new WebAssembly.Module(readFileSync(new URL(import.meta.url)));";
    return { format: "module", source, shortCircuit: true };
}`;
// What programs know Node.js by; workers have none.
delete globalThis.process;
// Standard output is the answer's.
globalThis.console = new console.Console(process.stderr);
register(`data:text/javascript,${encodeURIComponent(hooks)}`);

const { default: worker } = await import(pathToFileURL(process.argv[2]));
const response = await worker.fetch(new Request("http://localhost/"), {}, { waitUntil() {} });
process.stdout.write(await response.text());
