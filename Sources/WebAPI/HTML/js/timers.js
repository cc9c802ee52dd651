// HTML Standard, section 8.6: timers; and scheduler.wait() as Workers have it. Needs the ops
//   timerStart(id, milliseconds, repeat): entries.timerFire(id) is called after that time, again and again if `repeat`
//     is true; throws QuotaExceededError if the request has 10,000 timers already.
//   timerCancel(id): the timer fires no more. An unknown id is ignored.
// and that the host calls entries.timersDrop([ids]) for the timers that a finished request leaves behind.
const {
  ArrayPrototypeSlice, FunctionPrototypeApply, FunctionPrototypeCall, SafeMap, TypeError, globalThis,
} = primordials;
const { converters, exposeOperations, requireArguments } = use("WebIDL/webidl");
const { callInContext, captureContext } = use("Core/asyncContext");
const { refuseInGlobalScope } = use("Core/scope");
const { reportException } = use("HTML/report");

const timers = new SafeMap();
let lastId = 0;

function start(callback, args, milliseconds, repeat, isInternal) {
  refuseInGlobalScope();
  const id = ++lastId;
  ops.timerStart(id, milliseconds, repeat);
  timers.set(id, { __proto__: null, callback, args, repeat, isInternal, context: captureContext() });
  return id;
}

function cancel(id) {
  if (timers.delete(id)) ops.timerCancel(id);
}

// "Timer initialization steps". A string is no handler here: compiling one is refused as eval() is.
function initialize(name, handler, timeout, args, repeat) {
  const prefix = `Failed to execute '${name}' on 'ServiceWorkerGlobalScope'`;
  if (typeof handler !== "function") throw new TypeError(`${prefix}: parameter 1 is not of type 'Function'.`);
  const delay = timeout === undefined ? 0 : converters.long(timeout, prefix, "parameter 2");
  return start(handler, args.length > 2 ? ArrayPrototypeSlice(args, 2) : null, delay > 0 ? delay : 0, repeat, false);
}

function clear(name, id) {
  if (id === undefined) return;
  cancel(converters.long(id, `Failed to execute '${name}' on 'ServiceWorkerGlobalScope'`, "parameter 1"));
}

const operations = {
  __proto__: null,
  setTimeout(handler, timeout = undefined) {
    requireArguments(arguments.length, 1, "Failed to execute 'setTimeout' on 'ServiceWorkerGlobalScope'");
    return initialize("setTimeout", handler, timeout, arguments, false);
  },
  setInterval(handler, timeout = undefined) {
    requireArguments(arguments.length, 1, "Failed to execute 'setInterval' on 'ServiceWorkerGlobalScope'");
    return initialize("setInterval", handler, timeout, arguments, true);
  },
  clearTimeout(id = undefined) { clear("clearTimeout", id); },
  clearInterval(id = undefined) { clear("clearInterval", id); },
};

/** Calls a function of the runtime itself after some time. The result is an id for cancel(). */
function runAfter(milliseconds, callback) {
  return start(callback, null, milliseconds, false, true);
}

function fire(timer) {
  try {
    if (timer.isInternal) timer.callback();
    else if (timer.args === null) FunctionPrototypeCall(timer.callback, globalThis);
    else FunctionPrototypeApply(timer.callback, globalThis, timer.args);
  } catch (error) {
    reportException(error);
  }
}

entries.timerFire = (id) => {
  const timer = timers.get(id);
  if (timer === undefined) return;
  if (!timer.repeat) timers.delete(id);
  if (timer.context === undefined) fire(timer);
  else callInContext(timer.context, fire, undefined, [timer]);
};

entries.timersDrop = (ids) => {
  for (let i = 0; i < ids.length; i++) timers.delete(ids[i]);
};

exposeOperations(operations);

provide({ cancel, runAfter });
