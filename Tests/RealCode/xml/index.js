// xmldom: the DOM of XML documents.
import { DOMImplementation, DOMParser, XMLSerializer } from "@xmldom/xmldom";

const text = `<?xml version="1.0"?>
<!-- a feed --><feed xmlns="urn:feed" xmlns:x="urn:other" lang="en">
<entry id="1"><title>A &amp; B &lt;c&gt; &#x263A;</title><x:note>n</x:note></entry>
<entry id="2"><title><![CDATA[<raw> & text]]></title></entry><?go now?></feed>`;

export default {
    fetch() {
        const document = new DOMParser().parseFromString(text, "text/xml"), root = document.documentElement;
        const titles = [], problems = [];
        for (const title of Array.from(document.getElementsByTagName("title"))) titles.push(title.textContent);
        const note = document.getElementsByTagNameNS("urn:other", "note").item(0);
        note.parentNode.removeChild(note);
        const entry = document.createElementNS("urn:feed", "entry");
        entry.setAttribute("id", "<3>");
        entry.appendChild(document.createTextNode("new & \"quoted\""));
        root.insertBefore(entry, root.firstChild);
        const log = (level) => (message) => problems.push([level, message.split("\n")[0]]);
        const errorHandler = { warning: log("warning"), error: log("error"), fatalError: log("fatal") };
        new DOMParser({ errorHandler }).parseFromString("<a b=c><d></a>", "text/xml");
        const made = new DOMImplementation().createDocument("urn:m", "m:root");
        return Response.json({
            titles, prefix: note.prefix, local: note.localName, lang: root.getAttribute("lang"), problems,
            written: new XMLSerializer().serializeToString(document), made: String(made),
            kinds: Array.from(document.childNodes).map(({ nodeType, nodeName }) => [nodeType, nodeName]),
        });
    },
};
