import module from "./worker.wasm";

const { exports } = new WebAssembly.Instance(module);

export default {
    async fetch(request) {
        const { searchParams } = new URL(request.url);
        const width = Number(searchParams.get("width") ?? 72);
        const height = Number(searchParams.get("height") ?? 24);
        const length = exports.draw(width, height);
        if (length === 0) return new Response("Width and height go from 1 to 200.\n", { status: 400 });
        const place = exports.picture();
        return new Response(exports.memory.buffer.slice(place, place + length));
    },
};
