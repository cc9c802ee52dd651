// Array.fromAsync (ECMA-262, section 23.1.2.2).
const { Array, FunctionPrototypeCall, SymbolAsyncIterator, SymbolIterator, TypeError } = primordials;
const { defineRecord } = use("Core/records");
const {
  arrayOf, closeIteratorQuietly, createDataPropertyOrThrow, defineBuiltins, getIteratorFromMethod, getMethod,
  isConstructor, isObject, lengthOfArrayLike, requireCallable, toObject,
} = use("ECMAScript/abstract");

// The tenant's iterator, for the statement for-await, whose own steps await the results and close the iterator.
class AsyncStepper {
  constructor({ iterator, next }) {
    this.iterator = iterator;
    this.tenantNext = next;
  }
  next() {
    return FunctionPrototypeCall(this.tenantNext, this.iterator);
  }
  get return() {
    const method = getMethod(this.iterator, "return");
    return method === undefined ? undefined : () => FunctionPrototypeCall(method, this.iterator);
  }
}
defineRecord(AsyncStepper);

// Section 27.1.6: Async-from-Sync Iterator Objects. The engine's own ones do not close an iterator whose value rejects.
class AsyncFromSyncStepper {
  constructor({ iterator, next }) {
    this.iterator = iterator;
    this.tenantNext = next;
  }
  async next() {
    const result = FunctionPrototypeCall(this.tenantNext, this.iterator);
    const { done, value } = requireResult(result);
    try {
      return { value: await value, done: !!done };
    } catch (error) {
      if (!done) closeIteratorQuietly(this.iterator);
      throw error;
    }
  }
  async return() {
    const method = getMethod(this.iterator, "return");
    if (method === undefined) return { value: undefined, done: true };
    const { done, value } = requireResult(FunctionPrototypeCall(method, this.iterator));
    return { value: await value, done: !!done };
  }
}
defineRecord(AsyncFromSyncStepper);

function requireResult(result) {
  if (!isObject(result)) throw new TypeError("The iterator's result is not an object");
  return result;
}

async function fromAsync(C, items, mapper, thisArg) {
  if (mapper !== undefined) requireCallable(mapper, "Array.fromAsync");
  const asyncMethod = getMethod(items, SymbolAsyncIterator);
  const method = asyncMethod === undefined ? getMethod(items, SymbolIterator) : asyncMethod;
  if (method === undefined) return fromArrayLike(C, toObject(items, "Array.fromAsync"), mapper, thisArg);
  const record = getIteratorFromMethod(items, method);
  const stepper = asyncMethod === undefined ? new AsyncFromSyncStepper(record) : new AsyncStepper(record);
  const iterable = { __proto__: null, [SymbolAsyncIterator]: () => stepper };
  const A = isConstructor(C) ? new C() : [];
  let k = 0;
  for await (const value of iterable) {
    const element = mapper === undefined ? value : await FunctionPrototypeCall(mapper, thisArg, value, k);
    createDataPropertyOrThrow(A, k, element);
    k++;
  }
  A.length = k;
  return A;
}

async function fromArrayLike(C, arrayLike, mapper, thisArg) {
  const length = lengthOfArrayLike(arrayLike);
  const A = isConstructor(C) ? new C(length) : arrayOf(length, () => undefined);
  for (let k = 0; k < length; k++) {
    let element = await arrayLike[k];
    if (mapper !== undefined) element = await FunctionPrototypeCall(mapper, thisArg, element, k);
    createDataPropertyOrThrow(A, k, element);
  }
  A.length = length;
  return A;
}

defineBuiltins(Array, {
  fromAsync(asyncItems, mapper = undefined, thisArg = undefined) {
    return fromAsync(this, asyncItems, mapper, thisArg);
  },
});

provide({});
