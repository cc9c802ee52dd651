"""Figures of the web platform's APIs: CPU time of a case in a Worker against the same JavaScript in all peers."""
import time

# A function for each case, and how many of its units one call does; `run` repeats it. Data compresses about as text does.
CASES = """
const noise = (length) => {
  const bytes = new Uint8Array(length);
  let state = 1;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    bytes[i] = 97 + (i % 3 ? i % 23 : (state >> 16) % 26);
  }
  return bytes;
};
const small = noise(1024), large = noise(1 << 20), piece = noise(1 << 16);
const accented = new TextEncoder().encode("Gr\\u00fc\\u00dfe aus Z\\u00fcrich; \\u20ac 5. ".repeat(40));
const algorithm = { name: "AES-GCM", iv: new Uint8Array(12) };
let key;
const encrypt = async (data) => {
  key ??= await crypto.subtle.importKey("raw", new Uint8Array(32), "AES-GCM", false, ["encrypt"]);
  return crypto.subtle.encrypt(algorithm, key, data);
};
const through = (data, stream) => new Response(new Blob([data]).stream().pipeThrough(stream)).arrayBuffer();
const manyTimes = (body) => () => {
  let length = 0;
  for (let i = 0; i < 1000; i++) length += body(i);
  return length;
};
let packed;
const cases = {
  url: manyTimes((i) => {
    const url = new URL("https://user@example.com:8080/a/b/../c%20d?x=1&y=" + i + "#part");
    return url.pathname.length + url.searchParams.get("y").length;
  }),
  headers: manyTimes((i) => {
    const headers = new Headers({ "Content-Type": "text/html", "X-Number": String(i), "Cache-Control": "no-store" });
    headers.append("Vary", "Accept");
    headers.set("x-number", "1");
    let length = 0;
    for (const [name, value] of headers) length += name.length + value.length;
    return length;
  }),
  json: async () => {
    const object = { id: 1, name: "a name", tags: ["one", "two"], nested: { yes: true, list: [1, 2, 3] } };
    let length = 0;
    for (let i = 0; i < 1000; i++) length += (await Response.json(object).text()).length;
    return length;
  },
  decode: manyTimes(() => new TextDecoder().decode(accented).length),
  stream: async () => {
    let left = 160;
    const source = new ReadableStream({
      pull(controller) {
        if (left-- > 0) controller.enqueue(piece);
        else controller.close();
      },
    });
    const transform = new TransformStream({ transform: (chunk, controller) => controller.enqueue(chunk) });
    return (await new Response(source.pipeThrough(transform)).arrayBuffer()).byteLength;
  },
  fetch: async (port) => (await (await fetch("http://127.0.0.1:" + port + "/")).text()).length,
  hashSmall: async () => (await crypto.subtle.digest("SHA-256", small)).byteLength,
  hashLarge: async () => (await crypto.subtle.digest("SHA-256", large)).byteLength,
  sealSmall: async () => (await encrypt(small)).byteLength,
  sealLarge: async () => (await encrypt(large)).byteLength,
  gzip: async () => (await through(large, new CompressionStream("gzip"))).byteLength,
  gunzip: async () => {
    packed ??= await through(large, new CompressionStream("gzip"));
    return (await through(packed, new DecompressionStream("gzip"))).byteLength;
  },
};
const run = async (path) => {
  const [, name, times, port] = path.split("/");
  let sum = 0;
  for (let i = 0; i < Number(times); i++) sum += await cases[name](port);
  return String(sum / Number(times));
};
"""

SERVERS = {
    "node": CASES + """
        require("http").createServer(async (request, response) => response.end(await run(request.url))).listen(PORT);""",
    "deno": CASES + """
        Deno.serve({ port: PORT }, async (request) => new Response(await run(new URL(request.url).pathname)));""",
    "bun": CASES + """
        Bun.serve({ port: PORT, idleTimeout: 120,
          fetch: async (request) => new Response(await run(new URL(request.url).pathname)) });""",
}
WORKER = CASES + "export default { fetch: async (r) => new Response(await run(new URL(r.url).pathname)) };"
ORIGIN = 'Bun.serve({ port: PORT, fetch: () => new Response("from the origin") });'

# Case, what it is, how many calls, how many units one call is.
SCRIPTED = [
    ("url", "new URL", 100, 1_000), ("headers", "Headers of a few fields", 100, 1_000),
    ("json", "Response.json and its text()", 30, 1_000), ("decode", "TextDecoder of 1 kB", 100, 1_000),
    ("stream", "10 MB through a TransformStream", 20, 1), ("fetch", "fetch() of a local origin", 3_000, 1),
]
NATIVE = [
    ("hashSmall", "SHA-256 of 1 kB", 30_000, 1), ("hashLarge", "SHA-256 of 1 MB", 500, 1),
    ("sealSmall", "AES-GCM of 1 kB", 30_000, 1), ("sealLarge", "AES-GCM of 1 MB", 500, 1),
    ("gzip", "gzip of 1 MB", 20, 1), ("gunzip", "gunzip to 1 MB", 100, 1),
]


def times(server, figures, origin, host="localhost"):
    """CPU and wall-clock microseconds of a unit of each case."""
    result = {}
    for name, _, count, units in figures:
        def ask(count):
            return server.get(host, f"/{name}/{count}/{origin.port}")
        ask(max(1, count // 10))
        cpu, wall = server.cpu(), time.perf_counter()
        answer = ask(count)
        cpu, wall = server.cpu() - cpu, time.perf_counter() - wall
        if b" 200 " not in answer[:16]:
            raise RuntimeError(f"{name}: {answer[:200]}")
        result[name] = (cpu * 1e6 / count / units, wall * 1e6 / count / units)
    return result


def compare(lab, row, figures):
    with lab.peer("bun", ORIGIN) as origin:
        flags = ["--cpu-ms", "300000", "--subrequests", "1000000", "--egress-allow", f"127.0.0.1:{origin.port}"]
        with lab.serve(lab.worker_folder("webapis", {"a": WORKER}), *flags) as server:
            ours = times(server, figures, origin, "a.localhost")
        peers = {}
        for name, source in SERVERS.items():
            with lab.peer(name, source) as server:
                peers[name] = times(server, figures, origin)
    for name, what, _, _ in figures:
        for index, kind in enumerate(["CPU time", "latency"]):
            if kind == "latency" and name != "fetch":
                continue
            all_peers = {peer: values[name][index] for peer, values in peers.items()}
            slowest, best, mine = max(all_peers.values()), min(all_peers.values()), ours[name][index]
            yield row(f"{kind} of {what}", mine / slowest, "of the slowest peer's", 2.0, best / slowest,
                      ", ".join(f"{peer}: {value:.3g} us" for peer, value in all_peers.items()), f"{mine:.3g} us")


def scripted(lab, row):
    return compare(lab, row, SCRIPTED)


def natives(lab, row):
    return compare(lab, row, NATIVE)
