// The text of any value, in the style of Node's util.inspect. Nothing of the tenant's runs for it: no getter, trap,
// toString or iterator is called (but reading an error's stack formats it, and the attributes of the platform's objects
// are read by their accessors). Its size and work are bounded, and it throws for no value.
const {
  ArrayPrototypePop, ArrayPrototypePush, BigIntPrototypeValueOf, BooleanPrototypeValueOf,
  DataViewPrototypeGetBuffer, DataViewPrototypeGetByteLength, DataViewPrototypeGetByteOffset, DatePrototypeGetTime,
  DatePrototypeToISOString, FunctionPrototypeCall, FunctionPrototypeToString, NumberIsNaN, NumberPrototypeToString,
  NumberPrototypeValueOf, ObjectGetPrototypeOf, ReflectOwnKeys, RegExpPrototypeExec, RegExpPrototypeGetSource,
  SafeMap, StringPrototypePadStart, StringPrototypeStartsWith, StringPrototypeValueOf,
  SymbolPrototypeValueOf, TypedArrayPrototypeGetLength, TypedArrayPrototypeGetSymbolToStringTag, Uint8Array,
} = primordials;
const { isInterfacePrototype, pairsOfInterface } = use("WebIDL/webidl");
const { regExpFlags } = use("Core/regexp");
const {
  constructorName, dataValue, descriptorOf, formatKey, formatPrimitive, headOf, isPrimitive, layOut, more, ownName,
  quote,
} = use("Console/layout");

const DEPTH = 2;                 // levels shown below the outermost
const LENGTH_LIMIT = 65536;      // units of a whole text, about
const ITEM_LIMIT = 100;          // elements of an array or collection
const BYTE_LIMIT = 50;           // bytes of a buffer
const HOLE_SCAN_LIMIT = 10000;   // missing elements passed over in search of the next one

const INDEX = /^(?:0|[1-9]\d{0,9})$/;

// What one inspection knows: the objects it is within, those that contain themselves, and how much it may yet write.
function makeState(depth) {
  return { __proto__: null, depth, ancestors: [], references: new SafeMap(), budget: LENGTH_LIMIT };
}


function formatValue(state, value) {
  const text = isPrimitive(value) ? formatPrimitive(value) : formatObject(state, value);
  state.budget -= text.length;
  return text;
}

function formatObject(state, value) {
  let kind = engine.typeOf(value);
  while (kind === "Proxy") {
    const target = engine.proxyDetails(value)[0];
    if (isPrimitive(target)) return "<Revoked Proxy>";
    value = target;
    kind = engine.typeOf(value);
  }
  for (let i = 0; i < state.ancestors.length; i++) {
    if (state.ancestors[i] !== value) continue;
    if (!state.references.has(value)) state.references.set(value, state.references.size + 1);
    return `[Circular *${state.references.get(value)}]`;
  }
  if (state.budget <= 0) return "...";
  ArrayPrototypePush(state.ancestors, value);
  const text = (formatters[kind] ?? formatPlain)(state, value, kind);
  ArrayPrototypePop(state.ancestors);
  const reference = state.references.get(value);
  return reference === undefined ? text : `<ref *${reference}> ${text}`;
}

const isTooDeep = (state) => state.ancestors.length > state.depth + 1;

function summary(value, kind) {
  const name = constructorName(value);
  return name === null ? `[${kind}: null prototype]` : `[${name}]`;
}

function formatProperty(state, object, key, { get, set, value }) {
  const isAccessor = get !== undefined || set !== undefined;
  const kind = set === undefined ? "[Getter]" : get === undefined ? "[Setter]" : "[Getter/Setter]";
  return `${formatKey(key)}: ${isAccessor ? kind : formatValue(state, value)}`;
}

// The object's own enumerable properties, of which `isSkipped` leaves some out.
function addProperties(state, object, entries, isSkipped) {
  const keys = ReflectOwnKeys(object);
  for (let i = 0; i < keys.length; i++) {
    if (isSkipped !== undefined && isSkipped(keys[i])) continue;
    const descriptor = descriptorOf(object, keys[i]);
    if (descriptor === undefined || !descriptor.enumerable) continue;
    if (state.budget <= 0) {
      ArrayPrototypePush(entries, more(keys.length - i));
      return entries;
    }
    ArrayPrototypePush(entries, formatProperty(state, object, keys[i], descriptor));
  }
  return entries;
}

