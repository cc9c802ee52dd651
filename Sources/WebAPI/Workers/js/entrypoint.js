// cloudflare:workers: WorkerEntrypoint, RpcTarget, env and waitUntil. Needs the op
//   currentExchange() -> the number of the request or event whose code is running, 0 if there is none
const { Error, ObjectGetPrototypeOf } = primordials;
const { defineInterface, requireArguments } = use("WebIDL/webidl");
const { isEnabled } = use("Workers/compatibility");
const { waitUntil } = use("Workers/context");
const { getEnvironment } = use("Workers/environment");

/** Whose subclasses are entrypoints: each request and each call makes an object, and calls a method of it. */
class WorkerEntrypoint {
  constructor(ctx, env) {
    this.ctx = ctx;
    this.env = env;
  }
}

/** A class for objects that methods can give and take by reference. Here they cannot: a call with one fails. */
class RpcTarget {}
defineInterface(RpcTarget);

function isEntrypointClass(value) {
  for (let Class = ObjectGetPrototypeOf(value); Class !== null; Class = ObjectGetPrototypeOf(Class)) {
    if (Class === WorkerEntrypoint) return true;
  }
  return false;
}

const exported = {
  RpcTarget,
  WorkerEntrypoint,
  env: isEnabled("allow_importable_env") ? getEnvironment() : {},
  waitUntil(promise) {
    requireArguments(arguments.length, 1, "Failed to execute 'waitUntil'");
    const exchange = ops.currentExchange();
    if (exchange === 0) throw new Error("waitUntil() can only be called within a handler: it prolongs a request.");
    waitUntil(exchange, promise);
  },
};

provide({ WorkerEntrypoint, exports: exported, hasDefault: false, isEntrypointClass });
