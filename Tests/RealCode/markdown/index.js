// marked: a renderer of Markdown.
import { marked } from "marked";

const text = `# Title & more

A *paragraph* with **strong**, \`code\`, [a link](https://example.com "t"), ~~gone~~ and <b>HTML</b>.

> A quote
> - with a list
>   1. nested

| a | b |
|---|--:|
| 1 | 2 |

\`\`\`js
const x = 1 < 2;
\`\`\`

- [x] done
- [ ] open

![image](i.png)
`;

export default {
    fetch: () => Response.json({
        html: marked(text), inline: marked.parseInline("*a* `b`"), types: marked.lexer(text).map(({ type }) => type),
    }),
};
