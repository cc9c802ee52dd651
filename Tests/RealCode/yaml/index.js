// js-yaml: a parser and a writer of YAML.
import yaml from "js-yaml";

const text = `
base: &base { a: 1, b: [x, "y", null, ~, 0x1F, 1e3, .inf] }
derived:
  <<: *base
  text: |
    two
    lines
  folded: >-
    one
    line
  date: 2001-12-14T21:59:43.10Z
  binary: !!binary SGVsbG8=
`;

export default {
    fetch() {
        const errors = ["a: [1", "a: 1\na: 2", "\tx: 1"].map((bad) => {
            try {
                return yaml.load(bad);
            } catch (error) {
                return `${error.name}: ${error.reason}`;
            }
        });
        const value = yaml.load(text);
        value.derived.binary = [...value.derived.binary];
        return Response.json({
            value, errors, all: yaml.loadAll("--- 1\n--- two\n"),
            dump: yaml.dump({ b: [1, "two", null, true, "multi\nline"], a: { nested: "yes" } }, { sortKeys: true }),
        });
    },
};
