// json-schema: a validator.
import { checkPropertyChange, validate } from "json-schema";

const schema = {
    type: "object",
    properties: {
        name: { type: "string", minLength: 2, pattern: "^[A-Z]" }, age: { type: "integer", minimum: 0, maximum: 150 },
        tags: { type: "array", items: { type: "string" }, uniqueItems: true, maxItems: 3 },
        kind: { enum: ["a", "b"] }, nested: { type: "object", properties: { x: { type: "number", required: true } } },
    },
    additionalProperties: false,
};
const documents = [
    { name: "Ada", age: 36, tags: ["x", "y"], kind: "a", nested: { x: 1.5 } }, { name: "a", age: -1 },
    { name: "Bo", age: 1.5, tags: ["x", 1, "z", "z"], kind: "c" }, { extra: true, nested: {} }, [], "text",
];

export default {
    fetch: () => Response.json({
        results: documents.map((document) => validate(document, schema)),
        change: checkPropertyChange(5, { type: "string" }, "p"),
    }),
};
