// A request's body in every form, and what a Response makes of each kind of body.
const forms = {
    "/text": async (request) => new Response(await request.text()),
    "/json": async (request) => Response.json(await request.json()),
    "/arrayBuffer": async (request) => new Response((await request.arrayBuffer()).slice(1)),
    "/bytes": async (request) => new Response((await request.bytes()).subarray(1)),
    "/blob": async (request) => {
        const blob = await request.blob();
        return new Response(`${blob.size} ${blob.type} ${await blob.slice(0, 2).text()}`);
    },
    "/pass": (request) => new Response(request.body, { headers: { "x-used": String(request.bodyUsed) } }),
    "/clone": async (request) => {
        const copy = request.clone();
        return new Response(`${await request.text()}+${await copy.text()}`);
    },
    "/tee": async (request) => {
        const [one, two] = request.body.tee();
        return new Response(`${await new Response(one).text()}+${await new Response(two).text()}`);
    },
    "/request": async (request) => new Response(await new Request(request).text()),
    "/iterate": async (request) => {
        let count = 0;
        for await (const piece of request.body) count += piece.byteLength;
        return new Response(String(count));
    },
    "/ignored": () => new Response("not read"),
    "/transform": (request) => new Response(request.body.pipeThrough(new TextDecoderStream()).pipeThrough(
        new TransformStream({ transform: (text, controller) => controller.enqueue(text.toUpperCase()) }),
    ).pipeThrough(new TextEncoderStream())),
    "/types": async () => Response.json([
        new Response("t"), new Response(new URLSearchParams("a=b")), new Response(new Blob(["b"], { type: "x/y" })),
        new Response(new Uint8Array(1)), new Response(null), Response.json({}),
    ].map((response) => response.headers.get("content-type"))),
};

export default {
    async fetch(request) {
        try {
            return await forms[new URL(request.url).pathname](request);
        } catch (error) {
            return new Response(error.name, { status: 400 });
        }
    },
};
