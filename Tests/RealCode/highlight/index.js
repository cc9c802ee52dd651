// highlight.js: a highlighter of source code.
import hljs from "highlight.js/lib/highlight";
import javascript from "highlight.js/lib/languages/javascript";
import json from "highlight.js/lib/languages/json";
import xml from "highlight.js/lib/languages/xml";

hljs.registerLanguage("javascript", javascript);
hljs.registerLanguage("json", json);
hljs.registerLanguage("xml", xml);

export default {
    fetch: () => Response.json({
        script: hljs.highlight("javascript", "const a = async (x) => `${x + 1}`; // note\nclass B {}").value,
        markup: hljs.highlight("xml", "<p class=\"a\">text &amp; <br/></p><script>let x = 1;</script>").value,
        guessed: hljs.highlightAuto('{"a": [1, true, null]}').language, languages: hljs.listLanguages(),
    }),
};
