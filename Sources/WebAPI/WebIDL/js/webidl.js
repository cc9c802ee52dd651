// Web IDL, section 3: conversions of JavaScript values, and the shape of interface objects.
const {
  ArrayBufferIsView, ArrayBufferPrototypeGetByteLength, ArrayPrototypePush, BigInt, BigIntAsIntN, BigIntAsUintN,
  FunctionPrototypeCall, MathFloor, MathFround, MathMax, MathMin, MathTrunc, Number, NumberIsFinite, NumberIsNaN,
  ObjectCreate, ObjectDefineProperty, ObjectSetPrototypeOf,
  ReflectOwnKeys, ReflectGetOwnPropertyDescriptor, SafeMap, SafeSet, String, StringPrototypeCharCodeAt,
  SymbolIterator, SymbolToStringTag, TypeError, globalThis, TypedArrayPrototypeGetSymbolToStringTag, IteratorPrototype,
} = primordials;

function fail(prefix, context, what) {
  return new TypeError(`${prefix ? prefix + ": " : ""}${context ?? "Value"} ${what}`);
}

function typeOf(V) {
  if (V === null) return "null";
  const type = typeof V;
  return type === "function" ? "object" : type;
}

// Section 3.2.4: integer types. `options`: { enforceRange, clamp }.
function integerConverter(bits, isUnsigned) {
  const twoToBits = 2 ** bits;
  const upper = bits === 64 ? 2 ** 53 - 1 : isUnsigned ? twoToBits - 1 : 2 ** (bits - 1) - 1;
  const lower = bits === 64 ? (isUnsigned ? 0 : -(2 ** 53) + 1) : isUnsigned ? 0 : -(2 ** (bits - 1));
  return (V, prefix, context, options) => {
    let x = typeof V === "number" ? V : toNumber(V, prefix, context);
    if (options !== undefined && options.enforceRange) {
      if (!NumberIsFinite(x)) throw fail(prefix, context, "is not a finite number.");
      x = MathTrunc(x);
      if (x < lower || x > upper) throw fail(prefix, context, `is outside the accepted range of ${lower} to ${upper}.`);
      return x + 0;
    }
    if (options !== undefined && options.clamp && !NumberIsNaN(x)) {
      x = MathMin(MathMax(x, lower), upper);
      const floor = MathFloor(x), rest = x - floor;
      if (rest > 0.5 || (rest === 0.5 && floor % 2 !== 0)) return floor + 1;
      return floor + 0;
    }
    if (!NumberIsFinite(x) || x === 0) return 0;
    x = MathTrunc(x);
    if (x >= lower && x <= upper) return x + 0;
    if (bits === 64) return Number(isUnsigned ? BigIntAsUintN(64, BigInt(x)) : BigIntAsIntN(64, BigInt(x)));
    x = x % twoToBits;
    if (x < 0) x += twoToBits;
    return !isUnsigned && x >= 2 ** (bits - 1) ? x - twoToBits : x;
  };
}

function toNumber(V, prefix, context) {
  const type = typeof V;
  if (type === "bigint") throw fail(prefix, context, "is a BigInt, which cannot be converted to a number.");
  if (type === "symbol") throw fail(prefix, context, "is a symbol, which cannot be converted to a number.");
  return +V;
}

// Section 3.2.6 and 3.2.7: floating point types.
function floatConverter(isUnrestricted, isSingle) {
  return (V, prefix, context) => {
    let x = typeof V === "number" ? V : toNumber(V, prefix, context);
    if (!isUnrestricted && !NumberIsFinite(x)) throw fail(prefix, context, "is not a finite floating-point value.");
    if (isSingle) {
      x = MathFround(x);
      if (!isUnrestricted && !NumberIsFinite(x)) throw fail(prefix, context, "is outside the range of a float.");
    }
    return x;
  };
}

function toDOMString(V, prefix, context) {
  if (typeof V === "string") return V;
  if (typeof V === "symbol") throw fail(prefix, context, "is a symbol, which cannot be converted to a string.");
  return String(V);
}

