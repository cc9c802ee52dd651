// Workers: what the host calls when a worker has been loaded and when a request comes. Needs the ops
//   workerLoaded([names of the events it handles])
const {
  ArrayPrototypePush, Error, FunctionPrototypeCall, ObjectKeys, PromisePrototypeThen, PromiseResolve, TypeError,
} = primordials;
const { globalEventTarget, hasListeners } = use("DOM/target");
const { makeHostRequest } = use("Fetch/hostRequest");
const { isResponse, respond } = use("Fetch/hostResponse");
const { forgetFlags } = use("Workers/compatibility");
const { createContext, failRequest } = use("Workers/context");
const { forgetEnvironment, getEnvironment } = use("Workers/environment");
const { dispatchFetchEvent, handlesFetch } = use("Workers/fetchEvent");

// What the main module exports; the default export, its handlers, and whether it is a class: then each event makes an
// object of it.
let namespace;
let exported;
let fetchHandler;
let scheduledHandler;
let isClass = false;
// In service-worker syntax handlers are listeners.
let isScript = false;

/** The object whose properties are the handlers. */
function handlerHolder() {
  if (typeof exported !== "function") return exported;
  if (!use("Workers/entrypoint").isEntrypointClass(exported)) {
    throw new TypeError(
      "The default export is a class that does not extend WorkerEntrypoint of \"cloudflare:workers\".");
  }
  isClass = true;
  return exported.prototype;
}

function takeHandler(holder, name, handlers) {
  const handler = holder[name];
  if (typeof handler === "function") ArrayPrototypePush(handlers, name);
  else if (handler !== undefined) throw new TypeError(`The default export's '${name}' is not a function.`);
  return handler;
}

/** The worker's top level has run. A module gives its namespace; a script has added listeners. */
entries.loaded = (exports) => {
  const handlers = [];
  let hasEntrypoints = false;
  if (exports === undefined) {
    isScript = true;
    if (handlesFetch()) ArrayPrototypePush(handlers, "fetch");
    if (hasListeners(globalEventTarget, "scheduled")) ArrayPrototypePush(handlers, "scheduled");
  } else {
    namespace = exports;
    exported = exports.default;
    const handlersOf = handlerHolder();
    if (handlersOf !== null && typeof handlersOf === "object") {
      fetchHandler = takeHandler(handlersOf, "fetch", handlers);
      scheduledHandler = takeHandler(handlersOf, "scheduled", handlers);
    }
    if (isClass) use("Workers/entrypoints").addMethods(handlers, exported);
    if (ObjectKeys(exports).length > 1) hasEntrypoints = use("Workers/entrypoints").reportEntrypoints(exports);
  }
  if (handlers.length === 0 && !hasEntrypoints) {
    throw new Error("No event handlers were registered. This script does nothing. "
      + "A worker exports its handlers: export default { async fetch(request, env, ctx) { ... } }");
  }
  ops.workerLoaded(handlers);
};

function answer(exchange, response) {
  try {
    respond(exchange, response);
  } catch (error) {
    failRequest(exchange, error);
  }
}

function callHandler(handler, argument, context) {
  if (!isClass) return FunctionPrototypeCall(handler, exported, argument, getEnvironment(), context);
  return FunctionPrototypeCall(handler, new exported(context, getEnvironment()), argument);
}

entries.dispatchFetch = (exchange) => {
  const request = makeHostRequest(exchange);
  if (isScript) return dispatchFetchEvent(exchange, request);
  if (fetchHandler === undefined) {
    return failRequest(exchange, new Error("Handler does not export a fetch() function."));
  }
  let result;
  try {
    result = callHandler(fetchHandler, request, createContext(exchange));
  } catch (error) {
    return failRequest(exchange, error);
  }
  answerWith(exchange, result);
};

function answerWith(exchange, result) {
  if (isResponse(result)) return answer(exchange, result);
  PromisePrototypeThen(
    PromiseResolve(result),
    (response) => answer(exchange, response),
    (error) => failRequest(exchange, error),
  );
}

/** A request by a service binding that names an entrypoint, or has props. */
entries.dispatchEntrypoint = (exchange) => {
  const request = makeHostRequest(exchange);
  if (isScript) return dispatchFetchEvent(exchange, request);
  let result;
  try {
    result = use("Workers/entrypoints").callFetch(namespace, exchange, request);
  } catch (error) {
    return failRequest(exchange, error);
  }
  answerWith(exchange, result);
};

/** A call of a method of an entrypoint, by a service binding. */
entries.dispatchCall = (exchange) => { use("Workers/entrypoints").dispatchCall(namespace, exchange); };

entries.dispatchScheduled = (exchange) => {
  const { createController, dispatchScheduledEvent } = use("Workers/scheduled");
  if (isScript) return dispatchScheduledEvent(exchange);
  if (scheduledHandler === undefined) {
    return failRequest(exchange, new Error("Handler does not export a scheduled() function."));
  }
  let result;
  try {
    result = callHandler(scheduledHandler, createController(exchange), createContext(exchange));
  } catch (error) {
    return failRequest(exchange, error);
  }
  PromisePrototypeThen(
    PromiseResolve(result),
    () => { ops.eventEnded(exchange); },
    (error) => failRequest(exchange, error),
  );
};

/** Something has come of a WebSocket that the host has. */
entries.webSocketEvent = (socketId, kind, a, b, c) => {
  use("WebSockets/webSocket").webSocketEvent(socketId, kind, a, b, c);
};

/** Answers a made-up request before the snapshot is taken, so that what nearly every worker uses is compiled. */
entries.warmUp = () => {
  const worker = {
    async fetch(request, env, context) {
      const url = new URL(request.url);
      context.waitUntil(Promise.resolve());
      const headers = new Headers({ "content-type": "text/plain", "x-name": request.headers.get("x-name") ?? "" });
      headers.set("x-path", url.pathname + url.searchParams.get("a"));
      if (request.method === "POST") return new Response(await request.text());
      const answer = fetch(url, { headers });
      entries.settle(1, false, [200, "OK", 0]);
      await answer;
      const json = Response.json({ url: request.url }, { status: 200 });
      return new Response(await json.text(), { status: 200, headers });
    },
  };
  entries.loaded({ default: worker });
  entries.dispatchFetch(1);
  entries.dispatchFetch(2);
  entries.resetAfterWarmUp();
};

/**
 * Readies a blank isolate, whose snapshot was warmed so: its heap's first pages are touched. This function is never
 * called before a snapshot is taken: that it must be compiled makes room for what the worker's first function needs.
 */
entries.prepare = () => { entries.warmUp(); };

entries.resetAfterWarmUp = () => {
  namespace = exported = fetchHandler = undefined;
  forgetEnvironment();
  forgetFlags();
};

provide({});
