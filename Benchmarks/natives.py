"""Figures of what the web platform leaves to native code: hashes, ciphers, compression. CPU time against all peers."""

# A function for each case; `run` repeats one. Data that compresses about as text does.
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
const small = noise(1024), large = noise(1 << 20);
const algorithm = { name: "AES-GCM", iv: new Uint8Array(12) };
let key;
const encrypt = async (data) => {
  key ??= await crypto.subtle.importKey("raw", new Uint8Array(32), "AES-GCM", false, ["encrypt"]);
  return crypto.subtle.encrypt(algorithm, key, data);
};
const through = (data, stream) => new Response(new Blob([data]).stream().pipeThrough(stream)).arrayBuffer();
let packed;
const cases = {
  hashSmall: () => crypto.subtle.digest("SHA-256", small),
  hashLarge: () => crypto.subtle.digest("SHA-256", large),
  sealSmall: () => encrypt(small),
  sealLarge: () => encrypt(large),
  gzip: () => through(large, new CompressionStream("gzip")),
  gunzip: async () => {
    packed ??= await through(large, new CompressionStream("gzip"));
    return through(packed, new DecompressionStream("gzip"));
  },
};
const run = async (path) => {
  const [, name, times] = path.split("/");
  let bytes = 0;
  for (let i = 0; i < Number(times); i++) bytes += (await cases[name]()).byteLength;
  return String(bytes / Number(times));
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

# Case, what it is, how many times.
FIGURES = [
    ("hashSmall", "SHA-256 of 1 kB", 30_000), ("hashLarge", "SHA-256 of 1 MB", 500),
    ("sealSmall", "AES-GCM of 1 kB", 30_000), ("sealLarge", "AES-GCM of 1 MB", 500),
    ("gzip", "gzip of 1 MB", 20), ("gunzip", "gunzip to 1 MB", 100),
]


def times(server, host="localhost"):
    """CPU microseconds of each case once."""
    result = {}
    for name, _, count in FIGURES:
        server.get(host, f"/{name}/{max(1, count // 10)}")
        before = server.cpu()
        answer = server.get(host, f"/{name}/{count}")
        if b" 200 " not in answer[:16]:
            raise RuntimeError(f"{name}: {answer[:200]}")
        result[name] = (server.cpu() - before) * 1e6 / count
    return result


def natives(lab, row):
    with lab.serve(lab.worker_folder("natives", {"a": WORKER}), "--cpu-ms", "300000") as server:
        ours = times(server, "a.localhost")
    peers = {}
    for name, source in SERVERS.items():
        with lab.peer(name, source) as server:
            peers[name] = times(server)
    for name, what, _ in FIGURES:
        all_peers = {peer: figures[name] for peer, figures in peers.items()}
        slowest, best = max(all_peers.values()), min(all_peers.values())
        yield row(f"CPU time of {what}", ours[name] / slowest, "of the slowest peer's", 2.0, best / slowest,
                  ", ".join(f"{peer}: {value:.3g} us" for peer, value in all_peers.items()), f"{ours[name]:.3g} us")