function hasEnumerable(object) {
  const keys = ReflectOwnKeys(object);
  for (let i = 0; i < keys.length; i++) {
    const descriptor = descriptorOf(object, keys[i]);
    if (descriptor !== undefined && descriptor.enumerable) return true;
  }
  return false;
}

function formatPlain(state, value, kind) {
  const interfaces = interfacesOf(value);
  if (isTooDeep(state) && (interfaces.length > 0 || hasEnumerable(value))) return summary(value, "Object");
  if (interfaces.length > 0) return formatPlatformObject(state, value, interfaces);
  return layOut(headOf(value, "Object"), "{", "}", addProperties(state, value, []));
}

function interfacesOf(value) {
  const interfaces = [];
  for (let prototype = ObjectGetPrototypeOf(value); prototype !== null; prototype = ObjectGetPrototypeOf(prototype)) {
    if (engine.typeOf(prototype) === "Proxy") break;
    if (isInterfacePrototype(prototype)) ArrayPrototypePush(interfaces, prototype);
  }
  return interfaces;
}

// Attributes that make something when they are read.
const isCostly = (key) => key === "body" || key === "signal" || key === "subtle" || key === "isTrusted";

// The pairs or the attributes of an object of the platform, read through the interfaces' accessors.
function formatPlatformObject(state, value, interfaces) {
  const name = constructorName(value);
  const pairs = pairsOfInterface(interfaces[0]);
  const entries = [];
  try {
    if (pairs !== undefined) {
      const flat = pairs(value);
      addPairs(state, flat, entries);
      return layOut(`${name}(${flat.length / 2}) `, "{", "}", addProperties(state, value, entries));
    }
  } catch {
    return `${name} {}`;
  }
  for (let i = 0; i < interfaces.length; i++) addAttributes(state, value, interfaces[i], entries);
  return layOut(`${name} `, "{", "}", addProperties(state, value, entries, isCostly));
}

function addAttributes(state, value, prototype, entries) {
  const keys = ReflectOwnKeys(prototype);
  for (let i = 0; i < keys.length && state.budget > 0; i++) {
    const { enumerable, get } = descriptorOf(prototype, keys[i]);
    if (get === undefined || !enumerable || typeof keys[i] !== "string") continue;
    try {
      const text = isCostly(keys[i]) ? "[Getter]" : formatValue(state, FunctionPrototypeCall(get, value));
      ArrayPrototypePush(entries, `${keys[i]}: ${text}`);
    } catch {
      // Not an instance after all, or in a state in which it has no such value.
    }
  }
}

const isIndex = (key) => typeof key === "string" && RegExpPrototypeExec(INDEX, key) !== null;

function formatArray(state, value, kind) {
  const length = kind === "Array" ? value.length : dataValue(value, "length");
  const name = constructorName(value);
  const prefix = kind === "Arguments" ? "[Arguments] " : name === "Array" ? "" : headOf(value, "Array", length);
  if (length > 0 && isTooDeep(state)) return summary(value, "Array");
  const entries = addElements(state, value, length, []);
  // Listing the keys of a long array would cost too much.
  if (length <= HOLE_SCAN_LIMIT) addProperties(state, value, entries, isIndex);
  return layOut(prefix, "[", "]", entries, true);
}

function addElements(state, value, length, entries) {
  let i = 0;
  for (let shown = 0; i < length && shown < ITEM_LIMIT && state.budget > 0; shown++) {
    const start = i;
    let descriptor = descriptorOf(value, i);
    while (descriptor === undefined && ++i < length && i - start < HOLE_SCAN_LIMIT) {
      descriptor = descriptorOf(value, i);
    }
    if (i > start) {
      ArrayPrototypePush(entries, `<${i - start} empty item${i - start === 1 ? "" : "s"}>`);
      if (descriptor === undefined) break;
    } else {
      const { get, set } = descriptor;
      const isAccessor = get !== undefined || set !== undefined;
      ArrayPrototypePush(entries, isAccessor ? "[Getter/Setter]" : formatValue(state, descriptor.value));
      i++;
    }
  }
  if (i < length) ArrayPrototypePush(entries, more(length - i));
  return entries;
}

