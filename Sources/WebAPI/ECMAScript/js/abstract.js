// Abstract operations of ECMA-262 (sections 7.1 to 7.4) for the built-ins that this engine lacks, and their definition.
const {
  ArrayFrom, FunctionPrototypeCall, MathMax, MathMin, MathTrunc, Object, ObjectPrototypeHasOwnProperty,
  ObjectSetPrototypeOf, Proxy, ReflectDefineProperty, ReflectGetOwnPropertyDescriptor, ReflectOwnKeys, TypeError,
} = primordials;

const maxSafeInteger = 2 ** 53 - 1;

function isObject(value) {
  return typeof value === "object" ? value !== null : typeof value === "function";
}

function toIntegerOrInfinity(value) {
  return MathTrunc(+value) || 0;
}

function lengthOfArrayLike(object) {
  return MathMin(MathMax(toIntegerOrInfinity(object.length), 0), maxSafeInteger);
}

// The start arguments of splice, slice and the like: negative counts from the end.
function relativeIndex(value, length) {
  const relative = toIntegerOrInfinity(value);
  return relative < 0 ? MathMax(length + relative, 0) : MathMin(relative, length);
}

function toObject(value, method) {
  if (value === undefined || value === null) throw new TypeError(`${method} called on null or undefined`);
  return Object(value);
}

function requireCallable(value, method) {
  if (typeof value !== "function") throw new TypeError(`${method}: the callback is not a function`);
}

function incompatibleReceiver(method) {
  return new TypeError(`Method ${method} called on incompatible receiver`);
}

// A proxy has [[Construct]] exactly if its target has, and this trap keeps the target from being asked anything.
const probe = { __proto__: null, construct: () => probe };
function isConstructor(value) {
  if (typeof value !== "function") return false;
  try {
    return new (new Proxy(value, probe))() === probe;
  } catch {
    return false;
  }
}

// A List: an array without a prototype, so that appending meets no setter. `ArrayFrom` makes it an ordinary array.
function newList() {
  return ObjectSetPrototypeOf([], null);
}

/** A new array whose elements `elementAt(undefined, index)` gives in order: ArrayCreate and CreateDataProperty. */
function arrayOf(length, elementAt) {
  return ArrayFrom({ __proto__: null, length }, elementAt);
}

function createDataPropertyOrThrow(object, key, value) {
  const property = { __proto__: null, value, writable: true, enumerable: true, configurable: true };
  if (!ReflectDefineProperty(object, key, property)) throw new TypeError(`Cannot define property ${key}`);
}

function getMethod(value, key) {
  const method = value[key];
  if (method === undefined || method === null) return undefined;
  if (typeof method !== "function") throw new TypeError("An iterator's method is not a function");
  return method;
}

// Iterator Records (section 7.4.1) are { iterator, next }.
function getIteratorDirect(iterator) {
  return { __proto__: null, iterator, next: iterator.next };
}

function getIteratorFromMethod(value, method) {
  const iterator = FunctionPrototypeCall(method, value);
  if (!isObject(iterator)) throw new TypeError("The iterator is not an object");
  return getIteratorDirect(iterator);
}

/** IteratorStep: the iterator's result object, or undefined when it is done. */
function iteratorStep(record) {
  const result = FunctionPrototypeCall(record.next, record.iterator);
  if (!isObject(result)) throw new TypeError("The iterator's result is not an object");
  return result.done ? undefined : result;
}

/** IteratorClose with a normal completion. */
function closeIterator(iterator) {
  const method = getMethod(iterator, "return");
  if (method === undefined) return;
  if (!isObject(FunctionPrototypeCall(method, iterator))) throw new TypeError("The iterator's result is not an object");
}

/** IteratorClose with a throw completion, which stays the one that counts. */
function closeIteratorQuietly(iterator) {
  try {
    const method = iterator.return;
    if (method !== undefined && method !== null) FunctionPrototypeCall(method, iterator);
  } catch {
    // The error that led here is thrown instead.
  }
}

/** Defines what `target` lacks of the methods and accessors of `source`, with the attributes of built-ins. */
function defineBuiltins(target, source) {
  const keys = ReflectOwnKeys(source);
  for (let i = 0; i < keys.length; i++) {
    if (ObjectPrototypeHasOwnProperty(target, keys[i])) continue;
    const property = ReflectGetOwnPropertyDescriptor(source, keys[i]);
    ObjectSetPrototypeOf(property, null);
    property.enumerable = false;
    ReflectDefineProperty(target, keys[i], property);
  }
}

provide({
  arrayOf, closeIterator, closeIteratorQuietly, createDataPropertyOrThrow, defineBuiltins, getIteratorDirect,
  getIteratorFromMethod, getMethod, incompatibleReceiver, isConstructor, isObject, iteratorStep, lengthOfArrayLike,
  maxSafeInteger, newList, relativeIndex, requireCallable, toIntegerOrInfinity, toObject,
});
