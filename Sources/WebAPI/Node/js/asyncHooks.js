// node:async_hooks as Workers have it: AsyncLocalStorage and AsyncResource. Of the rest there are only the questions
// whose answer is always the same, since nothing here has an asynchronous id.
const { ArrayPrototypePush, ObjectDefineProperty, ObjectFreeze } = primordials;
const { callInContext, trackContexts } = use("Core/asyncContext");
const { invalidType, notImplemented, requireFunction, requireString } = use("Node/errors");

trackContexts();

// A context is a flat list: storage, store, storage, store ... Contexts never change, so callbacks may share them.

function indexOf(context, storage) {
  if (context !== undefined) {
    for (let i = 0; i < context.length; i += 2) {
      if (context[i] === storage) return i;
    }
  }
  return -1;
}

function contextWith(storage, store) {
  const outer = engine.getAsyncContext();
  const context = [];
  if (outer !== undefined) {
    for (let i = 0; i < outer.length; i += 2) {
      if (outer[i] !== storage) ArrayPrototypePush(context, outer[i], outer[i + 1]);
    }
  }
  ArrayPrototypePush(context, storage, store);
  return context;
}

function bind(callback, name, receiver) {
  requireFunction(callback, name);
  const context = engine.getAsyncContext();
  const bound = function () {
    return callInContext(context, callback, receiver === undefined ? this : receiver, arguments);
  };
  ObjectDefineProperty(bound, "length", { __proto__: null, value: callback.length, configurable: true });
  return bound;
}

class AsyncLocalStorage {
  #defaultValue; #name;

  constructor(options = undefined) {
    if (options === undefined) options = { __proto__: null };
    if (options === null || typeof options !== "object") throw invalidType("options", "of type object", options);
    const { defaultValue, name } = options;
    if (name !== undefined) requireString(name, "options.name");
    this.#defaultValue = defaultValue;
    this.#name = name ?? "";
  }

  get name() { return this.#name; }

  getStore() {
    const context = engine.getAsyncContext();
    const index = indexOf(context, this);
    const store = index < 0 ? undefined : context[index + 1];
    return store === undefined ? this.#defaultValue : store;
  }

  run(store, callback, ...args) {
    requireFunction(callback, "callback");
    return callInContext(contextWith(this, store), callback, undefined, args);
  }

  exit(callback, ...args) {
    requireFunction(callback, "callback");
    return callInContext(contextWith(this, undefined), callback, undefined, args);
  }

  /** Workers have neither: both would change the context of code that has not asked for it. */
  enterWith() { throw notImplemented("asyncLocalStorage.enterWith()"); }
  disable() { throw notImplemented("asyncLocalStorage.disable()"); }

  static bind(callback) { return bind(callback, "fn", undefined); }

  static snapshot() {
    const context = engine.getAsyncContext();
    return function (callback, ...args) {
      requireFunction(callback, "fn");
      return callInContext(context, callback, this, args);
    };
  }
}

class AsyncResource {
  #context;

  constructor(type) {
    requireString(type, "type");
    this.#context = engine.getAsyncContext();
  }

  static bind(callback, type = undefined, receiver = undefined) {
    requireFunction(callback, "fn");
    return new AsyncResource(typeof type === "string" ? type : "bound-anonymous-fn").#bind(callback, receiver);
  }

  bind(callback, receiver = undefined) {
    requireFunction(callback, "fn");
    return this.#bind(callback, receiver);
  }

  #bind(callback, receiver) { return callInContext(this.#context, bind, undefined, [callback, "fn", receiver]); }

  runInAsyncScope(callback, receiver = undefined, ...args) {
    requireFunction(callback, "fn");
    return callInContext(this.#context, callback, receiver, args);
  }

  asyncId() { return 0; }
  triggerAsyncId() { return 0; }
  emitDestroy() { return this; }
}

/** Hooks are never called: nothing here has an asynchronous id that they could tell of. */
class AsyncHook {
  enable() { return this; }
  disable() { return this; }
}

const exported = {
  AsyncLocalStorage,
  AsyncResource,
  asyncWrapProviders: ObjectFreeze({ __proto__: null }),
  createHook: () => new AsyncHook(),
  executionAsyncId: () => 0,
  executionAsyncResource: () => ({ __proto__: null }),
  triggerAsyncId: () => 0,
};

provide({ exports: exported, hasDefault: true });