function formatTypedArray(state, value) {
  const length = TypedArrayPrototypeGetLength(value), name = TypedArrayPrototypeGetSymbolToStringTag(value);
  if (length > 0 && isTooDeep(state)) return summary(value, name);
  const shown = length < ITEM_LIMIT ? length : ITEM_LIMIT;
  const entries = [];
  for (let i = 0; i < shown; i++) ArrayPrototypePush(entries, formatPrimitive(value[i]));
  if (shown < length) ArrayPrototypePush(entries, more(length - shown));
  return layOut(`${constructorName(value) ?? name}(${length}) `, "[", "]", entries, true);
}

function addPairs(state, flat, entries) {
  for (let i = 0; i < flat.length; i += 2) {
    if (i >= 2 * ITEM_LIMIT || state.budget <= 0) {
      ArrayPrototypePush(entries, more((flat.length - i) / 2));
      return;
    }
    ArrayPrototypePush(entries, `${formatValue(state, flat[i])} => ${formatValue(state, flat[i + 1])}`);
  }
}

function addItems(state, items, entries) {
  for (let i = 0; i < items.length; i++) {
    if (i >= ITEM_LIMIT || state.budget <= 0) {
      ArrayPrototypePush(entries, more(items.length - i));
      return;
    }
    ArrayPrototypePush(entries, formatValue(state, items[i]));
  }
}

// Maps, sets and their iterators.
function formatCollection(state, value, kind) {
  if (isTooDeep(state)) return summary(value, kind);
  const { 0: flat, 1: isKeyValue } = engine.previewEntries(value);
  const entries = [];
  if (isKeyValue) addPairs(state, flat, entries);
  else addItems(state, flat, entries);
  const size = kind === "Map" ? flat.length / 2 : kind === "Set" ? flat.length : undefined;
  const head = headOf(value, size === undefined ? "Object" : kind, size);
  return layOut(head, "{", "}", addProperties(state, value, entries));
}

function formatOpaque(state, value, kind) {
  const content = kind === "WeakRef" ? "<ref>" : "<items unknown>";
  return layOut(headOf(value, kind), "{", "}", addProperties(state, value, [content]));
}

function formatPromise(state, value) {
  if (isTooDeep(state)) return summary(value, "Promise");
  const { 0: settlement, 1: result } = engine.promiseDetails(value);
  const text = settlement === 0 ? "<pending>" : `${settlement === 2 ? "<rejected> " : ""}${formatValue(state, result)}`;
  return layOut(headOf(value, "Promise"), "{", "}", addProperties(state, value, [text]));
}

function formatArrayBuffer(state, value, kind) {
  if (isTooDeep(state)) return summary(value, kind);
  let bytes;
  try {
    bytes = new Uint8Array(value);
  } catch {
    return `${headOf(value, kind)}{ (detached), byteLength: 0 }`;
  }
  const length = TypedArrayPrototypeGetLength(bytes);
  let content = "";
  for (let i = 0; i < length && i < BYTE_LIMIT; i++) {
    content += (i > 0 ? " " : "") + StringPrototypePadStart(NumberPrototypeToString(bytes[i], 16), 2, "0");
  }
  if (length > BYTE_LIMIT) content += ` ... ${length - BYTE_LIMIT} more bytes`;
  const entries = [`[Uint8Contents]: <${content}>`, `byteLength: ${length}`];
  return layOut(headOf(value, kind), "{", "}", addProperties(state, value, entries));
}

function formatDataView(state, value) {
  if (isTooDeep(state)) return summary(value, "DataView");
  const entries = [
    `byteLength: ${DataViewPrototypeGetByteLength(value)}`, `byteOffset: ${DataViewPrototypeGetByteOffset(value)}`,
    `buffer: ${formatValue(state, DataViewPrototypeGetBuffer(value))}`,
  ];
  return layOut(headOf(value, "DataView"), "{", "}", addProperties(state, value, entries));
}

