extension HostileGroup {
    /// The language's own objects replaced before the first request: the runtime must not reach them. What the worker
    /// then does with the platform must come out as ever.
    static let sabotage = HostileGroup(
        name: "sabotage", flags: ["--cpu-ms", "5000", "--compatibility-flag", "nodejs_compat"],
        workers: [
            sabotaged("nothing", ""),
            sabotaged("arrays", "trapAll(Array.prototype); trapAll(Array);"),
            sabotaged("array-species", "trapConstructor(Array); trapSpecies(Array);"),
            sabotaged("maps", "for (const type of [Map, Set, WeakMap, WeakSet, WeakRef]) trapAll(type.prototype);"),
            sabotaged("map-species", "for (const type of [Map, Set]) { trapConstructor(type); trapSpecies(type); }"),
            sabotaged("promises", "trapAll(Promise.prototype); trapAll(Promise);"),
            sabotaged("functions", "trapAll(Function.prototype);"),
            sabotaged("strings", "trapAll(String.prototype); trapAll(String);"),
            sabotaged("regexps", "trapAll(RegExp.prototype);"),
            sabotaged(
                "symbols-of-strings",
                "for (const key of ['replace', 'split', 'match', 'matchAll', 'search']) trapField(Symbol[key]);"),
            sabotaged("regexp-species", "trapConstructor(RegExp); trapSpecies(RegExp);"),
            sabotaged("objects", "trapAll(Object.prototype); trapAll(Object);"),
            sabotaged(
                "namespaces",
                """
                for (const space of [Reflect, Math, JSON, Intl, WebAssembly]) trapAll(space);
                for (const type of [Number, Symbol, Date, BigInt, Boolean]) { trapAll(type); trapAll(type.prototype); }
                """),
            sabotaged(
                "buffers",
                """
                for (const type of [ArrayBuffer, DataView]) { trapAll(type); trapAll(type.prototype); }
                for (const type of [Uint8Array, Uint16Array, Float64Array, Object.getPrototypeOf(Uint8Array)]) {
                  trapAll(type);
                  trapAll(type.prototype);
                }
                """),
            sabotaged(
                "buffer-species",
                """
                for (const type of [ArrayBuffer, Uint8Array, Object.getPrototypeOf(Uint8Array)]) {
                  trapConstructor(type);
                  trapSpecies(type);
                }
                """),
            sabotaged(
                "iterators",
                """
                const above = Object.getPrototypeOf;
                for (const iterator of [[].values(), new Map().keys(), new Set().keys(), ''[Symbol.iterator](),
                  'a'.matchAll(/a/g)]) trapAll(above(iterator));
                trapAll(above(above([].values())));
                trapAll(above(above((function* () {})())));
                trapAll(above(above((async function* () {})())));
                trapAll(above(above(above((async function* () {})()))));
                """),
            sabotaged(
                "errors",
                """
                for (const type of [Error, TypeError, RangeError, DOMException]) trapAll(type.prototype);
                Error.captureStackTrace = () => leak('captureStackTrace');
                """),
            sabotaged(
                "fields-of-descriptors",
                """
                for (const name of ['get', 'set', 'value', 'writable', 'enumerable', 'configurable']) trapField(name);
                """),
            sabotaged(
                "fields-of-options",
                """
                for (const name of ['done', 'next', 'type', 'name', 'headers', 'body', 'signal', 'status', 'mode',
                  'start', 'highWaterMark', 'pull', 'cancel', 'length', 'endings', 'fatal', 'detail', 'once', 'passive',
                  'capture', 'kind', 'tag', 'reason', 'resolve', 'reject', 'promise', 'size', 'key', 'message',
                  'stream', 'url', 'method', 'index', 'raw', 'options', 'state', 'reader', 'controller', 'listener']) {
                  trapField(name);
                }
                """),
            sabotaged("elements", "for (let i = 0; i < 64; i++) { trapField(i); trapField(i, Array.prototype); }"),
            sabotaged(
                "elements-of-arrays", "for (let i = 0; i < 64; i++) trapField(i, Array.prototype);"),
            sabotaged(
                "elements-that-are-there",
                "for (let i = 0; i < 64; i++) { Array.prototype[i] = 'wrong'; Object.prototype[i] = 'wrong'; }"),
            sabotaged(
                "web-classes",
                """
                for (const name of Object.getOwnPropertyNames(globalThis)) {
                  const type = globalThis[name];
                  if (typeof type !== 'function' || !isOfTheWeb(name)) continue;
                  trapAll(type);
                  if (type.prototype !== undefined) trapAll(type.prototype);
                }
                """, isTenantsToo: true),
            sabotaged(
                "globals",
                """
                const { getOwnPropertyDescriptor, getOwnPropertyNames } = Object, scope = globalThis;
                for (const name of getOwnPropertyNames(scope)) {
                  const { configurable } = getOwnPropertyDescriptor(scope, name);
                  if (configurable) define(scope, name, { get() { leak(name); }, set() { leak(name); } });
                }
                """),
            sabotaged(
                "frozen",
                """
                for (const name of Object.getOwnPropertyNames(globalThis)) {
                  const type = globalThis[name];
                  if (typeof type !== 'function' || !type.prototype) continue;
                  Object.freeze(type);
                  Object.freeze(type.prototype);
                }
                """),
            sabotaged(
                "prototype-of-globals",
                """
                try {
                  Object.setPrototypeOf(globalThis, new Proxy({}, { get() { leak('global'); }, has: () => false }));
                } catch {}
                """),
            sabotaged(
                "prototypes-of-classes",
                """
                const watcher = new Proxy({}, { get(_, name) { if (name !== 'then') leak(name); } });
                for (const type of [Response, Headers, Request, ReadableStream, Blob, FormData, Event]) {
                  Object.setPrototypeOf(type.prototype, watcher);
                }
                """, isTenantsToo: true),
            sabotaged(
                "lengths-of-an-instance",
                """
                makeBytes = () => {
                  const bytes = new OwnUint8Array(1);
                  bytes[0] = 112;
                  for (const name of ['length', 'byteLength', 'byteOffset', 'buffer', 'constructor']) {
                    define(bytes, name, { value: 2 ** 30 });
                  }
                  define(bytes, Symbol.toStringTag, { value: 'Float64Array' });
                  return bytes;
                };
                """),
            .handler(
                "then-of-objects", [.ok], text: "survived",
                """
                // Resolving a promise with an object looks "then" up, as the language says; no more may come of it.
                Object.defineProperty(Object.prototype, 'then', { configurable: true, get() { return undefined; } });
                return new Response(await new Blob([await new Response('survived').text()]).text());
                """),
            .handler(
                "promise-species", [.ok], text: "survived",
                """
                class Evil { constructor(executor) { executor(() => { for (;;); }, () => { for (;;); }); } }
                Object.defineProperty(Promise, Symbol.species, { value: Evil });
                const { readable, writable } = new TransformStream();
                new Response('survived').body.pipeTo(writable);
                return new Response(await new Response(readable).text());
                """),
            .handler(
                "subclassed-promise", [.exceededCpu],
                """
                const forever = new Promise(() => {});
                const then = (resolve) => { resolve(new Response('survived')); for (;;); };
                Object.defineProperty(forever, 'then', { value: then });
                return forever;
                """),
        ])

