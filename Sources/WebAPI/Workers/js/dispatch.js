// Workers: what the host calls when a worker has been loaded and when a request comes. Needs the ops
//   environment() -> [name, value, name, value ...], the worker's variables
//   workerLoaded([names of the events it handles])
const {
  ArrayPrototypePush, Error, FunctionPrototypeCall, ObjectDefineProperty, PromisePrototypeThen, PromiseResolve,
  TypeError, globalThis,
} = primordials;
const { makeHostRequest } = use("Fetch/hostRequest");
const { isResponse, respond } = use("Fetch/hostResponse");
const { createContext, failRequest } = use("Workers/context");
const { dispatchFetchEvent, handlesFetch } = use("Workers/fetchEvent");

// The handlers of the default export, and that object itself, which is their receiver.
let exported;
let fetchHandler;
let environment;

function readEnvironment() {
  const pairs = ops.environment();
  const result = {};
  for (let i = 0; i < pairs.length; i += 2) {
    ObjectDefineProperty(result, pairs[i], {
      __proto__: null, value: pairs[i + 1], writable: true, enumerable: true, configurable: true,
    });
  }
  return result;
}

/** The worker's top level has run. A module gives its namespace; a script has added listeners. */
entries.loaded = (namespace) => {
  environment = readEnvironment();
  const handlers = [];
  if (namespace === undefined) {
    if (handlesFetch()) ArrayPrototypePush(handlers, "fetch");
  } else {
    exported = namespace.default;
    if (exported !== null && typeof exported === "object") fetchHandler = exported.fetch;
    if (typeof fetchHandler === "function") ArrayPrototypePush(handlers, "fetch");
    else if (fetchHandler !== undefined) throw new TypeError("The default export's 'fetch' is not a function.");
  }
  if (handlers.length === 0) {
    throw new Error("No event handlers were registered. This script does nothing. "
      + "A worker exports its handlers: export default { async fetch(request, env, ctx) { ... } }");
  }
  ops.workerLoaded(handlers);
};

/** In service-worker syntax variables are globals, from before the script's first line. */
entries.exposeEnvironment = () => {
  const pairs = ops.environment();
  for (let i = 0; i < pairs.length; i += 2) {
    ObjectDefineProperty(globalThis, pairs[i], {
      __proto__: null, value: pairs[i + 1], writable: true, enumerable: true, configurable: true,
    });
  }
};

function answer(exchange, response) {
  try {
    respond(exchange, response);
  } catch (error) {
    failRequest(exchange, error);
  }
}

entries.dispatchFetch = (exchange) => {
  const request = makeHostRequest(exchange);
  if (fetchHandler === undefined) return dispatchFetchEvent(exchange, request);
  let result;
  try {
    result = FunctionPrototypeCall(fetchHandler, exported, request, environment, createContext(exchange));
  } catch (error) {
    return failRequest(exchange, error);
  }
  if (isResponse(result)) return answer(exchange, result);
  PromisePrototypeThen(
    PromiseResolve(result),
    (response) => answer(exchange, response),
    (error) => failRequest(exchange, error),
  );
};

/** Something has come of a WebSocket that the host has. */
entries.webSocketEvent = (socketId, kind, a, b, c) => {
  use("WebSockets/webSocket").webSocketEvent(socketId, kind, a, b, c);
};

/** Answers a made-up request before the snapshot is taken, so that what nearly every worker uses is compiled. */
entries.warmUp = () => {
  exported = {
    async fetch(request, env, context) {
      const url = new URL(request.url);
      context.waitUntil(Promise.resolve());
      const headers = new Headers({ "content-type": "text/plain", "x-name": request.headers.get("x-name") ?? "" });
      headers.set("x-path", url.pathname + url.searchParams.get("a"));
      if (request.method === "POST") return new Response(await request.text(), { headers });
      const answer = fetch(url, { headers });
      entries.settle(1, false, [200, "OK", 0]);
      await answer;
      const json = Response.json({ url: request.url }, { status: 200 });
      return new Response(await json.text(), { status: 200, headers });
    },
  };
  fetchHandler = exported.fetch;
  environment = {};
  entries.dispatchFetch(1);
  entries.dispatchFetch(2);
  entries.resetAfterWarmUp();
};

entries.resetAfterWarmUp = () => {
  exported = fetchHandler = environment = undefined;
};

provide({});
