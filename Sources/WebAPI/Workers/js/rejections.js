// Rejections without a handler, as the bridge reports them: collected while microtasks run, told when none is left.
const { ArrayPrototypePush, SafeMap } = primordials;
const { callInContext, captureContext } = use("Core/asyncContext");

const NO_HANDLER = 0;
const HANDLER_ADDED = 1;

// A promise that was rejected, with the reason and the context in which that happened.
let rejected = new SafeMap();
let handled = [];

entries.promiseRejected = (event, promise, reason) => {
  if (event === NO_HANDLER) {
    rejected.set(promise, { __proto__: null, reason, context: captureContext() });
  } else if (event === HANDLER_ADDED && !rejected.delete(promise)) {
    ArrayPrototypePush(handled, promise, reason);
  }
};

entries.settleRejections = () => {
  const unhandled = rejected, late = handled;
  rejected = new SafeMap();
  handled = [];
  unhandled.forEach((rejection, promise) => {
    const { reason, context } = rejection;
    if (context === undefined) entries.unhandledRejection(promise, reason);
    else callInContext(context, entries.unhandledRejection, undefined, [promise, reason]);
  });
  for (let i = 0; i < late.length; i += 2) entries.rejectionHandled(late[i], late[i + 1]);
};

provide({});
