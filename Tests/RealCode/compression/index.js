// pako: zlib in JavaScript, checked against the runtime's own streams.
import pako from "pako";

async function through(bytes, stream) {
    return new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(stream)).arrayBuffer());
}

const text = Array.from({ length: 2000 }, (_, i) => `line ${i * 7919 % 101} of ${i}`).join("\n");
const same = (a, b) => a.length === b.length && a.every((byte, i) => byte === b[i]);

export default {
    async fetch() {
        const bytes = new TextEncoder().encode(text);
        const gzip = pako.gzip(bytes), deflate = pako.deflate(bytes, { level: 9 }), raw = pako.deflateRaw(bytes);
        let error;
        try {
            pako.inflate(new Uint8Array([1, 2, 3]));
        } catch (thrown) {
            error = String(thrown);
        }
        const stream = new pako.Inflate({ to: "string" });
        for (let i = 0; i < deflate.length; i += 100) {
            stream.push(deflate.subarray(i, i + 100), i + 100 >= deflate.length);
        }
        return Response.json({
            sizes: [bytes.length, gzip.length, deflate.length, raw.length],
            text: pako.ungzip(gzip, { to: "string" }) === text, streamed: stream.result === text, error,
            ours: same(await through(gzip, new DecompressionStream("gzip")), bytes),
            theirs: same(pako.inflate(await through(bytes, new CompressionStream("deflate"))), bytes),
        });
    },
};