function toByteString(V, prefix, context) {
  const x = toDOMString(V, prefix, context);
  for (let i = 0; i < x.length; i++) {
    if (StringPrototypeCharCodeAt(x, i) > 255) {
      throw fail(prefix, context, `is not a valid ByteString: the character at index ${i} is greater than 255.`);
    }
  }
  return x;
}

const isArrayBuffer = (V) => {
  try {
    ArrayBufferPrototypeGetByteLength(V);
    return true;
  } catch {
    return false;
  }
};

const converters = {
  __proto__: null,
  any: (V) => V,
  undefined: () => undefined,
  boolean: (V) => !!V,
  byte: integerConverter(8, false),
  octet: integerConverter(8, true),
  short: integerConverter(16, false),
  "unsigned short": integerConverter(16, true),
  long: integerConverter(32, false),
  "unsigned long": integerConverter(32, true),
  "long long": integerConverter(64, false),
  "unsigned long long": integerConverter(64, true),
  float: floatConverter(false, true),
  "unrestricted float": floatConverter(true, true),
  double: floatConverter(false, false),
  "unrestricted double": floatConverter(true, false),
  DOMString: toDOMString,
  ByteString: toByteString,
  USVString: (V, prefix, context) => engine.toWellFormed(toDOMString(V, prefix, context)),
  object(V, prefix, context) {
    if (typeOf(V) !== "object") throw fail(prefix, context, "is not an object.");
    return V;
  },
  Function(V, prefix, context) {
    if (typeof V !== "function") throw fail(prefix, context, "is not a function.");
    return V;
  },
  ArrayBuffer(V, prefix, context) {
    if (!isArrayBuffer(V)) throw fail(prefix, context, "is not an ArrayBuffer.");
    return V;
  },
  ArrayBufferView(V, prefix, context) {
    if (!ArrayBufferIsView(V)) throw fail(prefix, context, "is not a view on an ArrayBuffer.");
    return V;
  },
  Uint8Array(V, prefix, context) {
    const isUint8Array = TypedArrayPrototypeGetSymbolToStringTag(V) === "Uint8Array";
    if (!isUint8Array) throw fail(prefix, context, "is not a Uint8Array.");
    return V;
  },
  BufferSource(V, prefix, context) {
    const isSource = ArrayBufferIsView(V) || isArrayBuffer(V);
    if (!isSource) throw fail(prefix, context, "is not an ArrayBuffer or a view on one.");
    return V;
  },
};

function requireArguments(length, required, prefix) {
  if (length >= required) return;
  const expected = `${required} argument${required === 1 ? "" : "s"}`;
  throw new TypeError(`${prefix}: ${expected} required, but only ${length} present.`);
}

const nullable = (convert) => (V, prefix, context) =>
  V === null || V === undefined ? null : convert(V, prefix, context);

// Section 3.2.21: sequences, from any iterable. The tenant's iterator runs here and nowhere else.
function sequence(convert) {
  return (V, prefix, context) => {
    if (typeOf(V) !== "object") throw fail(prefix, context, "is not iterable.");
    const method = V[SymbolIterator];
    if (method === undefined || method === null) throw fail(prefix, context, "is not iterable.");
    return sequenceFromIterator(V, method, convert, prefix, context);
  };
}

function sequenceFromIterator(V, method, convert, prefix, context) {
  if (typeof method !== "function") throw fail(prefix, context, "is not iterable.");
  const iterator = FunctionPrototypeCall(method, V);
  if (typeOf(iterator) !== "object") throw fail(prefix, context, "has an iterator that is not an object.");
  const next = iterator.next;
  const result = [];
  for (;;) {
    const step = FunctionPrototypeCall(next, iterator);
    if (typeOf(step) !== "object") throw fail(prefix, context, "has an iterator whose result is not an object.");
    if (step.done) return result;
    ArrayPrototypePush(result, convert(step.value, prefix, `${context}, index ${result.length}`));
  }
}

