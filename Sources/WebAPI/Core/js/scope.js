// What may not run while a worker's modules are evaluated. Needs the op
//   isGlobalScope() -> boolean: no request or event is being handled.
const { Error } = primordials;

/** Throws in global scope, where a worker may not start what outlives the evaluation of its modules. */
function refuseInGlobalScope() {
  if (!ops.isGlobalScope()) return;
  throw new Error("Disallowed operation called within global scope. Asynchronous I/O (ex: fetch() or connect()), "
    + "setting a timeout, and generating random values are not allowed within global scope. To fix this error, perform "
    + "this operation within a handler. https://developers.cloudflare.com/workers/runtime-apis/handlers/");
}

provide({ refuseInGlobalScope });
