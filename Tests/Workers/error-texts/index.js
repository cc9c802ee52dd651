// Texts that users of Workers know, and search the web for.
const textOf = async (body) => {
    try {
        await body();
        return "no error";
    } catch (error) {
        return `${error.name}: ${error.message}`;
    }
};

export default {
    async fetch(request) {
        const read = new Response("a");
        await read.text();
        const disturbed = new Response(new Blob(["abc"]).stream());
        await disturbed.body.getReader().read();
        const streamed = new ReadableStream();
        streamed.getReader();
        const results = {
            bodyOfGet: await textOf(() => new Request("http://a.example", { method: "GET", body: "x" })),
            bodyOfHead: await textOf(() => new Request("http://a.example", { method: "HEAD", body: "x" })),
            readTwice: await textOf(() => read.text()),
            cloneUsed: await textOf(() => read.clone()),
            status: [
                await textOf(() => new Response("", { status: 199 })),
                await textOf(() => new Response("", { status: 600 })),
            ].map((text) => text.split(":")[0]),
            status101: (await textOf(() => new Response(null, { status: 101 }))).split(":")[0],
            bodyOf204: (await textOf(() => new Response("x", { status: 204 }))).split(":")[0],
            emptyBufferOf204: await textOf(() => new Response(new ArrayBuffer(0), { status: 204 })),
            lockedStream: (await textOf(() => new Response(streamed))).split(":")[0],
            readDisturbed: (await textOf(() => disturbed.text())).split(":")[0],
            redirectMode: new Request("http://a.example").redirect,
            errorMode: (await textOf(() => new Request("http://a.example", { redirect: "error" }))).split(":")[0],
            cacheMode: await textOf(() => new Request("http://a.example", { cache: "force-cache" })),
            connect: (await textOf(() => new Request("http://a.example", { method: "CONNECT" }))).split(":")[0],
            relative: (await textOf(() => new Request("/relative"))).split(":")[0],
            evaluate: (await textOf(() => eval("1"))).split(":")[0],
        };
        return Response.json(results);
    },
};
