// What makes code from data, or shares memory between threads, is refused.
import add from "./add.wasm";

const bytes = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]);

const outcome = async (body) => {
    try {
        const value = await body();
        return typeof value === "object" ? value.constructor.name : typeof value;
    } catch (error) {
        return error.name;
    }
};

export default {
    async fetch() {
        const { instance } = { instance: new WebAssembly.Instance(add) };
        return Response.json({
            eval: await outcome(() => eval("1")),
            indirect: await outcome(() => (0, eval)("1")),
            Function: await outcome(() => new Function("return 1")),
            AsyncFunction: await outcome(() => (async () => {}).constructor("return 1")),
            Generator: await outcome(() => (function* () {}).constructor("yield 1")),
            timeout: await outcome(() => setTimeout("1", 0)),
            Module: await outcome(() => new WebAssembly.Module(bytes)),
            compile: await outcome(() => WebAssembly.compile(bytes)),
            instantiate: await outcome(() => WebAssembly.instantiate(bytes)),
            streaming: await outcome(
                () => WebAssembly.compileStreaming?.(new Response(bytes)) ?? Promise.reject(Error())),
            imported: [
                instance.exports.add(1, 2), await outcome(() => WebAssembly.instantiate(add)),
                WebAssembly.validate(bytes),
            ],
            SharedArrayBuffer: typeof SharedArrayBuffer,
            sharedMemory: await outcome(() => {
                const { buffer } = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
                return buffer instanceof ArrayBuffer ? "not shared" : buffer;
            }),
            wait: await outcome(() => typeof Atomics === "undefined"
                ? Promise.reject(new TypeError())
                : Atomics.wait(new Int32Array(new ArrayBuffer(4)), 0, 0, 10)),
            globals: ["require", "process", "Deno", "WorkerGlobalScope", "Worker", "gc"]
                .map((name) => typeof globalThis[name]),
        });
    },
};
