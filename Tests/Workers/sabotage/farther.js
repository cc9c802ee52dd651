import { AsyncLocalStorage, AsyncResource } from "node:async_hooks";
import { Buffer } from "node:buffer";

const { subtle } = crypto, { DigestStream } = crypto, cryptoObject = crypto, load = fetch, stores = caches;
const time = performance;
const { createObjectURL, revokeObjectURL } = URL, OwnPromise = Promise, OwnUint8Array = Uint8Array;
const platform = { Blob, CompressionStream, DecompressionStream, FileReader, FixedLengthStream, FormData, Headers,
  IdentityTransformStream, PerformanceObserver, Request, Response, TextDecoder, TextEncoder, TransformStream,
  URLPattern, URLSearchParams, WebSocketPair, AbortSignal, EventTarget, CustomEvent, ReadableStream, WritableStream };
const { iterator } = Symbol;

const bytesOf = (...values) => {
  const bytes = new OwnUint8Array(values.length);
  for (let i = 0; i < values.length; i++) bytes[i] = values[i];
  return bytes;
};
const listOf = (...values) => {
  let i = 0;
  const next = () => i < values.length ? { __proto__: null, done: false, value: values[i++] }
    : { __proto__: null, done: true, value: undefined };
  return { __proto__: null, [iterator]: () => ({ __proto__: null, next }) };
};
const options = (name, more) => ({ __proto__: null, name, ...more });

async function symmetric() {
  const key = await subtle.importKey("raw", new OwnUint8Array(32), options("HMAC", { hash: "SHA-256" }), true,
    listOf("sign", "verify"));
  const code = await subtle.sign("HMAC", key, bytesOf(1, 2));
  if (!await subtle.verify("HMAC", key, code, bytesOf(1, 2))) return "HMAC";
  const jwk = await subtle.exportKey("jwk", key);
  if (jwk.k.length !== 43) return "HMAC as JWK";
  jwk.key_ops = listOf("sign", "verify");
  await subtle.importKey("jwk", jwk, options("HMAC", { hash: "SHA-256" }), true, listOf("sign", "verify"));
  const aes = await subtle.generateKey(options("AES-GCM", { length: 256 }), true, listOf("encrypt", "decrypt"));
  const gcm = options("AES-GCM", { iv: new OwnUint8Array(12), additionalData: bytesOf(5) });
  const secret = await subtle.encrypt(gcm, aes, bytesOf(7));
  if (new OwnUint8Array(await subtle.decrypt(gcm, aes, secret))[0] !== 7) return "AES-GCM";
  const wrapping = await subtle.generateKey(options("AES-KW", { length: 128 }), true, listOf("wrapKey", "unwrapKey"));
  const wrapped = await subtle.wrapKey("raw", aes, wrapping, "AES-KW");
  const back = await subtle.unwrapKey("raw", wrapped, wrapping, "AES-KW", "AES-GCM", true, listOf("encrypt"));
  if (back.algorithm.length !== 256 || back.usages[0] !== "encrypt") return "AES-KW";
  const cbc = await subtle.generateKey(options("AES-CBC", { length: 128 }), true, listOf("encrypt"));
  await subtle.encrypt(options("AES-CBC", { iv: new OwnUint8Array(16) }), cbc, bytesOf(1));
  const password = await subtle.importKey("raw", bytesOf(1, 2, 3), "PBKDF2", false, listOf("deriveBits", "deriveKey"));
  const kdf = options("PBKDF2", { hash: "SHA-256", salt: bytesOf(1), iterations: 2 });
  await subtle.deriveKey(kdf, password, options("AES-CTR", { length: 128 }), true, listOf("encrypt"));
  const ikm = await subtle.importKey("raw", bytesOf(1, 2, 3), "HKDF", false, listOf("deriveBits"));
  await subtle.deriveBits(options("HKDF", { hash: "SHA-256", salt: bytesOf(1), info: bytesOf() }), ikm, 128);
  return "";
}

