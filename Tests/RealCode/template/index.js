// Mustache: a template engine.
import Mustache from "mustache";

const view = {
    name: "Ada & co", items: [{ n: 1 }, { n: 2 }, { n: 3 }], none: [], nested: { deep: { value: "found" } },
    bold: () => (text, render) => `<b>${render(text)}</b>`, isOn: true,
};
const template = `Hello {{name}} {{{name}}}! {{#items}}[{{n}}]{{/items}}{{^none}}nothing{{/none}}
{{#bold}}Hi {{nested.deep.value}}{{/bold}}{{! comment }}{{#isOn}}on{{/isOn}}{{> part}}`;

export default {
    fetch: () => Response.json({
        text: Mustache.render(template, view, { part: "<{{name}}>" }),
        tags: Mustache.render("<% a %>", { a: 1 }, {}, ["<%", "%>"]), tokens: Mustache.parse("a{{b}}{{#c}}d{{/c}}"),
    }),
};
