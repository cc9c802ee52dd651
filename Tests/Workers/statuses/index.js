// Statuses, phrases, and bodies that there are none of.
const cases = {
    "/204": () => new Response(null, { status: 204 }),
    "/304": () => new Response(null, { status: 304, headers: { etag: '"x"' } }),
    "/205": () => new Response(null, { status: 205 }),
    "/empty": () => new Response(new Uint8Array(0), { status: 204 }),
    "/418": () => new Response("short and stout", { status: 418, statusText: "Teapot indeed" }),
    "/599": () => new Response("last", { status: 599 }),
    "/null": () => new Response(null),
    "/nothing": () => new Response(""),
};

export default { fetch: (request) => cases[new URL(request.url).pathname]() };
