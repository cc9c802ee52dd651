// What may not be done before a request is there, and what may.
const results = {};

function attempt(name, body) {
    try {
        results[name] = body();
    } catch (error) {
        results[name] = error.message.split(". ")[0];
    }
}

async function attemptAsync(name, body) {
    results[name] = await body().then(String, (error) => error.message.split(". ")[0]);
}

attempt("setTimeout", () => setTimeout(() => {}, 1));
attempt("setInterval", () => setInterval(() => {}, 1));
attempt("getRandomValues", () => crypto.getRandomValues(new Uint8Array(4)).length);
attempt("randomUUID", () => crypto.randomUUID());
await attemptAsync("wait", () => scheduler.wait(1));
attempt("url", () => new URL("/a", "http://b.example").href);
attempt("encode", () => new TextEncoder().encode("é").length);

export default { fetch: () => Response.json(results) };
