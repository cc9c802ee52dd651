// HTML Standard, section 2.7: StructuredSerializeWithTransfer and StructuredDeserializeWithTransfer. Both ends are the
// same realm, so that one pass does both: it copies the graph. What is transferred must wait until all else has been
// copied; where such a value belongs, a Late stands in for it until then.
const {
  Array, ArrayPrototypePush, BigInt64Array, BigIntPrototypeValueOf, BigUint64Array, BooleanPrototypeValueOf,
  DataView, DataViewPrototypeGetBuffer, DataViewPrototypeGetByteLength, DataViewPrototypeGetByteOffset, Date,
  DatePrototypeGetTime, Error, EvalError, Float32Array, Float64Array, Int16Array, Int32Array, Int8Array, Map,
  MapPrototypeSet, NumberPrototypeValueOf, Object, ObjectDefineProperty, ObjectGetOwnPropertyDescriptor, ObjectHasOwn,
  ObjectKeys, RangeError, ReferenceError, ReflectDefineProperty, RegExp, RegExpPrototypeGetSource, SafeMap, Set,
  SetPrototypeAdd, String, StringPrototypeValueOf, SymbolPrototypeToString, SyntaxError, TypeError,
  TypedArrayPrototypeGetBuffer, TypedArrayPrototypeGetByteOffset, TypedArrayPrototypeGetLength,
  TypedArrayPrototypeGetSymbolToStringTag, TypedArrayPrototypeSet, URIError, Uint16Array, Uint32Array, Uint8Array,
  Uint8ClampedArray,
} = primordials;
const { regExpFlags } = use("Core/regexp");
const { DOMException } = use("DOM/exception");
const { isPlatformObject, serializationSteps, transferSteps } = use("HTML/serializable");

const errorConstructors = {
  __proto__: null, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError,
};
const viewConstructors = {
  __proto__: null, BigInt64Array, BigUint64Array, Float32Array, Float64Array, Int16Array, Int32Array, Int8Array,
  Uint16Array, Uint32Array, Uint8Array, Uint8ClampedArray,
};

function dataCloneError(text) {
  return new DOMException(text, "DataCloneError");
}