// A text that stands for the object, and after it the properties it has all the same.
function withProperties(state, value, text, isSkipped) {
  const entries = isTooDeep(state) ? [] : addProperties(state, value, [], isSkipped);
  return entries.length === 0 ? text : layOut(`${text} `, "{", "}", entries);
}

function formatFunction(state, value) {
  const name = ownName(value), kind = constructorName(value) ?? "Function";
  if (!StringPrototypeStartsWith(FunctionPrototypeToString(value), "class")) {
    return withProperties(state, value, `[${kind}${name === "" ? " (anonymous)" : `: ${name}`}]`);
  }
  const parent = ObjectGetPrototypeOf(value);
  const parentName = typeof parent === "function" && engine.typeOf(parent) !== "Proxy" ? ownName(parent) : "";
  const text = `class ${name === "" ? "(anonymous)" : name}${parentName === "" ? "" : ` extends ${parentName}`}`;
  return withProperties(state, value, `[${text}]`);
}

function stackOf(error) {
  try {
    const descriptor = descriptorOf(error, "stack");
    return descriptor !== undefined && typeof descriptor.value === "string" ? descriptor.value : "";
  } catch {
    return "";
  }
}

function errorSummary(error) {
  const name = dataValue(error, "name"), message = dataValue(error, "message");
  const shownName = typeof name === "string" ? name : constructorName(error) ?? "Error";
  return typeof message === "string" && message !== "" ? `[${shownName}: ${message}]` : `[${shownName}]`;
}

function formatError(state, value) {
  const stack = stackOf(value);
  const text = stack === "" ? errorSummary(value) : stack;
  if (isTooDeep(state)) return text;
  const entries = addProperties(state, value, []);
  for (let i = 0; i < hiddenErrorProperties.length; i++) {
    const key = hiddenErrorProperties[i];
    const descriptor = descriptorOf(value, key);
    if (descriptor === undefined || descriptor.enumerable || !isData(descriptor)) continue;
    ArrayPrototypePush(entries, `[${key}]: ${formatValue(state, descriptor.value)}`);
  }
  return entries.length === 0 ? text : layOut(`${text} `, "{", "}", entries);
}

const hiddenErrorProperties = ["cause", "errors"];
const isData = ({ get, set }) => get === undefined && set === undefined;

const boxed = (name, valueOf) => (state, value) =>
  withProperties(state, value, `[${name}: ${formatPrimitive(valueOf(value))}]`, isIndex);

// By the engine's name of the internal class; all else is formatted as a plain object.
const formatters = {
  __proto__: null,
  Arguments: formatArray,
  Array: formatArray,
  ArrayBuffer: formatArrayBuffer,
  BigInt: boxed("BigInt", BigIntPrototypeValueOf),
  Boolean: boxed("Boolean", BooleanPrototypeValueOf),
  DataView: formatDataView,
  Date(state, value) {
    const isValid = !NumberIsNaN(DatePrototypeGetTime(value));
    return withProperties(state, value, isValid ? DatePrototypeToISOString(value) : "Invalid Date");
  },
  Error: formatError,
  Function: formatFunction,
  Map: formatCollection,
  MapIterator: formatCollection,
  Number: boxed("Number", NumberPrototypeValueOf),
  Promise: formatPromise,
  RegExp: (state, value) =>
    withProperties(state, value, `/${RegExpPrototypeGetSource(value)}/${regExpFlags(value)}`),
  Set: formatCollection,
  SetIterator: formatCollection,
  String: boxed("String", StringPrototypeValueOf),
  Symbol: boxed("Symbol", SymbolPrototypeValueOf),
  TypedArray: formatTypedArray,
  WeakMap: formatOpaque,
  WeakRef: formatOpaque,
  WeakSet: formatOpaque,
};

function inspectTo(value, depth) {
  try {
    return formatValue(makeState(depth), value);
  } catch {
    return `[${engine.typeOf(value)}]`;
  }
}

/** The text of a value; strings are quoted. */
const inspect = (value) => inspectTo(value, DEPTH);
/** The same, without what is in nested objects. */
const inspectShallow = (value) => inspectTo(value, 0);

provide({ inspect, inspectShallow });
