import "./wasm_exec.js";
import module from "./worker.wasm";

// Go's side writes its handler here.
const worker = (globalThis.goWorker = {});

/** Starts Go in the first request: its start needs randomness, which there is none of in global scope. */
function start() {
    const go = new Go();
    // It goes on as long as the isolate lives; nobody waits for its end.
    go.run(new WebAssembly.Instance(module, go.importObject));
}

export default {
    async fetch(request) {
        const body = await request.text();
        if (!worker.handle) start();
        const { status, text } = worker.handle(request.method, body);
        return new Response(text, { status, headers: { "Content-Type": "text/plain; charset=utf-8" } });
    },
};
