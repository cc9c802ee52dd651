// DOM Standard, sections 2.6 to 2.10: EventTarget and dispatch; HTML Standard, section 8.1.8.1: event handlers.
const {
  ArrayPrototypePush, FunctionPrototypeCall, ObjectDefineProperty, ObjectGetOwnPropertyDescriptor, TypeError,
  globalThis,
} = primordials;
const {
  converters, defineInterface, dictionary, exposeGlobals, illegalInvocation, requireArguments, typeOf,
} = use("WebIDL/webidl");
const { DOMException } = use("DOM/exception");
const {
  CANCELED, DISPATCH, IN_PASSIVE_LISTENER, STOP_IMMEDIATE, STOP_PROPAGATION, TRUSTED,
  cancel, createEvent, currentTargetOf, eventType, flagsOf, setFlags, setTargets, trust,
} = use("DOM/event");

const booleanMember = (key) => ({ __proto__: null, key, converter: converters.boolean, defaultValue: () => false });
const eventListenerOptions = dictionary("EventListenerOptions", [booleanMember("capture")]);
const addEventListenerOptions = dictionary("AddEventListenerOptions", [
  booleanMember("capture"), booleanMember("once"), booleanMember("passive"),
  { __proto__: null, key: "signal", converter: (V, prefix, context) => converters.AbortSignal(V, prefix, context) },
]);

let appendListener, dropListener, isEventTarget, listenersOf, observeListeners;

class EventTarget {
  // The lists of listeners by type, made by the first listener; and who hears of the first and last one of a type.
  #listeners = null; #observer = null;

  addEventListener(type, callback, options = undefined) {
    const target = receiver(this);
    const prefix = "Failed to execute 'addEventListener' on 'EventTarget'";
    requireArguments(arguments.length, 2, prefix);
    type = converters.DOMString(type, prefix, "parameter 1");
    callback = convertCallback(callback, prefix);
    const isDictionary = typeOf(options) === "object" || options === null || options === undefined;
    const given = isDictionary ? addEventListenerOptions(options, prefix, "parameter 3") : undefined;
    const capture = isDictionary ? given.capture : !!options;
    addListener(target, type, callback, capture, given);
  }

  removeEventListener(type, callback, options = undefined) {
    const target = receiver(this);
    const prefix = "Failed to execute 'removeEventListener' on 'EventTarget'";
    requireArguments(arguments.length, 2, prefix);
    type = converters.DOMString(type, prefix, "parameter 1");
    callback = convertCallback(callback, prefix);
    const isDictionary = typeOf(options) === "object";
    const capture = isDictionary ? eventListenerOptions(options, prefix, "parameter 3").capture : !!options;
    const listener = findListener(target, type, callback, capture);
    if (listener !== undefined) removeListener(target, listener);
  }

  dispatchEvent(event) {
    const target = receiver(this);
    const prefix = "Failed to execute 'dispatchEvent' on 'EventTarget'";
    requireArguments(arguments.length, 1, prefix);
    converters.Event(event, prefix, "parameter 1");
    if (flagsOf(event) & DISPATCH) {
      throw new DOMException(`${prefix}: The event is already being dispatched.`, "InvalidStateError");
    }
    setFlags(event, 0, TRUSTED);
    return dispatch(target, event);
  }

