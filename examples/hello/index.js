// A Worker: a module whose default export answers requests.

const page = `<!doctype html>
<title>Hello from Martlet</title>
<style>
    body { font: 18px/1.6 system-ui, sans-serif; max-width: 34em; margin: 12vh auto; padding: 0 1em; color: #1c2b39 }
    h1 { font-size: 2.4em; margin: 0 }
    code { background: #eef2f5; border-radius: 4px; padding: .1em .4em }
    @media (prefers-color-scheme: dark) { body { background: #10171d; color: #dbe4ea } code { background: #1f2a33 } }
</style>
<h1>Hello, world!</h1>
<p>This page comes from <code>examples/hello/index.js</code>. Change it and load the page again.</p>
<ul>
    <li><a href="/json"><code>GET /json</code></a>: an answer in JSON
    <li><code>POST /echo</code>: your own bytes, streamed back
    <li><a href="/elsewhere"><code>GET /elsewhere</code></a>: nothing there
</ul>
`;

function hello(request) {
    const wantsPage = (request.headers.get("accept") ?? "").includes("text/html");
    return wantsPage
        ? new Response(page, { headers: { "content-type": "text/html; charset=utf-8" } })
        : new Response("Hello, world!\n");
}

function json(request, url) {
    return Response.json({
        greeting: `Hello, ${url.searchParams.get("name") ?? "world"}!`,
        method: request.method,
        path: url.pathname,
        userAgent: request.headers.get("user-agent"),
    });
}

function echo(request) {
    const type = request.headers.get("content-type") ?? "application/octet-stream";
    return new Response(request.body, { headers: { "content-type": type } });
}

export default {
    async fetch(request, env, ctx) {
        const url = new URL(request.url);
        switch (url.pathname) {
            case "/":
                return hello(request);
            case "/json":
                return json(request, url);
            case "/echo":
                return echo(request);
            default:
                return new Response(`There is nothing at ${url.pathname}.\n`, { status: 404 });
        }
    },
};
