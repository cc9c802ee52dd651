// Promises as the Streams Standard uses them, made only where somebody can see them. What an algorithm of a source,
// sink or transformer gives back is called its result: undefined (it is done), `later` (it will say so itself,
// which only the runtime's own algorithms do), or a value that a promise is resolved with.
const {
  ObjectFreeze, Promise, PromisePrototypeThen, PromiseReject, PromiseResolve,
} = primordials;
const { defineRecord } = use("Core/records");

/** The result of an algorithm that reports its end by a call. */
const later = ObjectFreeze({ __proto__: null });

const settledPromise = PromiseResolve(undefined);
const ignore = () => {};

/** "A promise resolved with" an algorithm's result. */
function promiseOf(result) {
  if (result === undefined) return settledPromise;
  try {
    return PromiseResolve(result);
  } catch (error) {
    return PromiseReject(error);
  }
}

/** Runs a step that a promise, already fulfilled, would run: in a microtask. */
function soon(step) {
  PromisePrototypeThen(settledPromise, step);
}

/** "Upon fulfillment, upon rejection" of an algorithm's result. The steps must return nothing. */
function react(result, onFulfilled, onRejected) {
  if (result === undefined) PromisePrototypeThen(settledPromise, onFulfilled);
  else if (result !== later) PromisePrototypeThen(promiseOf(result), onFulfilled, onRejected);
}

/** A promise of undefined that follows a promise made here. */
function withoutValue(promise) {
  return promise === settledPromise ? PromiseResolve(undefined) : PromisePrototypeThen(promise, ignore);
}

function markHandled(promise) {
  PromisePrototypeThen(promise, undefined, ignore);
  return promise;
}

let lastResolve, lastReject;
const keepFunctions = (resolve, reject) => {
  lastResolve = resolve;
  lastReject = reject;
};

class Deferred {
  constructor() {
    this.promise = new Promise(keepFunctions);
    this.resolve = lastResolve;
    this.reject = lastReject;
  }
}
defineRecord(Deferred);

const PENDING = 0, FULFILLED = 1, REJECTED = 2;

/**
 * A promise of undefined in a slot of the standard's, such as [[closedPromise]] or [[readyPromise]]. Its state is
 * always known, the promise is made when the tenant asks for it; a rejection counts as handled.
 */
class LazyPromise {
  constructor() {
    this.state = PENDING;
    this.reason = undefined;
    this.deferred = undefined;
    this.listener = undefined;
  }

  isPending() { return this.state === PENDING; }
  isFulfilled() { return this.state === FULFILLED; }

  get() {
    if (this.deferred === undefined) {
      const deferred = new Deferred();
      this.deferred = deferred;
      if (this.state === FULFILLED) deferred.resolve(undefined);
      else if (this.state === REJECTED) this.rejectDeferred();
    }
    return this.deferred.promise;
  }

  resolve() {
    if (this.state !== PENDING) return;
    this.state = FULFILLED;
    if (this.deferred !== undefined) this.deferred.resolve(undefined);
    if (this.listener === undefined) return;
    soon(this.listener);
    this.listener = undefined;
  }

  reject(reason) {
    if (this.state !== PENDING) return;
    this.state = REJECTED;
    this.reason = reason;
    this.listener = undefined;
    if (this.deferred !== undefined) this.rejectDeferred();
  }

  /** Rejects the promise if it is pending, and puts a rejected one into the slot if not. */
  replaceByRejection(reason) {
    if (this.state !== PENDING) this.renew();
    this.reject(reason);
  }

  /** Puts a new, pending promise into the slot. */
  renew() {
    this.state = PENDING;
    this.deferred = undefined;
  }

  rejectDeferred() {
    this.deferred.reject(this.reason);
    markHandled(this.deferred.promise);
  }

  /** Runs the step in a microtask when the promise is fulfilled. There is one such step at a time. */
  whenFulfilled(step) { this.listener = step; }
}
defineRecord(LazyPromise);

provide({ Deferred, LazyPromise, later, markHandled, promiseOf, react, soon, withoutValue });
