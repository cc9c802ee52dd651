const { iterator: iteratorSymbol } = Symbol;
const platform = { URL, URLSearchParams, Headers, FormData, Blob, File, Response, Request, ReadableStream,
  WritableStream, TransformStream, TextEncoder, TextDecoder, TextEncoderStream, TextDecoderStream,
  AbortController, AbortSignal, EventTarget, Event, DOMException, MessageChannel, URLPattern,
  structuredClone, setTimeout, clearTimeout, queueMicrotask, atob, btoa };
const { log, table, group, groupEnd, error, count, dir } = console;
const { wait } = scheduler, cryptoObject = crypto, time = performance, OwnPromise = Promise, OwnUint8Array = Uint8Array;
const OwnMap = Map, OwnSet = Set, OwnDate = Date, OwnError = Error;

// Iterable without anybody's help.
const list = (a, b) => {
  let i = 0;
  const next = () => i++ === 0 ? { __proto__: null, done: false, value: a }
    : i === 2 && b !== undefined ? { __proto__: null, done: false, value: b }
    : { __proto__: null, done: true, value: undefined };
  return { __proto__: null, [iteratorSymbol]: () => ({ __proto__: null, next }) };
};
const options = (members) => members;

async function bodies(request, makeBytes) {
  const { Blob, File, FormData, Headers, Request, Response, URLSearchParams } = platform;
  const headers = new Headers({ __proto__: null, "X-A": "1" });
  headers.append("x-a", "2");
  headers.append("x-b", "3");
  headers.set("x-b", "4");
  headers.delete("x-c");
  let seen = "";
  headers.forEach((value, name) => { seen += name + value; });
  if (headers.get("x-a") !== "1, 2" || seen !== "x-a1, 2x-b4") return "headers " + seen;
  const copy = new Request(request, { __proto__: null, method: "POST", headers, body: "a=b&c=d" });
  const sent = copy.clone();
  if (await copy.text() !== "a=b&c=d" || (await sent.arrayBuffer()) === undefined) return "request";
  if (await new Response(new URLSearchParams("a=b")).text() !== "a=b") return "search parameters";
  const form = new FormData();
  form.append("k", "v");
  form.append("f", new File(list("x", "y"), "n.txt", { __proto__: null, type: "text/plain" }));
  const answer = new Response(form);
  const parsed = await answer.formData();
  if (parsed.get("k") !== "v" || await parsed.get("f").text() !== "xy") return "form";
  const simple = new Response("a=1&b=2", { __proto__: null,
    headers: new Headers({ __proto__: null, "content-type": "application/x-www-form-urlencoded" }) });
  if ((await simple.formData()).get("b") !== "2") return "simple form";
  const blob = new Blob(list(makeBytes(), "q"), { __proto__: null, type: "a/b" });
  if (await blob.slice(1, 2).text() !== "q" || await blob.text() !== "pq") return "blob";
  const json = Response.json({ __proto__: null, a: 1 }, { __proto__: null, status: 201 });
  if ((await json.json()).a !== 1) return "json";
  let failed = "";
  try { await new Response("{").json(); } catch (e) { failed = "failed"; }
  if (failed === "" || Response.redirect("http://a.example/").status !== 302) return "failures";
  const bytes = await new Response(makeBytes()).bytes();
  if (bytes[0] !== 112) return "bytes";
  const pieces = new Response(new Response("one").body);
  if (await pieces.clone().text() !== "one" || await pieces.text() !== "one") return "clone";
  return "";
}

async function streams(request, makeBytes) {
  const { ReadableStream, WritableStream, TransformStream, Response, TextEncoderStream, TextDecoderStream } = platform;
  const source = () => new ReadableStream({ __proto__: null, start(c) { c.enqueue(makeBytes()); c.close(); } });
  const through = source().pipeThrough(new TransformStream());
  if (await new Response(through).text() !== "p") return "transform";
  const bytes = new ReadableStream({ __proto__: null, type: "bytes", pull(c) { c.enqueue(makeBytes()); c.close(); } });
  const reader = bytes.getReader({ __proto__: null, mode: "byob" });
  const step = await reader.read(new OwnUint8Array(4));
  if (step.value[0] !== 112) return "byob";
  const halves = new ReadableStream({ __proto__: null, start(c) { c.enqueue("t"); c.close(); } }).tee();
  const first = halves[0].getReader();
  if ((await first.read()).value !== "t" || !(await first.read()).done) return "tee";
  await halves[1].cancel();
  let written = "";
  const sink = new WritableStream({ __proto__: null, write(chunk) { written += chunk; } });
  const writer = sink.getWriter();
  await writer.ready;
  await writer.write("a");
  await writer.write("b");
  await writer.close();
  if (written !== "ab") return "writer";
  const text = new Response("z\u00e4z").body.pipeThrough(new TextDecoderStream()).pipeThrough(new TextEncoderStream());
  if (await new Response(text).text() !== "z\u00e4z") return "text streams";
  const aborted = new WritableStream();
  await aborted.abort("x");
  const from = ReadableStream.from(list("f")).getReader();
  if ((await from.read()).value !== "f") return "from";
  const iterated = new ReadableStream({ __proto__: null, start(c) { c.enqueue("i"); c.close(); } }).values();
  if ((await iterated.next()).value !== "i" || !(await iterated.next()).done) return "iteration";
  return "";
}

