// node:async_hooks: a store follows whatever its run() started, and nothing else.
import { AsyncLocalStorage, AsyncResource } from "node:async_hooks";
import hooks from "node:async_hooks";
const als = new AsyncLocalStorage();
const other = new AsyncLocalStorage({ defaultValue: "none", name: "other" });
async function collect() {
  const r = {};
  const get = () => als.getStore();
  r.outside = get();
  await als.run("A", async () => {
    r.sync = get();
    await null; r.await = get();
    await new Promise((f) => setTimeout(f, 1)); r.timerAwait = get();
    r.timer = await new Promise((f) => setTimeout(() => f(get()), 1));
    r.micro = await new Promise((f) => queueMicrotask(() => f(get())));
    r.then = await Promise.resolve().then(get);
    r.catch = await Promise.reject(1).catch(get);
    r.finally = await new Promise((f) => Promise.resolve().finally(() => f(get())));
    r.all = await Promise.all([1, 2]).then(get);
    r.thenable = await { then(done) { done(get()); } };
    r.resolved = await new Promise((f) => f({ then(done) { done(get()); } }));
    r.returned = await (async () => ({ then(done) { done(get()); } }))();
    r.nested = await als.run("B", async () => { await 1; return other.run("O", async () => { await 1;
        return [get(), other.getStore()]; }); });
    r.after = [get(), other.getStore(), other.name];
    r.exit = await als.exit(async () => { await 1; return get() === undefined; });
    r.args = als.run(1, (a, b) => a + b + get(), 2, 3);
    const stream = new ReadableStream({ n: 0, async pull(c) { await 1; c.enqueue(get());
        if (++this.n === 2) c.close(); } });
    r.stream = await als.run("R", async () => { const out = []; for await (const v of stream) out.push(v);
        return out; });
    const t = new TransformStream({ transform(chunk, c) { c.enqueue(chunk + get()); } });
    r.transform = await als.run("T", async () => { const out = [];
        for await (const v of ReadableStream.from(["x"]).pipeThrough(t)) out.push(v); return out; });
    const target = new EventTarget(); const seen = [];
    target.addEventListener("e", () => seen.push(get()));
    als.run("E", () => target.dispatchEvent(new Event("e"))); r.event = seen;
    r.aborted = await new Promise((f) => AbortSignal.timeout(1).addEventListener("abort", () => f(get())));
    function* g() { yield get(); yield get(); }
    r.gen = [...g()];
    async function* ag() { yield get(); await 1; yield get(); }
    r.agen = []; for await (const v of ag()) r.agen.push(v);
    r.unhandled = await new Promise((f) => { addEventListener("unhandledrejection", (e) => { e.preventDefault();
        f([get(), e.reason]); }, { once: true }); Promise.reject("why"); });
  });
  r.end = get();
  const bound = als.run("bound", () => AsyncLocalStorage.bind(function (x) { return [get(), x, this.k]; }));
  r.bound = bound.call({ k: 1 }, 2);
  const snap = als.run("snap", () => AsyncLocalStorage.snapshot());
  r.snap = snap((x) => [get(), x], 7);
  const res = als.run("res", () => new AsyncResource("X"));
  r.res = res.runInAsyncScope(function (x) { return [get(), x, this.k]; }, { k: 3 }, 9);
  r.resBind = res.bind((x) => [get(), x])(4);
  r.resStatic = als.run("st", () => AsyncResource.bind((x) => [get(), x]))(5);
  r.ids = [hooks.executionAsyncId(), hooks.triggerAsyncId(), res.asyncId(), res.triggerAsyncId(),
      res.emitDestroy() === res, typeof hooks.createHook({}).enable];
  try { als.enterWith(1); } catch (e) { r.enterWith = e.message; }
  try { als.disable(); } catch (e) { r.disable = e.message; }
  try { als.run(1, 2); } catch (e) { r.badRun = [e.code, e.message]; }
  try { als.run(1, () => { throw new Error("x" + get()); }); } catch (e) { r.thrown = [e.message, get()]; }
  return r;
}
// Concurrent requests do not see each other's stores.
export default { async fetch(request) {
  const url = new URL(request.url);
  if (url.pathname === "/all") return Response.json(await collect());
  return als.run(url.pathname, async () => { await scheduler.wait(5); return new Response(als.getStore()); });
} };
