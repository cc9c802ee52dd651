// Workers: `env`, one object for all that an isolate runs. Needs the op
//   binding(index) -> [name, kind, ...], or null behind the last. What follows depends on the kind:
//     "text": the text; "json": JSON text; "versionMetadata": id, tag, timestamp; nothing for "kvNamespace", "service",
//     "assets" and "rateLimit", which the host knows by their index
const { JSONParse, ObjectDefineProperty, globalThis } = primordials;

let environment;

function valueOf(details, index) {
  const first = details[2];
  switch (details[1]) {
    case "text": return first;
    case "json": return JSONParse(first);
    case "versionMetadata": return { id: first, tag: details[3], timestamp: details[4] };
    case "kvNamespace": return use("Workers/kv").createNamespace(index);
    case "assets":
    case "service": return use("Workers/fetcher").createFetcher(index);
    default: return use("Workers/rateLimit").createRateLimit(index);
  }
}

function define(target) {
  for (let index = 0, details; (details = ops.binding(index)) !== null; index++) {
    ObjectDefineProperty(target, details[0], {
      __proto__: null, value: valueOf(details, index), writable: true, enumerable: true, configurable: true,
    });
  }
  return target;
}

const getEnvironment = () => environment ??= define({});

/** In service-worker syntax variables are globals, from before the script's first line. */
entries.exposeEnvironment = () => { define(globalThis); };

/** What the warm-up saw is none of a worker's. */
const forgetEnvironment = () => { environment = undefined; };

provide({ forgetEnvironment, getEnvironment });
