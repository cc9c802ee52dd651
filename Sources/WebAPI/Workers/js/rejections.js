// Rejections without a handler, as the bridge reports them: collected while microtasks run, told when none is left.
const { ArrayPrototypePush, SafeMap } = primordials;

const NO_HANDLER = 0;
const HANDLER_ADDED = 1;

let rejected = new SafeMap();
let handled = [];

entries.promiseRejected = (event, promise, reason) => {
  if (event === NO_HANDLER) {
    rejected.set(promise, reason);
  } else if (event === HANDLER_ADDED && !rejected.delete(promise)) {
    ArrayPrototypePush(handled, promise, reason);
  }
};

entries.settleRejections = () => {
  const unhandled = rejected, late = handled;
  rejected = new SafeMap();
  handled = [];
  unhandled.forEach((reason, promise) => entries.unhandledRejection(promise, reason));
  for (let i = 0; i < late.length; i += 2) entries.rejectionHandled(late[i], late[i + 1]);
};

provide({});
