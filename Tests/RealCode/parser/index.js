// Acorn: a parser of JavaScript, here on a piece of its own kind.
import { Parser, tokenizer } from "acorn";

const source = "class A extends B { #x = 1; async *m({ a = 2, ...r }, [b] = []) { yield* await r?.a ?? `t${b}`; } }";

export default {
    fetch() {
        const kinds = {};
        const visit = (node) => {
            if (Array.isArray(node)) return node.forEach(visit);
            if (node === null || typeof node !== "object") return;
            if (typeof node.type === "string") kinds[node.type] = (kinds[node.type] ?? 0) + 1;
            Object.values(node).forEach(visit);
        };
        visit(Parser.parse(source, { ecmaVersion: 2022 }));
        let error;
        try {
            Parser.parse("let x = ;", { ecmaVersion: 2022 });
        } catch (thrown) {
            error = [thrown.name, thrown.message, thrown.pos];
        }
        const tokens = [...tokenizer("a+/b/g", { ecmaVersion: 2022 })].map((token) => token.value);
        return Response.json({ kinds, error, tokens });
    },
};
