// GraphQL.js: schema, validation and execution of queries.
import { buildSchema, graphql, introspectionFromSchema, parse, print, validate } from "graphql";

const schema = buildSchema(`
    "A person" type Person { name: String! age: Int friends(first: Int = 2): [Person!]! kind: Kind }
    enum Kind { A B }
    interface Node { id: ID! }
    type Query { person(name: String!): Person people: [Person] slow: String fails: Int! }
    type Mutation { rename(name: String!, to: String!): Person }
`);
const people = new Map(["Ada", "Bo", "Cy"].map((name, i) => [name, { name, age: 30 + i, kind: i % 2 ? "B" : "A" }]));
for (const person of people.values()) {
    person.friends = ({ first }) => [...people.values()].filter((other) => other !== person).slice(0, first);
}
const rootValue = {
    person: ({ name }) => people.get(name), people: () => [...people.values()],
    slow: () => new Promise((resolve) => setTimeout(resolve, 1, "at last")),
    fails() { throw new Error("a resolver's own"); },
    rename({ name, to }) { return { ...people.get(name), name: to }; },
};
const queries = [
    "{ people { name age kind friends(first: 1) { name } } slow }", "{ slow fails }", "{ nothing }", "{ people {",
    "mutation { rename(name: \"Ada\", to: \"Eve\") { name friends { name } } }", "{ __type(name: \"Kind\") { kind } }",
];

export default {
    async fetch() {
        const answers = [];
        for (const source of queries) answers.push(await graphql({ schema, source, rootValue }));
        const variables = { n: "Cy", deep: true };
        const source = "query Q($n: String!, $deep: Boolean!) { person(name: $n) { ...F } } "
            + "fragment F on Person { name friends @include(if: $deep) { age } }";
        return Response.json({
            answers, variables: await graphql({ schema, source, rootValue, variableValues: variables }),
            printed: print(parse(source)), problems: validate(schema, parse("{ person { name } }")).map(String),
            types: introspectionFromSchema(schema).__schema.types.map(({ name }) => name),
        });
    },
};
