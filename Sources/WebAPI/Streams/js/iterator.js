// Web IDL, section 3.7.10, and Streams Standard, section 4.2.5: asynchronous iteration over a ReadableStream. A step
// begins when the one before it has ended.
const {
  AsyncIteratorPrototype, ObjectSetPrototypeOf, PromisePrototypeThen, PromiseReject, PromiseResolve,
} = primordials;
const { defineInterface, illegalInvocation } = use("WebIDL/webidl");
const { Deferred } = use("Streams/promises");

let isIterator;

const endOfIteration = { __proto__: null };

class StepRequest extends Deferred {
  constructor(reader) {
    super();
    this.reader = reader;
    this.next = undefined;
  }

  chunkSteps(chunk) { this.resolve(chunk); }

  closeSteps() {
    this.reader.release();
    this.resolve(endOfIteration);
  }

  errorSteps(reason) {
    this.reader.release();
    this.reject(reason);
  }
}

class Iteration {
  constructor(reader, preventCancel) {
    this.reader = reader;
    this.preventCancel = preventCancel;
    this.ongoing = undefined;
    this.isFinished = false;
    this.onStep = (value) => this.fulfill(value);
    this.onFailure = (reason) => this.fail(reason);
  }

  fulfill(value) {
    this.ongoing = undefined;
    if (value !== endOfIteration) return { value, done: false };
    this.isFinished = true;
    return { value: undefined, done: true };
  }

  fail(reason) {
    this.ongoing = undefined;
    this.isFinished = true;
    throw reason;
  }

  /** "Get the next iteration result". */
  next() {
    if (this.isFinished) return PromiseResolve({ value: undefined, done: true });
    const request = new StepRequest(this.reader);
    this.reader.read(request);
    return PromisePrototypeThen(request.promise, this.onStep, this.onFailure);
  }

  /** "Asynchronous iterator return". */
  return(value) {
    if (this.isFinished) return PromiseResolve(undefined);
    this.isFinished = true;
    const result = this.preventCancel ? PromiseResolve(undefined) : this.reader.stream.cancel(value);
    this.reader.release();
    return result;
  }

  /** Runs a step after the ongoing one. */
  chain(step) {
    const { ongoing } = this;
    return this.ongoing = ongoing === undefined ? step() : PromisePrototypeThen(ongoing, step, step);
  }
}
ObjectSetPrototypeOf(Iteration.prototype, null);

class ReadableStreamAsyncIterator {
  #iteration;
  constructor(iteration) { this.#iteration = iteration; }

  next() {
    if (!isIterator(this)) return PromiseReject(illegalInvocation());
    const iteration = this.#iteration;
    if (iteration.ongoing === undefined) return iteration.ongoing = iteration.next();
    return iteration.chain(() => iteration.next());
  }

  return(value) {
    if (!isIterator(this)) return PromiseReject(illegalInvocation());
    const iteration = this.#iteration;
    const returned = iteration.chain(() => iteration.return(value));
    return PromisePrototypeThen(returned, () => ({ value, done: true }));
  }

  static {
    isIterator = (value) => typeof value === "object" && value !== null && #iteration in value;
  }
}
defineInterface(ReadableStreamAsyncIterator, "ReadableStream AsyncIterator");
ObjectSetPrototypeOf(ReadableStreamAsyncIterator.prototype, AsyncIteratorPrototype);
delete ReadableStreamAsyncIterator.prototype.constructor;

const createIterator = (reader, preventCancel) =>
  new ReadableStreamAsyncIterator(new Iteration(reader, preventCancel));

provide({ createIterator });
