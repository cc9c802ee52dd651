// Streams Standard, section 4.2.4: ReadableStream.from().
const {
  FunctionPrototypeCall, PromisePrototypeThen, PromiseResolve, SymbolAsyncIterator, SymbolIterator, TypeError,
} = primordials;
const { typeOf } = use("WebIDL/webidl");
const { defineRecord } = use("Core/records");
const { createReadable } = use("Streams/readable");

function getMethod(object, key) {
  const method = object[key];
  if (method === undefined || method === null) return undefined;
  if (typeof method !== "function") throw new TypeError("The iterator's method is not a function.");
  return method;
}

function requireObject(value, what) {
  if (typeOf(value) !== "object") throw new TypeError(`${what} is not an object.`);
  return value;
}

/** The source of a stream that reads an asynchronous iterator. */
class AsyncIteratorSource {
  constructor(iterator) {
    this.iterator = iterator;
    this.nextMethod = iterator.next;
    this.controller = undefined;
    this.onStep = (step) => { this.take(step); };
  }

  start(controller) { this.controller = controller; }

  pull() { return PromisePrototypeThen(this.step(), this.onStep); }

  step() { return PromiseResolve(FunctionPrototypeCall(this.nextMethod, this.iterator)); }

  take(step) {
    requireObject(step, "The result of the iterator's next()");
    if (step.done) this.controller.close();
    else this.controller.enqueue(step.value);
  }

  cancel(reason) {
    const method = getMethod(this.iterator, "return");
    if (method === undefined) return undefined;
    return this.finish(FunctionPrototypeCall(method, this.iterator, reason));
  }

  finish(result) {
    return PromisePrototypeThen(PromiseResolve(result), (step) => {
      requireObject(step, "The result of the iterator's return()");
    });
  }
}
defineRecord(AsyncIteratorSource);

/** The same for a synchronous iterator, whose values may be promises (ECMAScript's async-from-sync iterators). */
class IteratorSource extends AsyncIteratorSource {
  constructor(iterator) {
    super(iterator);
    this.isLast = false;
    this.onStep = (value) => { this.takeValue(value); };
  }

  step() { return this.unwrap(FunctionPrototypeCall(this.nextMethod, this.iterator)); }

  unwrap(step) {
    requireObject(step, "The result of the iterator's next()");
    this.isLast = !!step.done;
    return PromiseResolve(step.value);
  }

  takeValue(value) {
    if (this.isLast) this.controller.close();
    else this.controller.enqueue(value);
  }

  finish(step) {
    requireObject(step, "The result of the iterator's return()");
    step.done;
    return PromiseResolve(step.value);
  }
}

/** "ReadableStreamFromIterable". */
function fromIterable(iterable) {
  if (iterable === undefined || iterable === null) throw new TypeError("The argument of from() is not iterable.");
  let method = getMethod(iterable, SymbolAsyncIterator);
  const isAsync = method !== undefined;
  if (!isAsync) method = getMethod(iterable, SymbolIterator);
  if (method === undefined) throw new TypeError("The argument of from() is not iterable.");
  const iterator = requireObject(FunctionPrototypeCall(method, iterable), "The iterator");
  return createReadable(isAsync ? new AsyncIteratorSource(iterator) : new IteratorSource(iterator), 0, undefined);
}

provide({ fromIterable });