function uncloneable(value, type) {
  if (typeof value === "symbol") return dataCloneError(`${SymbolPrototypeToString(value)} could not be cloned.`);
  return dataCloneError(`${type === "Function" ? "A function" : `#<${type}>`} could not be cloned.`);
}

// The place of a value that is transferred, or of a view on a buffer that is.
class Late {
  #make; #isMade = false; #value = undefined;
  constructor(make) { this.#make = make; }
  static value(late) {
    if (!late.#isMade) {
      late.#value = late.#make();
      late.#isMade = true;
    }
    return late.#value;
  }
  static is(value) { return typeof value === "object" && value !== null && #make in value; }
}
const { is: isLate, value: lateValue } = Late;

// What is known of one cloning: the copies by their originals, and what is to be done after the transfers (null: there
// are none).
function makeState() {
  return { __proto__: null, memory: new SafeMap(), afterTransfers: null };
}

function clone(value, state) {
  const type = typeof value;
  if (type === "symbol") throw uncloneable(value);
  if (value === null || (type !== "object" && type !== "function")) return value;
  const known = state.memory.get(value);
  if (known !== undefined) return known;
  const kind = engine.typeOf(value);
  const steps = cloners[kind];
  if (steps === undefined) throw uncloneable(value, kind);
  return steps(value, state);
}

function remember(state, value, copy) {
  state.memory.set(value, copy);
  return copy;
}

const dataProperty = { __proto__: null, value: undefined, writable: true, enumerable: true, configurable: true };

// CreateDataProperty on a fresh object. A plain assignment does if its prototypes have nothing of that name.
function createProperty(state, object, key, value) {
  if (state.afterTransfers !== null && isLate(value)) {
    value = setLater(state, object, key, value);
  } else if (!(key in object)) {
    object[key] = value;
    return;
  }
  dataProperty.value = value;
  ReflectDefineProperty(object, key, dataProperty);
}

// The property gets its place in the order now, as undefined, and its value after the transfers.
function setLater(state, object, key, late) {
  ArrayPrototypePush(state.afterTransfers, () => {
    ReflectDefineProperty(object, key, { __proto__: null, value: lateValue(late) });
  });
  return undefined;
}

function cloneProperties(value, copy, keys, state) {
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i];
    if (ObjectHasOwn(value, key)) createProperty(state, copy, key, clone(value[key], state));
  }
  return copy;
}

function cloneObject(value, state) {
  if (isPlatformObject(value)) return clonePlatformObject(value, state);
  return cloneProperties(value, remember(state, value, {}), ObjectKeys(value), state);
}

function clonePlatformObject(value, state) {
  const steps = serializationSteps(value);
  if (steps === undefined) throw uncloneable(value, "Object");
  return remember(state, value, steps.clone(value));
}

function cloneArray(value, state) {
  const { length } = value;
  const keys = ObjectKeys(value);
  const isDense = keys.length === length && (length === 0 || keys[length - 1] === `${length - 1}`);
  if (!isDense) return cloneSparseArray(value, length, keys, state);
  const copy = remember(state, value, []);
  for (let i = 0; i < length; i++) {
    const element = value[i];
    // A getter may have removed elements meanwhile.
    if (element === undefined && !ObjectHasOwn(value, i)) return cloneRest(value, copy, i, length, state);
    const cloned = clone(element, state);
    const isPending = state.afterTransfers !== null && isLate(cloned);
    ArrayPrototypePush(copy, isPending ? setLater(state, copy, i, cloned) : cloned);
  }
  return copy;
}

function cloneRest(value, copy, start, length, state) {
  copy.length = length;
  for (let i = start; i < length; i++) {
    if (ObjectHasOwn(value, i)) createProperty(state, copy, i, clone(value[i], state));
  }
  return copy;
}

function cloneSparseArray(value, length, keys, state) {
  return cloneProperties(value, remember(state, value, new Array(length)), keys, state);
}

// Some of a collection's entries may have to wait; then all of it does, to keep their order.
function fill(state, entries, add) {
  let mustWait = false;
  for (let i = 0; i < entries.length; i++) {
    entries[i] = clone(entries[i], state);
    if (state.afterTransfers !== null && isLate(entries[i])) mustWait = true;
  }
  if (!mustWait) {
    add(entries);
    return;
  }
  ArrayPrototypePush(state.afterTransfers, () => {
    for (let i = 0; i < entries.length; i++) {
      if (isLate(entries[i])) entries[i] = lateValue(entries[i]);
    }
    add(entries);
  });
}

function cloneMap(value, state) {
  const copy = remember(state, value, new Map());
  fill(state, engine.previewEntries(value)[0], (entries) => {
    for (let i = 0; i < entries.length; i += 2) MapPrototypeSet(copy, entries[i], entries[i + 1]);
  });
  return copy;
}

function cloneSet(value, state) {
  const copy = remember(state, value, new Set());
  fill(state, engine.previewEntries(value)[0], (entries) => {
    for (let i = 0; i < entries.length; i++) SetPrototypeAdd(copy, entries[i]);
  });
  return copy;
}

function bytesOf(buffer) {
  try {
    return new Uint8Array(buffer);
  } catch {
    throw dataCloneError("An ArrayBuffer is detached and could not be cloned.");
  }
}

function cloneArrayBuffer(value, state) {
  const bytes = bytesOf(value);
  const copy = new Uint8Array(TypedArrayPrototypeGetLength(bytes));
  TypedArrayPrototypeSet(copy, bytes);
  return remember(state, value, TypedArrayPrototypeGetBuffer(copy));
}

function cloneView(value, state, Constructor, buffer, offset, length) {
  const copy = clone(buffer, state);
  const make = (target) => new Constructor(target, offset, length);
  return remember(state, value, isLate(copy) ? new Late(() => make(lateValue(copy))) : make(copy));
}

function cloneTypedArray(value, state) {
  const buffer = TypedArrayPrototypeGetBuffer(value);
  bytesOf(buffer);
  return cloneView(value, state, viewConstructors[TypedArrayPrototypeGetSymbolToStringTag(value)], buffer,
    TypedArrayPrototypeGetByteOffset(value), TypedArrayPrototypeGetLength(value));
}

function cloneDataView(value, state) {
  const buffer = DataViewPrototypeGetBuffer(value);
  bytesOf(buffer);
  return cloneView(value, state, DataView, buffer, DataViewPrototypeGetByteOffset(value),
    DataViewPrototypeGetByteLength(value));
}

function cloneRegExp(value, state) {
  return remember(state, value, new RegExp(RegExpPrototypeGetSource(value), regExpFlags(value)));
}

function cloneError(value, state) {
  if (isPlatformObject(value)) return withStack(clonePlatformObject(value, state), value);
  const { name } = value;
  const Constructor = errorConstructors[name === undefined ? "Error" : String(name)] ?? Error;
  const message = ObjectGetOwnPropertyDescriptor(value, "message");
  const hasMessage = message !== undefined && ObjectHasOwn(message, "value");
  const text = hasMessage ? String(message.value) : undefined;
  const copy = remember(state, value, withStack(hasMessage ? new Constructor(text) : new Constructor(), value));
  const cause = ObjectGetOwnPropertyDescriptor(value, "cause");
  if (cause !== undefined && ObjectHasOwn(cause, "value")) {
    createProperty(state, copy, "cause", clone(cause.value, state));
    ObjectDefineProperty(copy, "cause", { __proto__: null, enumerable: false });
  }
  return copy;
}

// The stack as it stands: formatting it is what reading it does, so that the tenant's hook may run here.
function withStack(copy, value) {
  const stack = ObjectGetOwnPropertyDescriptor(value, "stack");
  if (stack !== undefined && typeof stack.value === "string") {
    ObjectDefineProperty(copy, "stack", {
      __proto__: null, value: stack.value, writable: true, enumerable: false, configurable: true,
    });
  }
  return copy;
}

// By the engine's name of the internal class. What is missing here cannot be cloned.
const cloners = {
  __proto__: null,
  Arguments: cloneObject,
  Array: cloneArray,
  ArrayBuffer: cloneArrayBuffer,
  BigInt: (value, state) => remember(state, value, Object(BigIntPrototypeValueOf(value))),
  Boolean: (value, state) => remember(state, value, Object(BooleanPrototypeValueOf(value))),
  DataView: cloneDataView,
  Date: (value, state) => remember(state, value, new Date(DatePrototypeGetTime(value))),
  Error: cloneError,
  Map: cloneMap,
  Number: (value, state) => remember(state, value, Object(NumberPrototypeValueOf(value))),
  Object: cloneObject,
  RegExp: cloneRegExp,
  Set: cloneSet,
  String: (value, state) => remember(state, value, Object(StringPrototypeValueOf(value))),
  TypedArray: cloneTypedArray,
};

// The function that transfers one object, called after the cloning.
function transferrer(object) {
  const kind = engine.typeOf(object);
  if (kind === "ArrayBuffer") {
    return () => {
      bytesOf(object);
      return engine.transferArrayBuffer(object);
    };
  }
  const steps = transferSteps(object);
  if (steps === undefined) throw dataCloneError(`#<${kind}> could not be transferred.`);
  return () => {
    if (steps.isDetached(object)) throw dataCloneError("An object is detached and could not be transferred.");
    return steps.transfer(object);
  };
}

/** The copy of a value, and the new objects for those of `transferList` (an array made by the runtime). */
function cloneWithTransfer(value, transferList) {
  const state = makeState();
  const transferred = [];
  if (transferList.length > 0) state.afterTransfers = [];
  for (let i = 0; i < transferList.length; i++) {
    const object = transferList[i];
    const transfer = transferrer(object);
    if (state.memory.has(object)) throw dataCloneError("An object is twice in the list of what to transfer.");
    ArrayPrototypePush(transferred, remember(state, object, new Late(transfer)));
  }
  let copy = clone(value, state);
  for (let i = 0; i < transferred.length; i++) transferred[i] = lateValue(transferred[i]);
  if (isLate(copy)) copy = lateValue(copy);
  const { afterTransfers } = state;
  for (let i = 0; afterTransfers !== null && i < afterTransfers.length; i++) afterTransfers[i]();
  return { __proto__: null, value: copy, transferred };
}

provide({ cloneWithTransfer, dataCloneError });