async function asymmetric() {
  const curve = options("ECDSA", { namedCurve: "P-256", hash: "SHA-256" });
  const pair = await subtle.generateKey(curve, true, listOf("sign", "verify"));
  const signature = await subtle.sign(curve, pair.privateKey, bytesOf(1));
  if (!await subtle.verify(curve, pair.publicKey, signature, bytesOf(1))) return "ECDSA";
  const spki = await subtle.exportKey("spki", pair.publicKey);
  const pkcs8 = await subtle.exportKey("pkcs8", pair.privateKey);
  const jwk = await subtle.exportKey("jwk", pair.privateKey);
  await subtle.importKey("spki", spki, curve, true, listOf("verify"));
  await subtle.importKey("pkcs8", pkcs8, curve, true, listOf("sign"));
  jwk.key_ops = listOf("sign");
  await subtle.importKey("jwk", jwk, curve, true, listOf("sign"));
  const ecdh = await subtle.generateKey(options("ECDH", { namedCurve: "P-256" }), true, listOf("deriveBits"));
  const shared = await subtle.deriveBits(options("ECDH", { public: ecdh.publicKey }), ecdh.privateKey, 256);
  if (shared.byteLength !== 32) return "ECDH";
  const ed = await subtle.generateKey("Ed25519", true, listOf("sign", "verify"));
  const edSignature = await subtle.sign("Ed25519", ed.privateKey, bytesOf(1));
  if (!await subtle.verify("Ed25519", ed.publicKey, edSignature, bytesOf(1))) return "Ed25519";
  let failed = "";
  try { await subtle.importKey("raw", bytesOf(1), "AES-CBC", true, listOf("encrypt")); } catch (e) { failed = e.name; }
  return failed === "DataError" ? "" : "failure " + failed;
}

async function digests() {
  const digest = await subtle.digest("SHA-256", bytesOf(97));
  if (new OwnUint8Array(digest)[0] !== 0xca) return "digest";
  const stream = new DigestStream("SHA-256"), writer = stream.getWriter();
  await writer.write(bytesOf(97));
  await writer.close();
  if (new OwnUint8Array(await stream.digest)[0] !== 0xca) return "stream";
  if (!subtle.timingSafeEqual(bytesOf(1), bytesOf(1))) return "equality";
  return cryptoObject.randomUUID().length === 36 ? "" : "uuid";
}

async function moreStreams() {
  const { Response, CompressionStream, DecompressionStream, FixedLengthStream, IdentityTransformStream } = platform;
  const packed = new Response("pack").body.pipeThrough(new CompressionStream("gzip"));
  if (await new Response(packed.pipeThrough(new DecompressionStream("gzip"))).text() !== "pack") return "gzip";
  const { readable, writable } = new FixedLengthStream(2);
  const writer = writable.getWriter(), text = new Response(readable).text();
  await writer.write(bytesOf(104, 105));
  await writer.close();
  if (await text !== "hi") return "fixed length";
  const same = new Response("same").body.pipeThrough(new IdentityTransformStream());
  if (await new Response(same).text() !== "same") return "identity";
  const { readable: source, writable: sink } = new platform.TransformStream({ __proto__: null,
    transform(chunk, controller) { controller.enqueue(chunk); }, flush(controller) { controller.enqueue("end"); } });
  const feeding = sink.getWriter();
  feeding.write("one");
  feeding.close();
  let read = "";
  const reader = source.getReader();
  for (let step = await reader.read(); !step.done; step = await reader.read()) read += step.value;
  if (read !== "oneend") return "transformer " + read;
  const failing = new platform.ReadableStream({ __proto__: null, pull() { throw "pulled"; } });
  let reason = "";
  try { await failing.pipeTo(new platform.WritableStream()); } catch (e) { reason = e; }
  return reason === "pulled" ? "" : "failing pipe " + reason;
}

async function files() {
  const { Blob, FileReader, FormData, Headers, Response, Request } = platform;
  const blob = new Blob(listOf("ab", bytesOf(99)), { __proto__: null, type: "text/plain" });
  const url = createObjectURL(blob);
  if (await (await load(url)).text() !== "abc") return "blob URL";
  revokeObjectURL(url);
  if (await (await load("data:text/plain;base64,YWI=")).text() !== "ab") return "data URL";
  const reader = new FileReader();
  const done = new OwnPromise((resolve) => { reader.onload = () => { resolve(reader.result); }; });
  reader.readAsText(blob);
  if (await done !== "abc") return "reader";
  let pieces = "";
  const stream = blob.stream().getReader();
  for (let step = await stream.read(); !step.done; step = await stream.read()) pieces += step.value.length;
  if (pieces === "") return "blob stream";
  const multipart = new Request("http://a.example", { __proto__: null, method: "POST",
    headers: new Headers({ __proto__: null, "content-type": "multipart/form-data; boundary=b" }),
    body: '--b\r\nContent-Disposition: form-data; name="n"; filename="f.txt"\r\nContent-Type: text/plain\r\n\r\nv\r\n'
      + "--b--\r\n" });
  if (await (await multipart.formData()).get("n").text() !== "v") return "multipart";
  const form = new FormData();
  form.set("a", "1");
  form.append("a", "2");
  let all = "";
  form.forEach((value, name) => { all += name + value; });
  const keys = form.keys();
  all += keys.next().value;
  if (all !== "a1a2a" || form.getAll("a").length !== 2) return "form " + all;
  const headers = new Headers({ __proto__: null, "set-cookie": "a" });
  headers.append("set-cookie", "b");
  if (headers.getSetCookie().length !== 2 || headers.entries().next().value[1] !== "a") return "cookies";
  const manual = new Response("x", { __proto__: null, headers, encodeBody: "manual", statusText: "OK" });
  return manual.clone().headers.get("set-cookie") === "a, b" ? "" : "response";
}

