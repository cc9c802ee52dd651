import module from "./worker.wasm";

const { exports } = new WebAssembly.Instance(module, {});

export default {
    async fetch(request) {
        const input = new TextEncoder().encode(`${request.method}\n${await request.text()}`);
        // Nothing is awaited from here on: no other request can come between.
        const place = exports.allocate(input.length);
        new Uint8Array(exports.memory.buffer).set(input, place);
        const output = exports.handle(place, input.length);
        const [status, length] = new Uint32Array(exports.memory.buffer.slice(output, output + 8));
        const text = exports.memory.buffer.slice(output + 8, output + 8 + length);
        exports.release(output);
        return new Response(text, { status, headers: { "Content-Type": "text/plain; charset=utf-8" } });
    },
};
