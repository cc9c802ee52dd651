// Iterator Helpers (ECMA-262, section 27.1): the constructor Iterator, Iterator.from and %Iterator.prototype%.
const {
  ArrayFrom, FunctionPrototypeCall, IteratorPrototype, MathTrunc, ObjectCreate, ObjectDefineProperty,
  ObjectGetPrototypeOf, ObjectPrototype, ObjectPrototypeHasOwnProperty, ObjectPrototypeIsPrototypeOf,
  ObjectSetPrototypeOf, RangeError, ReflectDeleteProperty, SymbolIterator, SymbolToStringTag, TypeError, globalThis,
} = primordials;
const {
  closeIterator, closeIteratorQuietly, createDataPropertyOrThrow, defineBuiltins, getIteratorDirect, getMethod,
  incompatibleReceiver, isObject, iteratorStep, maxSafeInteger, newList,
} = use("ECMAScript/abstract");

function requireIterator(O, method) {
  if (!isObject(O)) throw new TypeError(`Iterator.prototype.${method} called on non-object`);
}

// What most methods begin with: the receiver's record, the receiver being closed if the callback is none.
function recordFor(O, callback, method) {
  requireIterator(O, method);
  if (typeof callback !== "function") {
    closeIteratorQuietly(O);
    throw new TypeError(`Iterator.prototype.${method}: the callback is not a function`);
  }
  return getIteratorDirect(O);
}

function callOrClose(record, callback, value, counter) {
  try {
    return callback(value, counter);
  } catch (error) {
    closeIteratorQuietly(record.iterator);
    throw error;
  }
}

// The limit of take and drop: an integer or infinity, not negative.
function limitFor(O, limit, method) {
  requireIterator(O, method);
  let number;
  try {
    number = +limit;
    if (number !== number) throw new RangeError(`Iterator.prototype.${method}: the limit is not a number`);
    number = MathTrunc(number);
    if (number < 0 || (number > maxSafeInteger && number !== Infinity)) {
      throw new RangeError(`Iterator.prototype.${method}: the limit is out of range`);
    }
  } catch (error) {
    closeIteratorQuietly(O);
    throw error;
  }
  return number;
}

// Section 7.4.5: GetIteratorFlattenable.
function getIteratorFlattenable(value, acceptsStrings) {
  if (!isObject(value) && !(acceptsStrings && typeof value === "string")) throw new TypeError("Value is not an object");
  const method = getMethod(value, SymbolIterator);
  const iterator = method === undefined ? value : FunctionPrototypeCall(method, value);
  if (!isObject(iterator)) throw new TypeError("The iterator is not an object");
  return getIteratorDirect(iterator);
}

// Section 27.1.2.1: %IteratorHelperPrototype%. `step` gives the next value, or `finished`.
const finished = { __proto__: null };

class IteratorHelper {
  #record;
  #step;
  #state = "suspended-start";

  static create(record, step) {
    const helper = new IteratorHelper();
    helper.#record = record;
    helper.#step = step;
    return helper;
  }