  static {
    isEventTarget = (value) => #listeners in value;
    listenersOf = (target, type) => target.#listeners === null ? undefined : target.#listeners[type];
    observeListeners = (target, observer) => { target.#observer = observer; };
    appendListener = (target, listener) => {
      const lists = target.#listeners ??= { __proto__: null };
      const list = lists[listener.type] ??= [];
      ArrayPrototypePush(list, listener);
      if (list.length === 1 && target.#observer !== null) target.#observer(listener.type, true);
    };
    dropListener = (target, index, list) => {
      const { type } = list[index];
      for (let i = index + 1; i < list.length; i++) list[i - 1] = list[i];
      list.length -= 1;
      if (list.length === 0 && target.#observer !== null) target.#observer(type, false);
    };
  }
}
defineInterface(EventTarget);

// The global object is no instance that a class made: this target stands for it.
const globalEventTarget = new EventTarget();

function receiver(value) {
  if (value === undefined || value === null || value === globalThis) return globalEventTarget;
  if (typeof value !== "object" || !isEventTarget(value)) throw illegalInvocation();
  return value;
}

function convertCallback(callback, prefix) {
  if (callback === null || callback === undefined) return null;
  if (typeOf(callback) !== "object") throw new TypeError(`${prefix}: parameter 2 is not of type 'Object'.`);
  return callback;
}

function makeListener(type, callback, capture, options, isHandler) {
  return {
    __proto__: null, type, callback, capture, once: options !== undefined && options.once,
    passive: options !== undefined && options.passive, isHandler, isRemoved: false, stopListening: null,
  };
}

// Section 2.7, "add an event listener".
function addListener(target, type, callback, capture, options) {
  const signal = options === undefined ? undefined : options.signal;
  if (signal !== undefined && use("DOM/abort").isAborted(signal)) return;
  if (callback === null || findListener(target, type, callback, capture) !== undefined) return;
  const listener = makeListener(type, callback, capture, options, false);
  appendListener(target, listener);
  if (signal === undefined) return;
  const removal = () => removeListener(target, listener);
  use("DOM/abort").addAbortAlgorithm(signal, removal);
  listener.stopListening = () => use("DOM/abort").removeAbortAlgorithm(signal, removal);
}

function findListener(target, type, callback, capture) {
  const list = listenersOf(target, type);
  if (list === undefined) return undefined;
  for (let i = 0; i < list.length; i++) {
    const listener = list[i];
    if (listener.callback === callback && listener.capture === capture && !listener.isHandler) return listener;
  }
  return undefined;
}

function removeListener(target, listener) {
  if (listener.isRemoved) return;
  listener.isRemoved = true;
  if (listener.stopListening !== null) listener.stopListening();
  const list = listenersOf(target, listener.type);
  for (let i = 0; i < list.length; i++) {
    if (list[i] !== listener) continue;
    dropListener(target, i, list);
    return;
  }
}

/** Whether an event of this type would be heard. */
function hasListeners(target, type) {
  const list = listenersOf(target, type);
  return list !== undefined && list.length > 0;
}

// Section 2.9, "dispatch", with a path of one target. The result is false if the event was canceled.
function dispatch(target, event) {
  const exposed = target === globalEventTarget ? globalThis : target;
  setFlags(event, DISPATCH, 0);
  setTargets(event, exposed, exposed);
  const type = eventType(event);
  invoke(target, event, type, true);
  invoke(target, event, type, false);
  setTargets(event, exposed, null);
  setFlags(event, 0, DISPATCH | STOP_PROPAGATION | STOP_IMMEDIATE);
  return (flagsOf(event) & CANCELED) === 0;
}

// Array.prototype.slice would ask the tenant's species.
function copyOf(list) {
  const copy = [];
  for (let i = 0; i < list.length; i++) ArrayPrototypePush(copy, list[i]);
  return copy;
}

// Section 2.9, "inner invoke", once for the listeners with capture and once for the others.
function invoke(target, event, type, capture) {
  if (!hasListeners(target, type) || flagsOf(event) & STOP_PROPAGATION) return;
  const list = copyOf(listenersOf(target, type));
  for (let i = 0; i < list.length; i++) {
    const listener = list[i];
    if (listener.isRemoved || listener.capture !== capture) continue;
    if (listener.once) removeListener(target, listener);
    if (listener.passive) setFlags(event, IN_PASSIVE_LISTENER, 0);
    try {
      if (listener.isHandler) callHandler(target, event, listener.callback);
      else callListener(target, event, listener.callback);
    } catch (error) {
      use("HTML/report").reportException(error);
    }
    if (listener.passive) setFlags(event, 0, IN_PASSIVE_LISTENER);
    if (flagsOf(event) & STOP_IMMEDIATE) return;
  }
}

function callListener(target, event, callback) {
  if (typeof callback === "function") {
    FunctionPrototypeCall(callback, currentTargetOf(event), event);
    return;
  }
  const { handleEvent } = callback;
  if (typeof handleEvent !== "function") throw new TypeError("The listener has no method 'handleEvent'.");
  FunctionPrototypeCall(handleEvent, callback, event);
}

// HTML Standard, section 8.1.8.1, "the event handler processing algorithm".
function callHandler(target, event, callback) {
  if (typeof callback !== "function") return;
  const isError = target === globalEventTarget && eventType(event) === "error";
  const details = isError ? use("HTML/events").errorDetails(event) : undefined;
  if (details === undefined) {
    if (FunctionPrototypeCall(callback, currentTargetOf(event), event) === false) cancel(event);
    return;
  }
  const { message, filename, lineno, colno, error } = details;
  const result = FunctionPrototypeCall(callback, globalThis, message, filename, lineno, colno, error);
  if (result === true) cancel(event);
}

function findHandler(target, type) {
  const list = listenersOf(target, type);
  if (list === undefined) return undefined;
  for (let i = 0; i < list.length; i++) {
    if (list[i].isHandler) return list[i];
  }
  return undefined;
}

function getEventHandler(target, type) {
  const listener = findHandler(target, type);
  return listener === undefined ? null : listener.callback;
}

/** A handler keeps its place among the listeners when another one replaces it. */
function setEventHandler(target, type, value) {
  const listener = findHandler(target, type);
  if (typeOf(value) !== "object") {
    if (listener !== undefined) removeListener(target, listener);
  } else if (listener !== undefined) {
    listener.callback = value;
  } else {
    appendListener(target, makeListener(type, value, false, undefined, true));
  }
}

/** Event handler IDL attributes: for each type an accessor on<type>. `resolve` brand-checks and gives the target. */
function defineEventHandlers(object, types, resolve) {
  for (let i = 0; i < types.length; i++) {
    const type = types[i], key = `on${type}`;
    const accessor = {
      get [key]() { return getEventHandler(resolve(this), type); },
      set [key](value) { setEventHandler(resolve(this), type, value); },
    };
    const { get, set } = ObjectGetOwnPropertyDescriptor(accessor, key);
    ObjectDefineProperty(object, key, { __proto__: null, get, set, enumerable: true, configurable: true });
  }
}

/** Dispatches an event that the runtime made. The result is false if a listener canceled it. */
function dispatchTrusted(target, event) {
  return dispatch(target, trust(event));
}

/** "Fire an event" of the plain interface Event. */
function fireEvent(target, type) {
  return hasListeners(target, type) ? dispatch(target, createEvent(type)) : true;
}

exposeGlobals({ __proto__: null, EventTarget });

provide({
  EventTarget, defineEventHandlers, dispatchTrusted, fireEvent, getEventHandler, globalEventTarget, hasListeners,
  isEventTarget, observeListeners, receiver, setEventHandler,
});
