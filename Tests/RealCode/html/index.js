// Cheerio: HTML documents by selectors, over parse5 and htmlparser2.
const { load } = require("cheerio");

const page = `<!doctype html><title>Shop</title><body class=shop><h1>Fruit<table><tr><td>stray</table>
<ul id=list><li class="fruit red" data-price=3>Apple<li class="fruit">Pear &eacute;<li>Stone</ul><p>a<p>b<br>c`;

export default {
    fetch() {
        const $ = load(page);
        $("#list .fruit").each((i, element) => { $(element).attr("data-n", i).prepend(`<b>${i}</b> `); });
        $("li:not(.fruit)").remove();
        $("h1").addClass("big").after("<p>inserted &amp; escaped</p>");
        const xml = load("<a><b c='1'/>t</a>", { xmlMode: true });
        return Response.json({
            html: $.html(), text: $("#list").text(), prices: $("[data-price]").data("price"),
            found: ["li:nth-child(2)", "ul > li:first-of-type b", "p + p", "body:has(ul)", "li:contains('Pear')"].map(
                (selector) => $(selector).length),
            names: $("li").map((_, element) => $(element).attr("class")).get(), xml: xml.xml(), b: xml("b").attr("c"),
        });
    },
};
