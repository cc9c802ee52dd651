// Nothing counts beside the code that wants to be timed: no threads, and no memory that two could share.
function refusal(body) {
    try {
        const value = body();
        return value instanceof Promise ? "promise" : String(value);
    } catch (error) {
        return error.name;
    }
}

function sharedMemory() {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
    return Object.prototype.toString.call(memory.buffer) === "[object SharedArrayBuffer]" ? "shared" : "not shared";
}

// (module (memory (import "a" "b") 1 1 shared)), and an atomic addition of the threads proposal.
const sharedImport = [0, 97, 115, 109, 1, 0, 0, 0, 2, 9, 1, 1, 97, 1, 98, 2, 3, 1, 1];

export default {
    async fetch() {
        return Response.json({
            types: ["Atomics", "SharedArrayBuffer", "Worker", "SharedWorker", "importScripts", "gc", "Realm",
                "ShadowRealm", "BroadcastChannel", "requestAnimationFrame", "requestIdleCallback"]
                .filter((name) => typeof globalThis[name] !== "undefined"),
            memory: refusal(sharedMemory),
            module: refusal(() => WebAssembly.validate(new Uint8Array(sharedImport))),
            grown: refusal(() => new WebAssembly.Memory({ initial: 1, maximum: 2, shared: true }).grow(1)),
            constructor: refusal(() => {
                const { buffer } = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
                return buffer.constructor.name;
            }),
        });
    },
};
