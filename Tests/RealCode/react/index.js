// React, rendered to a string and to a stream.
import React, { createContext, useContext, useMemo, useState } from "react";
import { renderToReadableStream, renderToStaticMarkup, renderToString } from "react-dom/server.browser";

const h = React.createElement;
const Theme = createContext("light");

function Item({ name, children }) {
    const theme = useContext(Theme);
    const [count] = useState(() => name.length);
    const label = useMemo(() => `${name}:${count}`, [name, count]);
    return h("li", { className: theme, style: { fontSize: 12 }, "data-n": count }, label, " ", children);
}

function App({ items }) {
    return h(Theme.Provider, { value: "dark" },
        h("h1", null, "A & B <"), h("ul", null, items.map((name) => h(Item, { key: name, name }, h("b", null, "x")))));
}

export default {
    async fetch(request) {
        const app = h(App, { items: ["one", "three"] });
        if (new URL(request.url).pathname === "/stream") return new Response(await renderToReadableStream(app));
        return Response.json({
            markup: renderToStaticMarkup(app), text: renderToString(app),
            streamed: await new Response(await renderToReadableStream(app)).text(),
        });
    },
};