    /// - Parameters:
    ///   - code: runs at the top level, before the worker's first request.
    ///   - isTenantsToo: whether the platform may reach what is trapped on the worker's behalf, so that only what comes
    ///     of its calls counts.
    private static func sabotaged(_ name: String, _ code: String, isTenantsToo: Bool = false) -> HostileWorker {
        let source = """
            import { arm, define, isOfTheWeb, leak, leaksOf, OwnResponse, OwnUint8Array, trapAll, trapConstructor,
              trapField, trapSpecies } from "./traps.js";
            import { walk } from "./walk.js";
            import { walkFarther } from "./farther.js";
            let makeBytes = () => {
              const bytes = new OwnUint8Array(1);
              bytes[0] = 112;
              return bytes;
            };
            let served = 0;
            const answer = (text) => new OwnResponse(text);
            export default { async fetch(request) {
              if (++served === 2) return answer(\(isTenantsToo) || leaksOf() === "" ? "2" : "leaked: " + leaksOf());
              arm();
              const said = await walk(request, makeBytes);
              return answer(said === "survived" ? await walkFarther() : said);
            } };
            {
            \(code)
            }

            """
        let modules = ["traps.js", "walk.js", "farther.js"].map { ($0, Array(WorkerCase.file("sabotage/\($0)"))) }
        return HostileWorker(
            name: name, endings: [.ok], source: source, modules: Dictionary(uniqueKeysWithValues: modules),
            text: "survived")
    }
}
