// URL and URLSearchParams, as far as a request's own URL shows them.
export default {
    fetch(request) {
        const url = new URL(request.url);
        return Response.json({
            href: url.href,
            parts: [url.protocol, url.host, url.pathname, url.search, url.hash],
            query: [...url.searchParams],
            resolved: new URL("../x?y#z", url).href,
            idna: new URL("http://münchen.example/ä").href,
            canParse: [URL.canParse("http://a"), URL.canParse("//a"), URL.canParse("b", "http://a/c/")],
        });
    },
};
