// HTML Standard, section 8 and 10.2: what the global object itself offers.
const { ObjectDefineProperty, ObjectSetPrototypeOf, TypeError, globalThis } = primordials;
const {
  converters, defineInterface, dictionary, exposeGlobals, exposeLazyGlobals, exposeOperations, requireArguments,
  sequence,
} = use("WebIDL/webidl");
const { EventTarget, defineEventHandlers, receiver } = use("DOM/target");
const { reportException } = use("HTML/report");

const prefixOf = (name) => `Failed to execute '${name}' on 'ServiceWorkerGlobalScope'`;

// The global object inherits from these, so that it is an EventTarget.
class WorkerGlobalScope extends EventTarget {
  constructor() { throw new TypeError("Illegal constructor"); }
}
class ServiceWorkerGlobalScope extends WorkerGlobalScope {
  constructor() { super(); }
}
defineInterface(WorkerGlobalScope);
defineInterface(ServiceWorkerGlobalScope);
defineEventHandlers(WorkerGlobalScope.prototype, ["error", "unhandledrejection", "rejectionhandled"], receiver);
ObjectSetPrototypeOf(globalThis, ServiceWorkerGlobalScope.prototype);

ObjectDefineProperty(globalThis, "self", {
  __proto__: null, value: globalThis, writable: true, enumerable: true, configurable: true,
});

// An await enqueues one microtask, and asks neither a species nor a then() of the tenant's.
async function runAsMicrotask(callback) {
  await undefined;
  try {
    callback();
  } catch (error) {
    reportException(error);
  }
}

const cloneOptions = dictionary("StructuredSerializeOptions", [
  { __proto__: null, key: "transfer", converter: sequence(converters.object), defaultValue: () => [] },
]);

exposeOperations({
  __proto__: null,

  queueMicrotask(callback) {
    requireArguments(arguments.length, 1, prefixOf("queueMicrotask"));
    runAsMicrotask(converters.Function(callback, prefixOf("queueMicrotask"), "parameter 1"));
  },

  structuredClone(value, options = undefined) {
    requireArguments(arguments.length, 1, prefixOf("structuredClone"));
    const type = typeof value;
    const isPrimitive = value === null || (type !== "object" && type !== "function" && type !== "symbol");
    if (isPrimitive && options === undefined) return value;
    const { transfer } = cloneOptions(options, prefixOf("structuredClone"), "parameter 2");
    return use("HTML/structuredClone").cloneWithTransfer(value, transfer).value;
  },

  atob(data) {
    requireArguments(arguments.length, 1, prefixOf("atob"));
    return use("HTML/base64").decode(converters.DOMString(data, prefixOf("atob"), "parameter 1"));
  },

  btoa(data) {
    requireArguments(arguments.length, 1, prefixOf("btoa"));
    return use("HTML/base64").encode(converters.DOMString(data, prefixOf("btoa"), "parameter 1"));
  },
});

exposeLazyGlobals("HTML/events", ["CloseEvent", "ErrorEvent", "MessageEvent", "PromiseRejectionEvent"]);
exposeLazyGlobals("HTML/eventSource", ["EventSource"]);
exposeLazyGlobals("HTML/messaging", ["MessageChannel", "MessagePort"]);
exposeLazyGlobals("WebSockets/webSocket", ["WebSocket", "WebSocketPair"]);
exposeLazyGlobals("HTML/navigator", ["Navigator", "navigator", "scheduler"]);
exposeGlobals({ __proto__: null, ServiceWorkerGlobalScope, WorkerGlobalScope });

provide({ ServiceWorkerGlobalScope, WorkerGlobalScope, runAsMicrotask });
