// Workers: entrypoints besides a module's default handlers, and calls of their methods. Needs the ops
//   entrypointLoaded(name, [names of handlers and methods])
//   serviceCall(exchange) -> [entrypoint or null, props or null, method or null, whether it is called or read]
//   rpcRespond(exchange, bytes, failure or undefined): answers a call; the failure is for the log
const {
  ArrayPrototypeIncludes, ArrayPrototypePush, Error, FunctionPrototypeCall, ObjectGetOwnPropertyDescriptor,
  ObjectGetPrototypeOf, ObjectHasOwn, ObjectKeys, PromisePrototypeThen, PromiseResolve, ReflectApply, ReflectOwnKeys,
  TypeError,
} = primordials;
const { expectTicket } = use("Core/tickets");
const { deserialize, serialize } = use("HTML/serialization");
const { createContext } = use("Workers/context");
const { WorkerEntrypoint, isEntrypointClass } = use("Workers/entrypoint");
const { getEnvironment } = use("Workers/environment");

const inspect = (value) => use("Console/inspect").inspect(value);

// Handlers that an entrypoint which is no class may have.
const handlerNames = ["fetch", "scheduled"];
// What the platform calls is not for other Workers to call.
const reservedNames = [
  "alarm", "connect", "constructor", "dup", "email", "fetch", "queue", "scheduled", "tail", "tailStream", "test",
  "trace", "webSocketClose", "webSocketError", "webSocketMessage",
];
/** Names of one entrypoint that the host is told of. */
const mostNames = 200;

/** Adds the names of a class's methods, inherited ones too. */
function addMethods(names, Class) {
  for (
    let prototype = Class.prototype;
    prototype !== null && typeof prototype === "object" && prototype !== WorkerEntrypoint.prototype;
    prototype = ObjectGetPrototypeOf(prototype)
  ) {
    const keys = ReflectOwnKeys(prototype);
    for (let i = 0; i < keys.length && names.length < mostNames; i++) {
      const key = keys[i];
      if (typeof key !== "string" || key === "constructor" || ArrayPrototypeIncludes(names, key)) continue;
      const property = ObjectGetOwnPropertyDescriptor(prototype, key);
      if (property !== undefined && typeof property.value === "function") ArrayPrototypePush(names, key);
    }
  }
}

/** The names of what an export handles; undefined if it is no entrypoint. */
function handlersOf(value) {
  const names = [];
  if (typeof value === "function") {
    if (!isEntrypointClass(value)) return undefined;
    addMethods(names, value);
    return names;
  }
  if (typeof value !== "object" || value === null) return undefined;
  for (let i = 0; i < handlerNames.length; i++) {
    if (typeof value[handlerNames[i]] === "function") ArrayPrototypePush(names, handlerNames[i]);
  }
  return names.length === 0 ? undefined : names;
}

/** Tells the host of each named export that is an entrypoint. Whether there is one. */
function reportEntrypoints(namespace) {
  const names = ObjectKeys(namespace);
  let isAny = false;
  for (let i = 0; i < names.length; i++) {
    if (names[i] === "default") continue;
    const handlers = handlersOf(namespace[names[i]]);
    if (handlers === undefined) continue;
    isAny = true;
    ops.entrypointLoaded(names[i], handlers);
  }
  return isAny;
}

function find(namespace, name) {
  if (!ObjectHasOwn(namespace, name ?? "default")) {
    throw new Error(`The Worker has no entrypoint "${name ?? "default"}".`);
  }
  const value = namespace[name ?? "default"];
  if (typeof value !== "function" && (typeof value !== "object" || value === null)) {
    throw new TypeError(`The export "${name ?? "default"}" is no entrypoint.`);
  }
  return value;
}

/** Calls the fetch handler that a service binding means. */
function callFetch(namespace, exchange, request) {
  const details = ops.serviceCall(exchange), target = find(namespace, details[0]);
  const context = createContext(exchange, details[1]);
  const isClass = typeof target === "function", handler = isClass ? target.prototype.fetch : target.fetch;
  if (typeof handler !== "function") throw new Error("Handler does not export a fetch() function.");
  if (!isClass) return FunctionPrototypeCall(handler, target, request, getEnvironment(), context);
  return FunctionPrototypeCall(handler, new target(context, getEnvironment()), request);
}

const missing = (name) => new TypeError(`The RPC receiver does not implement the method "${name}".`);

/** A property that the class or one between it and WorkerEntrypoint has. Its objects' own are theirs alone. */
function memberOf(object, name) {
  if (ArrayPrototypeIncludes(reservedNames, name) || ObjectHasOwn(object, name)) throw missing(name);
  let prototype = ObjectGetPrototypeOf(object), found;
  while (prototype !== null && prototype !== WorkerEntrypoint.prototype) {
    found ??= ObjectGetOwnPropertyDescriptor(prototype, name);
    prototype = ObjectGetPrototypeOf(prototype);
  }
  if (prototype === null || found === undefined) throw missing(name);
  if (ObjectHasOwn(found, "value")) return found.value;
  return found.get === undefined ? undefined : FunctionPrototypeCall(found.get, object);
}

function call(namespace, exchange, bytes) {
  const details = ops.serviceCall(exchange), target = find(namespace, details[0]), name = details[2];
  if (typeof target !== "function" || !isEntrypointClass(target)) {
    throw new TypeError(`The entrypoint "${details[0] ?? "default"}" has no methods to call: only classes that extend `
      + "WorkerEntrypoint of \"cloudflare:workers\" have.");
  }
  const args = deserialize(bytes);
  const object = new target(createContext(exchange, details[1]), getEnvironment());
  const member = memberOf(object, name);
  if (!details[3]) return member;
  if (typeof member !== "function") throw new TypeError(`"${name}" is not a function.`);
  return ReflectApply(member, object, args);
}

function succeed(exchange, value) {
  let bytes;
  try {
    bytes = serialize(value);
  } catch (error) {
    return fail(exchange, error);
  }
  ops.rpcRespond(exchange, bytes, undefined);
}

function fail(exchange, error) {
  const text = inspect(error);
  let bytes;
  try {
    bytes = serialize(error);
  } catch {
    bytes = serialize(new Error(`The method threw what cannot be sent: ${text}`));
  }
  ops.rpcRespond(exchange, bytes, text);
}

function callWith(namespace, exchange, bytes) {
  let result;
  try {
    result = PromiseResolve(call(namespace, exchange, bytes));
  } catch (error) {
    return fail(exchange, error);
  }
  PromisePrototypeThen(result, (value) => succeed(exchange, value), (error) => fail(exchange, error));
}

/** Answers a call of a method. */
function dispatchCall(namespace, exchange) {
  const bytes = ops.bodyReadAll(ops.requestBody(exchange));
  if (typeof bytes !== "number") return callWith(namespace, exchange, bytes);
  expectTicket(bytes, {
    __proto__: null,
    resolve: (whole) => callWith(namespace, exchange, whole),
    reject: (error) => fail(exchange, error),
  });
}

provide({ addMethods, callFetch, dispatchCall, reportEntrypoints });
