// Workers: ExecutionContext, the third argument of a handler; and what waitUntil() does for events too. Needs the ops
//   waitUntilBegan(exchange), waitUntilEnded(exchange, failure or undefined)
//   requestFailed(exchange, message)
//   passThrough(exchange): what stands behind the worker's zone, if there is anything, answers if the handler throws
const { JSONParse, PromisePrototypeThen, PromiseResolve, TypeError } = primordials;
const { defineInterface, illegalInvocation, requireArguments } = use("WebIDL/webidl");

const secret = {};
const inspect = (value) => use("Console/inspect").inspect(value);

/** The request failed for good: the host logs why, and answers if nothing was answered yet. */
function failRequest(exchange, error) {
  ops.requestFailed(exchange, inspect(error));
}

/** Keeps the request's context alive until `promise` settles. What one promise comes to does not touch the others. */
function waitUntil(exchange, promise) {
  ops.waitUntilBegan(exchange);
  PromisePrototypeThen(
    PromiseResolve(promise),
    () => ops.waitUntilEnded(exchange, undefined),
    (error) => ops.waitUntilEnded(exchange, inspect(error)),
  );
}

class ExecutionContext {
  // The props: JSON text, null for none, and once they were asked for the object.
  #exchange; #props;

  constructor(key, exchange, props) {
    if (key !== secret) throw new TypeError("Illegal constructor");
    this.#exchange = exchange;
    this.#props = props;
  }

  /** What the service binding says of the one that calls. */
  get props() {
    const props = this.#props;
    if (props === null) this.#props = {};
    else if (typeof props === "string") this.#props = JSONParse(props);
    return this.#props;
  }

  waitUntil(promise) {
    if (!(#exchange in this)) throw illegalInvocation();
    requireArguments(arguments.length, 1, "Failed to execute 'waitUntil' on 'ExecutionContext'");
    waitUntil(this.#exchange, promise);
  }

  passThroughOnException() {
    if (!(#exchange in this)) throw illegalInvocation();
    ops.passThrough(this.#exchange);
  }
}
defineInterface(ExecutionContext);

const createContext = (exchange, props = null) => new ExecutionContext(secret, exchange, props);

provide({ createContext, failRequest, waitUntil });