// Section 3.2.22: records, as a flat array [key, value, key, value ...] in the object's own order.
function record(convertKey, convertValue) {
  return (V, prefix, context) => {
    if (typeOf(V) !== "object") throw fail(prefix, context, "is not an object.");
    const keys = ReflectOwnKeys(V);
    const seen = { __proto__: null };
    const result = [];
    for (let i = 0; i < keys.length; i++) {
      const descriptor = ReflectGetOwnPropertyDescriptor(V, keys[i]);
      if (descriptor === undefined || !descriptor.enumerable) continue;
      const key = convertKey(keys[i], prefix, context);
      const value = convertValue(V[keys[i]], prefix, `${context}, key '${key}'`);
      if (seen[key] !== undefined) {
        result[seen[key]] = value;
      } else {
        ArrayPrototypePush(result, key);
        seen[key] = result.length;
        ArrayPrototypePush(result, value);
      }
    }
    return result;
  };
}

// Section 3.2.17. `members`, in the standard's order (lexicographic within a dictionary, parents first):
// { key, converter, defaultValue? (a function, called each time), required? }. The result has no prototype.
function dictionary(name, members) {
  for (let i = 0; i < members.length; i++) members[i] = { __proto__: null, ...members[i] };
  return (V, prefix, context) => {
    if (V !== undefined && V !== null && typeOf(V) !== "object") {
      throw fail(prefix, context, `cannot be converted to the dictionary ${name}.`);
    }
    const isMissing = V === undefined || V === null;
    const result = { __proto__: null };
    for (let i = 0; i < members.length; i++) {
      const member = members[i];
      const value = isMissing ? undefined : V[member.key];
      if (value !== undefined) {
        result[member.key] = member.converter(value, prefix, `${context}, member '${member.key}'`);
      } else if (member.defaultValue !== undefined) {
        result[member.key] = member.defaultValue();
      } else if (member.required) {
        throw fail(prefix, context, `cannot be converted to the dictionary ${name}: '${member.key}' is required.`);
      }
    }
    return result;
  };
}

function enumeration(name, values) {
  const allowed = { __proto__: null };
  for (let i = 0; i < values.length; i++) allowed[values[i]] = true;
  return (V, prefix, context) => {
    const text = toDOMString(V, prefix, context);
    if (allowed[text] !== true) {
      throw fail(prefix, context, `('${text}') is not a valid value for the enumeration ${name}.`);
    }
    return text;
  };
}

// `isInstance` brand-checks, usually a static method that says `#field in object`.
const interfaceConverter = (name, isInstance) => (V, prefix, context) => {
  if (typeOf(V) !== "object" || !isInstance(V)) throw fail(prefix, context, `is not of type '${name}'.`);
  return V;
};

function illegalInvocation() {
  return new TypeError("Illegal invocation: function called with incorrect `this` reference.");
}

// The prototypes of all interfaces, by which a platform object is told from an object of the tenant's.
const interfacePrototypes = new SafeSet();
const isInterfacePrototype = (object) => interfacePrototypes.has(object);

// Section 3.7: members of interfaces are enumerable, and the prototype is named.
function defineInterface(Class, name = Class.name) {
  interfacePrototypes.add(Class.prototype);
  makeMembersEnumerable(Class.prototype);
  makeMembersEnumerable(Class);
  ObjectDefineProperty(Class.prototype, SymbolToStringTag, {
    __proto__: null, value: name, writable: false, enumerable: false, configurable: true,
  });
  return Class;
}

function makeMembersEnumerable(target) {
  const keys = ReflectOwnKeys(target);
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i];
    if (typeof key === "symbol" || key === "constructor" || key === "prototype") continue;
    if (typeof target === "function" && (key === "name" || key === "length")) continue;
    ObjectDefineProperty(target, key, { __proto__: null, enumerable: true });
  }
}

// Section 3.7.3: constants, on the interface object and its prototype. `constants`: { NAME: number }.
function defineConstants(Class, constants) {
  const keys = ReflectOwnKeys(constants);
  for (let i = 0; i < keys.length; i++) {
    const value = constants[keys[i]];
    const property = { __proto__: null, value, writable: false, enumerable: true, configurable: false };
    ObjectDefineProperty(Class, keys[i], property);
    ObjectDefineProperty(Class.prototype, keys[i], property);
  }
}

function defineOperation(target, key, value, enumerable = true) {
  ObjectDefineProperty(target, key, { __proto__: null, value, writable: true, enumerable, configurable: true });
}