async function texts() {
  const { URL, URLSearchParams, URLPattern, TextEncoder, TextDecoder, structuredClone, atob, btoa } = platform;
  const url = new URL("../x?q#f", "http://\u00e4.example:81/a/b/");
  url.searchParams.append("r", "1 2");
  url.searchParams.sort();
  url.pathname = "/y z";
  if (url.href !== "http://xn--4ca.example:81/y%20z?q=&r=1+2#f") return "url " + url.href;
  const query = new URLSearchParams({ __proto__: null, a: "1", b: "2" });
  query.delete("a");
  query.set("c", "3");
  if (query.toString() !== "b=2&c=3" || !query.has("b") || query.size !== 2) return "query";
  const match = new URLPattern({ __proto__: null, pathname: "/a/:b" }).exec("http://c.example/a/d");
  if (match.pathname.groups.b !== "d") return "pattern";
  const encoded = new TextEncoder().encode("\u00e4\u20ac");
  if (new TextDecoder().decode(encoded) !== "\u00e4\u20ac") return "utf-8";
  if (new TextDecoder("shift_jis").decode(encoded) === "") return "legacy";
  if (atob(btoa("x")) !== "x") return "base64";
  const map = new OwnMap(), clone = structuredClone({ a: { b: "c" }, d: new OwnDate(0), e: [1, [2]], map });
  if (clone.a.b !== "c" || clone.e[1][0] !== 2 || clone.map === map) return "clone";
  return "";
}

function logs() {
  log("walk %s %d %o", "on", 1, { a: 1 }, [1, 2, [3]], new OwnMap(), new OwnSet(), new OwnDate(0), /x/g, () => 0);
  log(new OwnError("shown"), new platform.URL("http://a.example"), new platform.Headers(), iteratorSymbol, 1n);
  error({ a: { b: { c: { d: 1 } } } });
  table([{ a: 1 }, { a: 2 }]);
  group("g");
  groupEnd();
  count();
  dir({ a: 1 });
  return "";
}

async function events(request) {
  const { AbortController, AbortSignal, Event, EventTarget, DOMException, MessageChannel, setTimeout, clearTimeout,
    queueMicrotask } = platform;
  const target = new EventTarget();
  let heard = "";
  const listener = () => { heard += "1"; };
  target.addEventListener("x", listener, { __proto__: null, once: true });
  target.addEventListener("x", () => { heard += "2"; });
  target.dispatchEvent(new Event("x", { __proto__: null, cancelable: true }));
  target.dispatchEvent(new Event("x"));
  target.removeEventListener("x", listener);
  if (heard !== "122") return "events " + heard;
  const controller = new AbortController();
  const any = AbortSignal.any(list(controller.signal, request.signal));
  controller.abort();
  if (!any.aborted || any.reason.name !== "AbortError") return "signals";
  await wait(1);
  await new OwnPromise((resolve) => { setTimeout(resolve, 1, 2); });
  clearTimeout(setTimeout(() => {}, 1e6));
  await new OwnPromise((resolve) => { queueMicrotask(resolve); });
  const { port1, port2 } = new MessageChannel();
  const message = new OwnPromise((resolve) => { port2.onmessage = (event) => { resolve(event.data); }; });
  port1.postMessage("m");
  if (await message !== "m") return "messages";
  port1.close();
  time.mark("a");
  time.mark("b");
  time.measure("c", "a", "b");
  if (time.getEntriesByName("c").length !== 1) return "marks";
  time.clearMarks();
  return new DOMException("a", "DataError").code === 0 ? "" : "exceptions";
}

function random() {
  const bytes = new OwnUint8Array(4);
  if (cryptoObject.getRandomValues(bytes) !== bytes) return "values";
  return cryptoObject.randomUUID() === "" ? "uuid" : "";
}

export async function walk(request, makeBytes) {
  let wrong;
  try {
    if ((wrong = await bodies(request, makeBytes)) !== "") return "bodies: " + wrong;
    if ((wrong = await streams(request, makeBytes)) !== "") return "streams: " + wrong;
    if ((wrong = await texts()) !== "") return "texts: " + wrong;
    if ((wrong = await events(request)) !== "") return "events: " + wrong;
    if ((wrong = random()) !== "") return "random: " + wrong;
    if ((wrong = logs()) !== "") return "logs: " + wrong;
  } catch (e) {
    return "threw " + e.stack;
  }
  return "survived";
}