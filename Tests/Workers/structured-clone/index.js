// structuredClone: what it copies, shares, transfers and refuses.
const refusal = (value, options) => {
    try {
        structuredClone(value, options);
        return "cloned";
    } catch (error) {
        return error.name;
    }
};

export default {
    fetch() {
        const shared = { a: 1 };
        const original = {
            date: new Date(5), map: new Map([[shared, new Set([shared])]]), pattern: /a+/gi, list: [1, , 3],
            bytes: new Uint8Array([1, 2]), big: 10n, nothing: undefined, shared, error: new RangeError("range"),
        };
        original.self = original;
        const clone = structuredClone(original);
        const buffer = new ArrayBuffer(8);
        const moved = structuredClone({ buffer }, { transfer: [buffer] });
        const [key, values] = [...clone.map][0];
        return Response.json({
            self: clone.self === clone,
            identity: [clone.shared === key, values.has(key), clone.shared === shared],
            date: clone.date.getTime(),
            pattern: String(clone.pattern),
            hole: [clone.list.length, 1 in clone.list],
            bytes: [clone.bytes.constructor.name, clone.bytes[1], clone.bytes.buffer === original.bytes.buffer],
            big: String(clone.big),
            nothing: ["nothing" in clone, clone.nothing === undefined],
            error: [clone.error instanceof RangeError, clone.error.message],
            moved: [moved.buffer.byteLength, buffer.byteLength],
            refusals: [
                refusal(() => {}), refusal(Symbol("s")), refusal(new WeakMap()), refusal(Promise.resolve()),
                refusal({ buffer }, { transfer: [buffer] }), refusal(new Response("")),
            ],
            classes: structuredClone(new (class Point { x = 1; })()).constructor.name,
        });
    },
};