const pairIterables = new SafeMap();
/** The function that gives the pairs of an interface's objects, by the interface's prototype. */
const pairsOfInterface = (prototype) => pairIterables.get(prototype);

// Section 3.7.9: pair iterators. `pairsOf(object)` gives the live flat array [key, value, key, value ...] or throws for
// a wrong receiver; it is asked again at each step, because iteration sees changes.
function definePairIterable(Class, name, pairsOf) {
  pairIterables.set(Class.prototype, pairsOf);
  const prototype = ObjectCreate(IteratorPrototype);
  class Iterator {
    #target; #kind; #index = 0;
    constructor(target, kind) {
      this.#target = target;
      this.#kind = kind;
    }
    static next(iterator) {
      if (iterator === null || typeof iterator !== "object" || !(#target in iterator)) throw illegalInvocation();
      const pairs = pairsOf(iterator.#target), index = iterator.#index;
      if (index >= pairs.length) return { value: undefined, done: true };
      iterator.#index = index + 2;
      const kind = iterator.#kind;
      const key = pairs[index], item = pairs[index + 1];
      const value = kind === "keys" ? key : kind === "values" ? item : [key, item];
      return { value, done: false };
    }
  }
  // The instances' prototype is the standard's; the class gives only the private state.
  const make = (target, kind) => {
    const iterator = new Iterator(target, kind);
    return ObjectSetPrototypeOf(iterator, prototype);
  };
  defineOperation(prototype, "next", { next() { return Iterator.next(this); } }.next);
  ObjectDefineProperty(prototype, SymbolToStringTag, {
    __proto__: null, value: `${name} Iterator`, writable: false, enumerable: false, configurable: true,
  });
  const methods = {
    entries() { pairsOf(this); return make(this, "entries"); },
    keys() { pairsOf(this); return make(this, "keys"); },
    values() { pairsOf(this); return make(this, "values"); },
    forEach(callback, thisArg = undefined) {
      const first = pairsOf(this);
      const prefix = `Failed to execute 'forEach' on '${name}'`;
      requireArguments(arguments.length, 1, prefix);
      converters.Function(callback, prefix, "parameter 1");
      for (let i = 0, pairs = first; i < pairs.length; i += 2, pairs = pairsOf(this)) {
        FunctionPrototypeCall(callback, thisArg, pairs[i + 1], pairs[i], this);
      }
    },
  };
  ObjectDefineProperty(methods.forEach, "length", { __proto__: null, value: 1 });
  defineOperation(Class.prototype, "entries", methods.entries);
  defineOperation(Class.prototype, "forEach", methods.forEach);
  defineOperation(Class.prototype, "keys", methods.keys);
  defineOperation(Class.prototype, "values", methods.values);
  defineOperation(Class.prototype, SymbolIterator, methods.entries, false);
}

// Section 3.7.1: interface objects on the global object. `interfaces`: { Name: Class }.
function exposeGlobals(interfaces) {
  const names = ReflectOwnKeys(interfaces);
  for (let i = 0; i < names.length; i++) defineOperation(globalThis, names[i], interfaces[names[i]], false);
}

// Section 3.7.7: operations of the global object, which are enumerable.
function exposeOperations(operations) {
  const names = ReflectOwnKeys(operations);
  for (let i = 0; i < names.length; i++) defineOperation(globalThis, names[i], operations[names[i]], true);
}

// Globals of a module that is evaluated when one of them is first touched; until then an accessor stands in.
function exposeLazyGlobals(moduleName, names) {
  for (let i = 0; i < names.length; i++) {
    const name = names[i];
    ObjectDefineProperty(globalThis, name, {
      __proto__: null, enumerable: false, configurable: true,
      get() {
        const value = use(moduleName)[name];
        defineOperation(globalThis, name, value, false);
        return value;
      },
      set(value) { defineOperation(globalThis, name, value, false); },
    });
  }
}

provide({
  converters, defineConstants, defineInterface, defineOperation, definePairIterable, dictionary, enumeration,
  exposeGlobals, exposeLazyGlobals, exposeOperations, illegalInvocation, interfaceConverter, isArrayBuffer,
  isInterfacePrototype, nullable, pairsOfInterface, record, requireArguments, sequence, sequenceFromIterator, typeOf,
});
