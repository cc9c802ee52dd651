// crypto.getRandomValues and randomUUID.
const error = (body) => {
    try {
        return body();
    } catch (error) {
        return error.name;
    }
};

export default {
    fetch() {
        const bytes = new Uint8Array(65536);
        const counts = new Set(crypto.getRandomValues(bytes));
        const words = crypto.getRandomValues(new BigUint64Array(2));
        const uuids = [crypto.randomUUID(), crypto.randomUUID()];
        return Response.json({
            same: crypto.getRandomValues(bytes) === bytes,
            values: counts.size,
            words: words[0] !== words[1],
            uuid: /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(uuids[0]),
            differ: uuids[0] !== uuids[1],
            tooMany: error(() => crypto.getRandomValues(new Uint8Array(65537))),
            floats: error(() => crypto.getRandomValues(new Float32Array(1))),
            math: Math.random() !== Math.random(),
        });
    },
};
