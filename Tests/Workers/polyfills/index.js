// Built-ins of ECMAScript 2023 to 2025, which the engine does not have of itself.
async function* generate() { yield 1; yield 2; }

function* naturals() { for (let n = 1; ; n++) yield n; }

export default {
    async fetch() {
        const { promise, resolve } = Promise.withResolvers();
        resolve("resolved");
        const list = [3, 1, 2];
        const words = ["apple", "avocado", "bean"];
        const a = new Set([1, 2, 3]), b = new Set([2, 3, 4]);
        const buffer = new Uint8Array([1, 2, 3]).buffer;
        const moved = buffer.transfer(2);
        return Response.json({
            toSorted: [list.toSorted(), list],
            toReversed: list.toReversed(),
            toSpliced: list.toSpliced(1, 1, 9, 9),
            with: list.with(-1, 7),
            typed: [[...new Uint8Array(list).toSorted()], [...new Uint8Array(list).with(0, 5)]],
            findLast: [list.findLast((x) => x > 1), list.findLastIndex((x) => x === 3)],
            groupBy: Object.groupBy(words, (word) => word[0]),
            mapGroupBy: [...Map.groupBy(list, (x) => x % 2 === 1).keys()],
            withResolvers: await promise,
            try: await Promise.try((x) => x + 1, 1),
            tryThrows: await Promise.try(() => { throw new Error("caught"); }).catch((error) => error.message),
            fromAsync: await Array.fromAsync(generate(), (x) => x * 2),
            sets: {
                union: [...a.union(b)], intersection: [...a.intersection(b)], difference: [...a.difference(b)],
                symmetricDifference: [...a.symmetricDifference(b)], isSubsetOf: a.isSubsetOf(b),
                isSupersetOf: a.isSupersetOf(new Set([1])), isDisjointFrom: a.isDisjointFrom(new Set([7])),
            },
            iterators: {
                chain: naturals().filter((n) => n % 2).map((n) => n * n).drop(1).take(3).toArray(),
                flatMap: [..."ab"].values().flatMap((c) => [c, c]).toArray(),
                reduce: naturals().take(4).reduce((x, y) => x + y),
                some: naturals().some((n) => n > 3),
                every: naturals().take(3).every((n) => n < 3),
                find: naturals().find((n) => n > 5),
                from: Iterator.from({ next: () => ({ done: true }) }).toArray(),
                isIterator: naturals() instanceof Iterator,
            },
            wellFormed: ["ab\uD800".isWellFormed(), "ab\uD800".toWellFormed() === "ab\uFFFD", "ab".isWellFormed()],
            transfer: [moved.byteLength, buffer.byteLength, buffer.detached],
            escape: new RegExp(RegExp.escape("a.b*c")).test("a.b*c"),
            isError: [Error.isError(new TypeError()), Error.isError({ name: "Error", message: "" })],
            base64: [
                Uint8Array.fromBase64("aGk=").length, new Uint8Array([104, 105]).toBase64(),
                [...Uint8Array.fromHex("00ff")], new Uint8Array([10, 255]).toHex(),
                new Uint8Array([251, 255]).toBase64({ alphabet: "base64url", omitPadding: true }),
            ],
            at: [[1, 2, 3].at(-1), Object.hasOwn({ x: 1 }, "x"), "a-b".replaceAll("-", "+")],
        });
    },
};
