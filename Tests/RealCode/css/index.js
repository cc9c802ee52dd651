// PostCSS: style sheets as trees, with plugins.
import postcss from "postcss";

const source = `@import url("a.css");
:root { --main: #06c; }
.card, .card > a:hover { color: var(--main); margin: 0 auto !important; background: url(data:image/png;base64,iVBOR=) }
@media (min-width: 40em) { .card { display: grid; /* note */ } }
@font-face { font-family: "F" }`;

const doubled = { postcssPlugin: "doubled", Declaration(node) {
    if (node.prop === "display" && !node.isSeen) {
        node.isSeen = true;
        node.cloneBefore({ prop: "-x-display" });
    }
} };
const renamed = { postcssPlugin: "renamed", Rule(rule, { result }) {
    if (rule.selector.includes(".card ")) rule.warn(result, `a child in ${rule.selectors.length} selectors`);
    rule.selectors = rule.selectors.map((selector) => selector.replace(/\.card\b/, ".box"));
} };

export default {
    async fetch() {
        const result = await postcss([doubled, renamed]).process(source, { from: "in.css", to: "out.css" });
        let error;
        try {
            postcss.parse("a { color: red; } b { c");
        } catch ({ name, reason, line, column }) {
            error = [name, reason, line, column];
        }
        const kinds = [];
        postcss.parse(source).walk(({ type, source: { start } }) => { kinds.push([type, start.line, start.column]); });
        return Response.json({
            css: result.css, warnings: result.warnings().map(({ text }) => text), error, kinds,
            values: postcss.list.comma("a(b, c), d, 'e, f'"),
        });
    },
};