async function cached() {
  const { Response, Request, Headers } = platform, cache = await stores.open("walk"), { default: common } = stores;
  const headers = new Headers({ __proto__: null, "cache-control": "max-age=60", vary: "x-a, x-b" });
  const fields = new Headers({ __proto__: null, "x-a": "1" });
  const request = new Request("http://a.example/b", { __proto__: null, headers: fields });
  await cache.put(request, new Response("kept", { __proto__: null, headers }));
  const hit = await cache.match(request);
  if (hit === undefined || await hit.text() !== "kept") return "hit";
  if (await common.match("http://a.example/b") !== undefined) return "miss";
  return await cache.delete(request) && !await cache.delete(request) ? "" : "deletion";
}

async function node() {
  const buffer = Buffer.from("h\u00e9llo", "utf8");
  if (buffer.toString("hex") !== "68c3a96c6c6f" || buffer.toString("base64") !== "aMOpbGxv") return "encodings";
  if (Buffer.concat([buffer, Buffer.alloc(2, "a")]).indexOf("aa") !== 6) return "concat";
  if (!buffer.subarray(0, 1).equals(Buffer.from("h")) || buffer.readUInt16BE(0) !== 0x68c3) return "numbers";
  if (Buffer.compare(buffer, Buffer.from("h\u00e9llo")) !== 0 || buffer.toJSON().data.length !== 6) return "compare";
  buffer.write("X", 0, "latin1");
  buffer.fill("yz", 1, 3);
  if (buffer.slice(0, 3).toString() !== "Xyz") return "write";
  const storage = new AsyncLocalStorage();
  const seen = await storage.run(1, async () => {
    await null;
    return storage.getStore();
  });
  const bound = storage.run(2, () => AsyncResource.bind(() => storage.getStore()));
  const snapshot = storage.run(3, () => AsyncLocalStorage.snapshot());
  const inside = snapshot(() => storage.getStore());
  return seen === 1 && bound() === 2 && inside === 3 ? "" : `contexts ${seen}`;
}

async function moreEvents() {
  const { AbortSignal, CustomEvent, EventTarget, PerformanceObserver, WebSocketPair, URLPattern } = platform;
  const target = new EventTarget();
  let detail = "";
  target.addEventListener("x", { __proto__: null, handleEvent(event) { detail = event.detail; } });
  target.dispatchEvent(new CustomEvent("x", { __proto__: null, detail: "d" }));
  if (detail !== "d") return "custom event";
  const timeout = AbortSignal.timeout(1);
  const aborted = new OwnPromise((resolve) => { timeout.onabort = () => { resolve(timeout.reason.name); }; });
  if (await aborted !== "TimeoutError") return "timeout";
  const observed = new OwnPromise((resolve) => {
    const observer = new PerformanceObserver((list) => { resolve(list.getEntries().length); });
    observer.observe({ __proto__: null, entryTypes: listOf("mark") });
  });
  time.mark("observed");
  if (await observed !== 1) return "observer";
  const pair = new WebSocketPair(), { 0: near, 1: far } = pair;
  near.accept();
  far.accept();
  const message = new OwnPromise((resolve) => {
    far.addEventListener("message", (event) => { resolve(event.data); });
  });
  near.send("hello");
  if (await message !== "hello") return "web socket";
  near.close(1000, "done");
  const pattern = new URLPattern("https://*.example/:a/(\\d+)?", "http://b.example");
  if (pattern.exec("https://c.example/d/1").pathname.groups.a !== "d" || pattern.test("http://x.y")) return "pattern";
  const query = new platform.URLSearchParams(listOf(listOf("b", "1"), listOf("a", "2")));
  query.sort();
  let text = "";
  query.forEach((value, name) => { text += name + value; });
  return text === "a2b1" && query.getAll("a").length === 1 ? "" : "query " + text;
}

/** The rest of the platform. */
export async function walkFarther() {
  const parts = { __proto__: null, symmetric, asymmetric, digests, moreStreams, files, cached, node, moreEvents };
  for (const name in parts) {
    try {
      const wrong = await parts[name]();
      if (wrong !== "") return `${name}: ${wrong}`;
    } catch (e) {
      return `${name} threw ${e.stack}`;
    }
  }
  return "survived";
}
