// HTML Standard, section 8.1.4.6: runtime script errors and unhandled rejections. Needs the op
//   log(level, text): "error" here; what nobody handled goes to the worker's log.
// The host calls entries.unhandledRejection(promise, reason) after the microtasks for each promise that was rejected
// and still has no handler, and entries.rejectionHandled(promise, reason) for each that got its handler afterwards.
const { ErrorCaptureStackTrace, ErrorPrototypeToString, RegExpPrototypeExec, SafeWeakSet } = primordials;
const { exposeOperations, requireArguments } = use("WebIDL/webidl");
const { dispatchTrusted, globalEventTarget, hasListeners, receiver } = use("DOM/target");

const FRAME = /\n {4}at (?:.* \()?(.+?):(\d+):(\d+)\)?(?:\n|$)/;

const inspect = (value) => use("Console/inspect").inspect(value);

// Reading a stack formats it, which may run the tenant's Error.prepareStackTrace.
function stackOf(error) {
  try {
    const { stack } = error;
    return typeof stack === "string" ? stack : "";
  } catch {
    return "";
  }
}

// "Extract error". Where an error arose stands in its stack; for other values `stack` tells where they were reported.
function extractError(error, stack) {
  const isError = engine.typeOf(error) === "Error";
  const frame = RegExpPrototypeExec(FRAME, isError ? stackOf(error) : stack);
  const message = `Uncaught ${isError ? summaryOf(error) : inspect(error)}`;
  if (frame === null) return { __proto__: null, message, error };
  const { parseAgainstBase } = use("Fetch/settings");
  const filename = parseAgainstBase(frame[1])?.href ?? frame[1];
  return { __proto__: null, message, filename, lineno: +frame[2], colno: +frame[3], error };
}

function summaryOf(error) {
  try {
    return ErrorPrototypeToString(error);
  } catch {
    return "Error";
  }
}

let isReporting = false;

/** "Report an exception": to the listeners of the global object's error event, else to the log. */
function reportException(error, stack = "") {
  let isHandled = false;
  if (!isReporting && hasListeners(globalEventTarget, "error")) {
    isReporting = true;
    try {
      const { ErrorEvent } = use("HTML/events");
      const init = extractError(error, stack);
      init.cancelable = true;
      isHandled = !dispatchTrusted(globalEventTarget, new ErrorEvent("error", init));
    } finally {
      isReporting = false;
    }
  }
  if (!isHandled) ops.log("error", `Uncaught ${inspect(error)}`);
}

const notified = new SafeWeakSet();

function fireRejection(type, promise, reason, cancelable) {
  if (!hasListeners(globalEventTarget, type)) return true;
  const { PromiseRejectionEvent } = use("HTML/events");
  const event = new PromiseRejectionEvent(type, { __proto__: null, promise, reason, cancelable });
  return dispatchTrusted(globalEventTarget, event);
}

entries.unhandledRejection = (promise, reason) => {
  notified.add(promise);
  if (!fireRejection("unhandledrejection", promise, reason, true)) return;
  ops.log("error", `Uncaught (in promise) ${inspect(reason)}`);
};

entries.rejectionHandled = (promise, reason) => {
  if (notified.delete(promise)) fireRejection("rejectionhandled", promise, reason, false);
};

const operations = {
  __proto__: null,
  reportError(e) {
    receiver(this);
    requireArguments(arguments.length, 1, "Failed to execute 'reportError' on 'ServiceWorkerGlobalScope'");
    const place = { __proto__: null };
    ErrorCaptureStackTrace(place, operations.reportError);
    reportException(e, stackOf(place));
  },
};
exposeOperations(operations);

provide({ reportException });
