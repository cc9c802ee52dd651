// The Cache API: what is stored and for how long, what a match answers, and what put() refuses.
const url = (path) => `http://cache.example/${path}`;
const put = (path, body, init, cache = caches.default) => cache.put(url(path), new Response(body, init));
const match = (path, init, cache = caches.default) => cache.match(new Request(url(path), init));
const attempt = (promise) => promise.then((value) => value, (error) => `${error.name}: ${error.message}`);
const text = async (promise) => (await promise)?.text();

async function describe(response) {
    if (response === undefined) return "nothing";
    const { status, statusText, headers } = response;
    const names = ["content-type", "content-length", "content-range", "cf-cache-status", "etag", "set-cookie"];
    const fields = names.filter((name) => headers.has(name)).map((name) => `${name}=${headers.get(name)}`);
    return [status, statusText, ...fields, await response.text()];
}

const steps = {
    async basics() {
        const missing = await describe(await match("a"));
        const headers = { "content-type": "text/x", etag: '"1"' };
        const stored = await put("a", "body", { statusText: "Fine", headers });
        return [missing, stored, await describe(await match("a")), await describe(await match("a#fragment"))];
    },
    async replaced() {
        await put("a", "second");
        return [await text(match("a")), await caches.default.delete(url("a")), await caches.default.delete(url("a")),
            await describe(await match("a"))];
    },
    async named() {
        const one = await caches.open("one"), again = await caches.open("one"), other = await caches.open("default");
        await put("n", "in one", {}, one);
        return [await text(match("n", {}, again)), await describe(await match("n", {}, other)),
            await describe(await match("n"))];
    },
    async methods() {
        await put("m", "x");
        const post = new Request(url("m"), { method: "POST" });
        return [await describe(await caches.default.match(post)),
            (await describe(await caches.default.match(post, { ignoreMethod: true })))[0],
            await caches.default.delete(post), await attempt(caches.default.put(post, new Response("x")))];
    },
    async refused() {
        const cookie = { headers: { "set-cookie": "a=b" } };
        const kept = { headers: { "set-cookie": "a=b", "cache-control": 'private="Set-Cookie", max-age=60' } };
        const control = (value) => ({ headers: { "cache-control": value } });
        await put("r1", "x", cookie);
        await put("r2", "x", kept);
        await put("r3", "x", control("no-store"));
        await put("r4", "x", control("private, max-age=60"));
        await put("r5", "x", control("max-age=0"));
        await put("r6", "x", control("max-age=0, s-maxage=60"));
        await put("r7", "x", { headers: { expires: "Thu, 01 Jan 1970 00:00:00 GMT" } });
        await put("r8", "x", { headers: { expires: "Thu, 01 Jan 2099 00:00:00 GMT" } });
        await put("r9", "x", { status: 500 });
        await put("r10", "x", { status: 500, headers: { "cache-control": "max-age=60" } });
        await put("r11", null, { status: 304 });
        await put("r12", "x", { headers: { "set-cookie": "a=b", "cache-control": 'private="set-cookie", private' } });
        await put("r13", "x", { headers: { "cache-control": "max-age=60", age: "100" } });
        await put("r14", "x", control("max-age=soon"));
        await put("r15", "x", { headers: { expires: "Sun, 06 Nov 999999999999999999 08:49:37 GMT" } });
        await put("r16", "x", control("max-age=99999999999999999999"));
        await put("r17", "x", { status: 404 });
        const there = [];
        for (let i = 1; i <= 17; i++) there.push((await describe(await match(`r${i}`))).slice(0, 1)[0]);
        return [there, await describe(await match("r2"))];
    },
    async errors() {
        return [
            await attempt(put("e", "x", { status: 206 })),
            await attempt(put("e", "x", { headers: { vary: "accept, *" } })),
            await attempt(caches.default.put("ftp://cache.example/", new Response("x"))),
            await attempt(caches.default.put(url("e"), "no response")),
            await attempt(caches.default.put(url("e"))),
            await attempt(caches.default.match()),
            await attempt(caches.default.put(url("e"), Response.error())),
            await attempt(caches.default.put(url("e"), new Response(null, {
                status: 101, webSocket: new WebSocketPair()[0],
            }))),
            await attempt(caches.open("n".repeat(1024))),
            await attempt(Cache.prototype.match.call({}, url("e"))),
            (await attempt((async () => {
                const used = new Response("x");
                await used.text();
                await caches.default.put(url("e"), used);
            })())).slice(0, 38),
        ];
    },
    async conditional() {
        await put("c", new TextEncoder().encode("0123456789"), {
            headers: { etag: '"v1"', "last-modified": "Sat, 01 Jan 2022 00:00:00 GMT" },
        });
        const headers = [
            { "if-none-match": '"v1"' }, { "if-none-match": 'W/"v1", "v2"' }, { "if-none-match": '"v2"' },
            { "if-none-match": "*" }, { "if-modified-since": "Sat, 01 Jan 2022 00:00:00 GMT" },
            { "if-modified-since": "Fri, 31 Dec 2021 00:00:00 GMT" }, { range: "bytes=2-4" }, { range: "bytes=8-" },
            { range: "bytes=-3" }, { range: "bytes=20-" }, { range: "bytes=1-2,4-5" }, { range: "lines=1-2" },
            { range: "bytes=2-4", "if-range": '"v1"' }, { range: "bytes=2-4", "if-range": '"v2"' },
            { range: "bytes=1-9223372036854775807" }, { range: "bytes=-9223372036854775807" },
            { range: "bytes=9223372036854775807-" }, { range: "bytes=99999999999999999999-" },
        ];
        const answers = [];
        for (const fields of headers) answers.push((await describe(await match("c", { headers: fields }))).join(" "));
        return answers;
    },
    async vary() {
        const put = (language) => caches.default.put(
            new Request(url("v"), { headers: { "accept-language": language } }),
            new Response(language, { headers: { vary: "Accept-Language, X-None" } }));
        await put("de");
        await put("en");
        const get = (headers) => text(match("v", { headers }));
        return [await get({ "accept-language": "de" }), await get({ "accept-language": "en" }),
            await get({ "accept-language": "fr" }), await get({}),
            await get({ "accept-language": "de", "x-none": "1" }),
            await caches.default.delete(url("v")), await get({ "accept-language": "de" })];
    },
    async streams() {
        const size = 700_000, piece = new Uint8Array(10_000).map((_, i) => i);
        let left = size / piece.length;
        const stream = new ReadableStream({
            async pull(controller) {
                await scheduler.wait(0);
                controller.enqueue(piece);
                if (--left === 0) controller.close();
            },
        });
        await caches.default.put(url("s"), new Response(stream));
        const response = await match("s");
        let length = 0, sum = 0;
        for await (const chunk of response.body) {
            length += chunk.length;
            for (const byte of chunk) sum += byte;
        }
        const failing = new ReadableStream({
            pull(controller) { controller.enqueue(piece); controller.error(new Error("broken off")); },
        });
        const failure = await attempt(put("f", failing));
        return [length, sum, response.headers.get("content-length"), failure, await describe(await match("f"))];
    },
    async weak() {
        await put("w", "0123", { headers: { etag: 'W/"1"' } });
        const range = { range: "bytes=0-1", "if-range": 'W/"1"' };
        await put("w404", "gone", { status: 404, headers: { etag: '"1"' } });
        const notFound = await match("w404", { headers: { "if-none-match": '"1"' } });
        return [(await match("w", { headers: range })).status, notFound.status];
    },
    async age() {
        await put("g", "x", { headers: { "cache-control": "max-age=600", age: "100" } });
        const age = Number((await match("g")).headers.get("age"));
        return age >= 100 && age < 600;
    },
    async idiom(request, ctx) {
        const cached = await caches.default.match(request);
        if (cached) return [cached.headers.get("cf-cache-status"), await cached.text()];
        const stream = new ReadableStream({
            start(controller) {
                for (const word of ["an", "answer"]) controller.enqueue(new TextEncoder().encode(word));
                controller.close();
            },
        });
        const response = new Response(stream, { headers: { "cache-control": "s-maxage=10" } });
        ctx.waitUntil(caches.default.put(request, response.clone()));
        return [response.headers.get("cf-cache-status"), await response.text()];
    },
    async refusedStream() {
        let isCanceled = false;
        const stream = new ReadableStream({
            pull(controller) { controller.enqueue(new Uint8Array(1_000)); },
            cancel() { isCanceled = true; },
        });
        await put("rs", stream, { headers: { "cache-control": "no-store" } });
        while (!isCanceled) await scheduler.wait(1);
        return await describe(await match("rs"));
    },
    async halves() {
        const { readable, writable } = new TransformStream(), response = new Response(readable);
        const clone = response.clone();
        const puts = [caches.default.put(url("h1"), response), caches.default.put(url("h2"), clone)];
        const writer = writable.getWriter();
        for (let i = 0; i < 16; i++) await writer.write(new Uint8Array(65_536).fill(i));
        await writer.close();
        await Promise.all(puts);
        const halves = await Promise.all(["h1", "h2"].map(async (path) => (await match(path)).arrayBuffer()));
        return halves.map((half) => [half.byteLength, new Uint8Array(half).at(-1)]);
    },
    async concurrent() {
        await Promise.all(Array.from({ length: 20 }, (_, i) => put("p", `body ${i}`.repeat(100))));
        const body = await text(match("p"));
        return /^(body \d+)\1{99}$/.test(body);
    },
    async interfaces() {
        let illegal;
        try {
            new Cache();
        } catch (error) {
            illegal = error.message;
        }
        return [illegal, caches instanceof CacheStorage, caches.default instanceof Cache,
            caches.default === caches.default, Object.prototype.toString.call(caches.default)];
    },
};

export default {
    async fetch(request, env, ctx) {
        const { pathname } = new URL(request.url);
        if (pathname === "/through") return await match("s");
        return Response.json(await steps[pathname.slice(1)](request, ctx));
    },
};