  next() {
    if (!isObject(this) || !(#step in this)) throw incompatibleReceiver("%IteratorHelperPrototype%.next");
    if (this.#state === "executing") throw new TypeError("Iterator helper is already running");
    if (this.#state === "completed") return { value: undefined, done: true };
    this.#state = "executing";
    let value = finished;
    try {
      value = this.#step();
    } finally {
      this.#state = value === finished ? "completed" : "suspended-yield";
    }
    return value === finished ? { value: undefined, done: true } : { value, done: false };
  }

  return() {
    if (!isObject(this) || !(#step in this)) throw incompatibleReceiver("%IteratorHelperPrototype%.return");
    if (this.#state === "executing") throw new TypeError("Iterator helper is already running");
    const state = this.#state;
    if (state === "completed") return { value: undefined, done: true };
    this.#state = state === "suspended-start" ? "completed" : "executing";
    try {
      this.#close();
    } finally {
      this.#state = "completed";
    }
    return { value: undefined, done: true };
  }

  #close() {
    const { iterator, inner } = this.#record;
    if (inner !== undefined) {
      try {
        closeIterator(inner.iterator);
      } catch (error) {
        closeIteratorQuietly(iterator);
        throw error;
      }
    }
    closeIterator(iterator);
  }
}
definePrototype(IteratorHelper.prototype, "Iterator Helper");

// Section 27.1.3.2.1.1: %WrapForValidIteratorPrototype%.
class WrapForValidIterator {
  #record;

  static create(record) {
    const wrapper = new WrapForValidIterator();
    wrapper.#record = record;
    return wrapper;
  }

  next() {
    if (!isObject(this) || !(#record in this)) throw incompatibleReceiver("%WrapForValidIteratorPrototype%.next");
    return FunctionPrototypeCall(this.#record.next, this.#record.iterator);
  }

  return() {
    if (!isObject(this) || !(#record in this)) throw incompatibleReceiver("%WrapForValidIteratorPrototype%.return");
    const { iterator } = this.#record;
    const method = getMethod(iterator, "return");
    return method === undefined ? { value: undefined, done: true } : FunctionPrototypeCall(method, iterator);
  }
}
definePrototype(WrapForValidIterator.prototype);

function definePrototype(prototype, tag) {
  ReflectDeleteProperty(prototype, "constructor");
  ObjectSetPrototypeOf(prototype, IteratorPrototype);
  if (tag === undefined) return;
  ObjectDefineProperty(prototype, SymbolToStringTag, {
    __proto__: null, value: tag, writable: false, enumerable: false, configurable: true,
  });
}

const lazyMethods = {
  map(mapper) {
    const record = recordFor(this, mapper, "map");
    let counter = 0;
    return IteratorHelper.create(record, () => {
      const step = iteratorStep(record);
      return step === undefined ? finished : callOrClose(record, mapper, step.value, counter++);
    });
  },
  filter(predicate) {
    const record = recordFor(this, predicate, "filter");
    let counter = 0;
    return IteratorHelper.create(record, () => {
      for (let step = iteratorStep(record); step !== undefined; step = iteratorStep(record)) {
        const value = step.value;
        if (callOrClose(record, predicate, value, counter++)) return value;
      }
      return finished;
    });
  },
  take(limit) {
    let remaining = limitFor(this, limit, "take");
    const record = getIteratorDirect(this);
    return IteratorHelper.create(record, () => {
      if (remaining === 0) {
        closeIterator(record.iterator);
        return finished;
      }
      remaining--;
      const step = iteratorStep(record);
      return step === undefined ? finished : step.value;
    });
  },
  drop(limit) {
    let remaining = limitFor(this, limit, "drop");
    const record = getIteratorDirect(this);
    return IteratorHelper.create(record, () => {
      for (; remaining > 0; remaining--) {
        if (iteratorStep(record) === undefined) return finished;
      }
      const step = iteratorStep(record);
      return step === undefined ? finished : step.value;
    });
  },
  flatMap(mapper) {
    const record = recordFor(this, mapper, "flatMap");
    let counter = 0;
    return IteratorHelper.create(record, () => {
      for (;;) {
        if (record.inner === undefined) {
          const outer = iteratorStep(record);
          if (outer === undefined) return finished;
          const value = outer.value;
          record.inner = callOrClose(record, () => getIteratorFlattenable(mapper(value, counter++), false));
        }
        const { inner } = record;
        let value;
        const isDone = callOrClose(record, () => {
          const step = iteratorStep(inner);
          if (step !== undefined) value = step.value;
          return step === undefined;
        });
        if (!isDone) return value;
        record.inner = undefined;
      }
    });
  },
};

// Whether the callback's result was, for some value, what `visit` looks for; the iterator is closed then.
function someValue(record, callback, visit) {
  let counter = 0;
  for (let step = iteratorStep(record); step !== undefined; step = iteratorStep(record)) {
    const value = step.value;
    if (!visit(callOrClose(record, callback, value, counter++), value)) continue;
    closeIterator(record.iterator);
    return true;
  }
  return false;
}

const eagerMethods = {
  reduce(reducer, ...initial) {
    const record = recordFor(this, reducer, "reduce");
    let counter = 0, accumulator;
    if (initial.length === 0) {
      const first = iteratorStep(record);
      if (first === undefined) throw new TypeError("Iterator.prototype.reduce: no values and no initial value");
      accumulator = first.value;
      counter = 1;
    } else {
      accumulator = initial[0];
    }
    someValue(record, (value) => { accumulator = reducer(accumulator, value, counter++); }, () => false);
    return accumulator;
  },
  toArray() {
    requireIterator(this, "toArray");
    const record = getIteratorDirect(this);
    const list = newList();
    for (let step = iteratorStep(record); step !== undefined; step = iteratorStep(record)) {
      list[list.length] = step.value;
    }
    return ArrayFrom(list);
  },
  forEach(procedure) {
    someValue(recordFor(this, procedure, "forEach"), procedure, () => false);
  },
  some(predicate) {
    return someValue(recordFor(this, predicate, "some"), predicate, (result) => result);
  },
  every(predicate) {
    return !someValue(recordFor(this, predicate, "every"), predicate, (result) => !result);
  },
  find(predicate) {
    let found;
    someValue(recordFor(this, predicate, "find"), predicate, (result, value) => {
      if (result) found = value;
      return result;
    });
    return found;
  },
};

// Section 27.1.3.1: Iterator is abstract. Its prototype is older than this function, hence no class.
function Iterator() {
  if (new.target === undefined || new.target === Iterator) {
    throw new TypeError("Abstract class Iterator not directly constructable");
  }
  // An object whose constructor has no usable prototype falls back to %Iterator.prototype%.
  if (ObjectGetPrototypeOf(this) === ObjectPrototype && !isObject(new.target.prototype)) {
    return ObjectCreate(IteratorPrototype);
  }
}

// SetterThatIgnoresPrototypeProperties: "constructor" and @@toStringTag are accessors, so that assigning either to an
// object that inherits from %Iterator.prototype% defines its own.
function setIgnoringPrototype(object, key, value) {
  if (!isObject(object)) throw new TypeError("Receiver is not an object");
  if (object === IteratorPrototype) throw new TypeError("Cannot assign to a property of Iterator.prototype");
  if (ObjectPrototypeHasOwnProperty(object, key)) object[key] = value;
  else createDataPropertyOrThrow(object, key, value);
}

if (globalThis.Iterator === undefined) {
  ObjectDefineProperty(Iterator, "prototype", { __proto__: null, value: IteratorPrototype, writable: false });
  defineBuiltins(Iterator, {
    from(O) {
      const record = getIteratorFlattenable(O, true);
      if (ObjectPrototypeIsPrototypeOf(IteratorPrototype, record.iterator)) return record.iterator;
      return WrapForValidIterator.create(record);
    },
  });
  defineBuiltins(IteratorPrototype, {
    get constructor() { return Iterator; },
    set constructor(value) { setIgnoringPrototype(this, "constructor", value); },
    get [SymbolToStringTag]() { return "Iterator"; },
    set [SymbolToStringTag](value) { setIgnoringPrototype(this, SymbolToStringTag, value); },
  });
  defineBuiltins(IteratorPrototype, lazyMethods);
  defineBuiltins(IteratorPrototype, eagerMethods);
  ObjectDefineProperty(globalThis, "Iterator", {
    __proto__: null, value: Iterator, writable: true, enumerable: false, configurable: true,
  });
}

provide({});
