// Terser: a minifier of JavaScript.
import { minify } from "terser";

const source = `
class Counter { #count = 0; get value() { return this.#count; } add(step = 1) { this.#count += step; return this; } }
function unused(first, second) { return first + second; }
export function total(items) {
    let sum = 0;
    for (const { price, amount } of items) { if (false) { sum = NaN; } sum += price * amount; }
    const label = "total" + ": " + (60 * 60 * 24);
    return \`\${label} \${sum ?? 0} \${new Counter().add(2).value}\`;
}`;

export default {
    async fetch() {
        const options = [{}, { module: true, compress: { passes: 2 } }, { mangle: false, format: { beautify: true } }];
        const codes = [];
        for (const option of options) codes.push((await minify(source, option)).code);
        const error = await minify("let x = ;").catch(({ name, message, line, col }) => [name, message, line, col]);
        return Response.json({ codes, error, sizes: codes.map((code) => code.length) });
    },
};
