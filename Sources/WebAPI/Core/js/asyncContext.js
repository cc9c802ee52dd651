// The asynchronous context: one value that V8 carries along promise reactions, and that the runtime carries through
// whatever else calls back later. A worker has none until it imports node:async_hooks; until then this costs a test.
const { ReflectApply } = primordials;

let isTracked = false;

/** What to give callInContext() later. */
const captureContext = () => isTracked ? engine.getAsyncContext() : undefined;

/** Calls a function of any origin in a context, which ends with the call. */
function callInContext(context, callback, receiver, args) {
  const outer = engine.getAsyncContext();
  if (outer === context) return ReflectApply(callback, receiver, args);
  engine.setAsyncContext(context);
  try {
    return ReflectApply(callback, receiver, args);
  } finally {
    engine.setAsyncContext(outer);
  }
}

/** A method of the tenant's that is to run in the context of now; the method itself if there is none. */
function bindMethod(method) {
  const context = captureContext();
  if (context === undefined || method === undefined) return method;
  return function () { return callInContext(context, method, this, arguments); };
}

// The context in which a promise was made, kept on the promise itself, where only this class sees it.
class Returned {
  constructor(object) { return object; }
}
class MadeIn extends Returned {
  #context;
  constructor(promise, context) {
    super(promise);
    this.#context = context;
  }
  static contextOf(promise) { return #context in promise ? promise.#context : undefined; }
}

/**
 * Begins to track contexts. A thenable's then() is called by a job that carries no context, so hooks of promises bring
 * it along: V8 names the promise that waits for the thenable at its making and before and after the job.
 */
function trackContexts() {
  if (isTracked) return;
  isTracked = true;
  engine.setPromiseHooks(
    (promise) => {
      const context = engine.getAsyncContext();
      if (context !== undefined) new MadeIn(promise, context);
    },
    (promise) => {
      const context = MadeIn.contextOf(promise);
      if (context !== undefined && engine.getAsyncContext() === undefined) engine.setAsyncContext(context);
    },
    () => engine.setAsyncContext(undefined),
  );
}

provide({ bindMethod, callInContext, captureContext, trackContexts });
