// Several files: relative imports, cycles, live bindings, re-exports, namespaces; text, data, JSON and Wasm modules.
import double, { count, increase, pi as number } from "./lib/numbers.js";
import * as shapes from "./lib/shapes/index.mjs";
import { isEven } from "./lib/even.js";
import text from "./assets/hello.txt";
import page from "./assets/page.html";
import data from "./assets/bytes.bin";
import settings from "./assets/settings.json" assert { type: "json" };
import plain from "./assets/list.json";
import add from "./assets/add.wasm";
import "./lib/effect.js";

const instance = new WebAssembly.Instance(add, {});

export default {
    async fetch() {
        increase();
        return Response.json({
            numbers: [double(21), count, number],
            shapes: [shapes.area(2), shapes.name, Object.keys(shapes)],
            cycle: [isEven(10), isEven(7)],
            text,
            page,
            data: [data instanceof ArrayBuffer, [...new Uint8Array(data)]],
            json: [settings.name, settings.deep.list, plain],
            wasm: [add instanceof WebAssembly.Module, instance.exports.add(40, 2)],
            effect: globalThis.effect,
            meta: typeof import.meta,
        });
    },
};
