// The intrinsics as they were before any tenant code ran, by Node's and Deno's names. Like the loader this is no
// module but an expression: a function that returns the table maker. Only names that some module asks for are made,
// because every function in the snapshot costs each isolate memory.
(function () {
  "use strict";
  const { Reflect, Object, Function, Error, Promise, RegExp, Symbol, globalThis: global } = globalThis;
  const { getOwnPropertyDescriptor, getPrototypeOf, freeze, create, setPrototypeOf } = Object;
  const { apply, ownKeys, defineProperty, deleteProperty } = Reflect;
  const { bind, call, toString: functionToString } = Function.prototype;
  const uncurryThis = apply(bind, bind, [call]);
  const replace = uncurryThis(String.prototype.replace);
  const toUpperCase = uncurryThis(String.prototype.toUpperCase);
  const slice = uncurryThis(String.prototype.slice);
  const startsWith = uncurryThis(String.prototype.startsWith);
  const split = uncurryThis(String.prototype.split);
  const trim = uncurryThis(String.prototype.trim);
  const sortedByLength = (names) => names.sort((a, b) => b.length - a.length);

  // Intrinsics without a global name, and the global ones; longer names first, so that "ArrayBuffer" wins over "Array".
  const arrayIteratorPrototype = getPrototypeOf([][Symbol.iterator]());
  const asyncFunction = async function () {};
  const asyncGenerator = async function* () {};
  const unnamed = {
    __proto__: null,
    TypedArray: getPrototypeOf(Uint8Array),
    ArrayIteratorPrototype: arrayIteratorPrototype,
    IteratorPrototype: getPrototypeOf(arrayIteratorPrototype),
    MapIteratorPrototype: getPrototypeOf(new Map()[Symbol.iterator]()),
    SetIteratorPrototype: getPrototypeOf(new Set()[Symbol.iterator]()),
    StringIteratorPrototype: getPrototypeOf(""[Symbol.iterator]()),
    GeneratorPrototype: getPrototypeOf((function* () {})).prototype,
    AsyncGeneratorPrototype: getPrototypeOf(asyncGenerator).prototype,
    AsyncIteratorPrototype: getPrototypeOf(getPrototypeOf(asyncGenerator).prototype),
    AsyncFunctionPrototype: getPrototypeOf(asyncFunction),
  };
  const namespaces = ["JSON", "Math", "Reflect", "Atomics", "Intl", "WebAssembly"];
  const roots = sortedByLength([...ownKeys(unnamed), ...ownKeys(global).filter((k) => typeof k === "string"
    && (typeof global[k] === "function" || namespaces.includes(k)))]);
  const table = { __proto__: null };

  function symbolOrString(object, camel) {
    const lower = camel[0].toLowerCase() + slice(camel, 1);
    for (const name of [lower, camel, toUpperCase(camel)]) {
      if (getOwnPropertyDescriptor(object, name) !== undefined) return name;
    }
    if (startsWith(camel, "Symbol")) {
      const name = slice(camel, 6);
      const symbol = Symbol[name[0].toLowerCase() + slice(name, 1)];
      if (symbol !== undefined && getOwnPropertyDescriptor(object, symbol) !== undefined) return symbol;
    }
    return undefined;
  }

  function member(object, rest, isPrototype) {
    let key = symbolOrString(object, rest);
    if (key !== undefined) {
      const { value, get } = getOwnPropertyDescriptor(object, key);
      if (get !== undefined) return undefined;
      return isPrototype && typeof value === "function" ? uncurryThis(value) : value;
    }
    const accessor = slice(rest, 0, 3);
    if (accessor !== "Get" && accessor !== "Set") return undefined;
    key = symbolOrString(object, slice(rest, 3));
    if (key === undefined) return undefined;
    const descriptor = getOwnPropertyDescriptor(object, key);
    const method = accessor === "Get" ? descriptor.get : descriptor.set;
    return method === undefined ? undefined : isPrototype ? uncurryThis(method) : method;
  }

  // What would itself look something up that a tenant may have replaced.
  const hasOwn = uncurryThis(Object.prototype.hasOwnProperty);

  // An element that is defined, not set: a setter that sits at this index of a prototype is not called. "in" costs less
  // than defining does, and nearly always says that nothing is there.
  function append(array, value) {
    const index = array.length;
    if (index in array) {
      defineProperty(array, index, { __proto__: null, value, writable: true, enumerable: true, configurable: true });
    } else {
      array[index] = value;
    }
  }

  function push(array, first, second, third) {
    append(array, first);
    if (arguments.length > 2) append(array, second);
    if (arguments.length > 3) append(array, third);
  }

  // Bounds that are not negative. No species.
  function sliceArray(array, start = 0, end = array.length) {
    const copy = [];
    for (let i = start; i < end; i++) append(copy, array[i]);
    return copy;
  }

  const { prototype: promises } = Promise, { species } = Symbol;
  const originalThen = uncurryThis(promises.then);
  const speciesOfPromise = getOwnPropertyDescriptor(Promise, species).get;
  const noConstructor = { __proto__: null, value: undefined, configurable: true };

  // The language looks up which class of promise `then` is to make. Here that is always Promise itself: which is what
  // the language chooses for a promise whose constructor is undefined.
  function then(promise, onFulfilled, onRejected) {
    if (!hasOwn(promise, "constructor")) {
      const own = getOwnPropertyDescriptor(promises, "constructor");
      if (own !== undefined && hasOwn(own, "value") && own.value === Promise) {
        const kind = getOwnPropertyDescriptor(Promise, species);
        if (kind !== undefined && hasOwn(kind, "get") && kind.get === speciesOfPromise) {
          return originalThen(promise, onFulfilled, onRejected);
        }
      }
    }
    return thenWithoutSpecies(promise, onFulfilled, onRejected);
  }

  function thenWithoutSpecies(promise, onFulfilled, onRejected) {
    const own = getOwnPropertyDescriptor(promise, "constructor");
    // A tenant that has frozen a promise has its way.
    if (!defineProperty(promise, "constructor", noConstructor)) return originalThen(promise, onFulfilled, onRejected);
    const result = originalThen(promise, onFulfilled, onRejected);
    if (own === undefined) deleteProperty(promise, "constructor");
    else defineProperty(promise, "constructor", setPrototypeOf(own, null));
    return result;
  }

  const guarded = {
    __proto__: null,
    uncurryThis, globalThis: global,
    ArrayPrototypePush: push, ArrayPrototypeSlice: sliceArray, PromisePrototypeThen: then,
    // V8 installs what its harmony flags guard only after a context has come out of the snapshot.
    ObjectHasOwn: hasOwn,
  };

  function find(name) {
    if (name in guarded) return guarded[name];
    if (startsWith(name, "Safe")) return safeCollection(slice(name, 4));
    for (const root of roots) {
      if (!startsWith(name, root)) continue;
      const base = unnamed[root] ?? global[root];
      const rest = slice(name, root.length);
      if (rest === "") return base;
      let found;
      if (startsWith(rest, "Prototype") && base.prototype !== undefined) {
        found = rest === "Prototype" ? base.prototype : member(base.prototype, slice(rest, 9), true);
      } else if (root.endsWith("Prototype")) {
        found = member(base, rest, true);
      } else {
        found = member(base, rest, false);
        // Promise.resolve and its like need their constructor as receiver.
        if (root === "Promise" && typeof found === "function") found = apply(bind, found, [base]);
      }
      if (found !== undefined) return found;
    }
    return undefined;
  }

  // A collection whose methods are its own and frozen, so that calling them directly meets no tenant code.
  function safeCollection(kind) {
    const base = global[kind];
    const safe = class extends base { constructor() { super(); } };
    for (const key of ownKeys(base.prototype)) {
      if (key !== "constructor") defineProperty(safe.prototype, key, getOwnPropertyDescriptor(base.prototype, key));
    }
    setPrototypeOf(safe.prototype, null);
    freeze(safe.prototype);
    return freeze(safe);
  }

  function primordialsFor(source, moduleName) {
    const result = create(null);
    const match = /\bconst \{([^}]*)\} = primordials;/.exec(source);
    if (match === null) return result;
    for (const part of split(replace(match[1], /\/\/[^\n]*/g, ""), ",")) {
      const name = trim(split(part, ":")[0]);
      if (name === "") continue;
      if (!(name in table)) table[name] = find(name);
      if (table[name] === undefined) throw new Error(`Module ${moduleName}: no primordial is named ${name}`);
      result[name] = table[name];
    }
    return result;
  }

  return { __proto__: null, Error, FunctionPrototypeToString: uncurryThis(functionToString), primordialsFor };
})
