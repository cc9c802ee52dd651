// DOM Standard, section 3: AbortController and AbortSignal. A signal made by AbortSignal.any() is held weakly by its
// sources, and strongly only while somebody waits for it, so that a long-lived source gathers no dead signals.
const { ArrayPrototypePush, SafeSet, TypeError, WeakRef, WeakRefPrototypeDeref } = primordials;
const {
  converters, defineInterface, exposeGlobals, interfaceConverter, requireArguments, sequence,
} = use("WebIDL/webidl");
const { DOMException } = use("DOM/exception");
const { EventTarget, defineEventHandlers, fireEvent, hasListeners, observeListeners } = use("DOM/target");

const token = { __proto__: null };

// A source drops its dead followers when it has this many, and then when they have doubled.
const FIRST_PRUNING = 16;

let abortReason, addAbortAlgorithm, hasAlgorithms, isAborted, linksOf, makeLinks, removeAbortAlgorithm, setReason,
  takeAlgorithms;

class AbortSignal extends EventTarget {
  // The reason is undefined until the signal is aborted. The algorithms are none (null) or a set of functions.
  #reason = undefined; #algorithms = null;
  // Of a signal that follows others, or that others follow; else null:
  //   sources: the signals it follows, or null; dependents: weak references to those that follow it; pruneAt: how many
  //   of these there are before the dead ones are dropped; awaited: those of them that somebody waits for.
  #links = null;

  constructor(key = undefined) {
    if (key !== token) throw new TypeError("Illegal constructor");
    super();
  }

  static abort(reason = undefined) {
    const signal = new AbortSignal(token);
    signal.#reason = reason === undefined ? abortError() : reason;
    return signal;
  }

  static timeout(milliseconds) {
    const prefix = "Failed to execute 'timeout' on 'AbortSignal'";
    requireArguments(arguments.length, 1, prefix);
    const delay = converters["unsigned long long"](milliseconds, prefix, "parameter 1", { enforceRange: true });
    const signal = new AbortSignal(token);
    use("HTML/timers").runAfter(delay, () => {
      signalAbort(signal, new DOMException("The operation was aborted due to timeout", "TimeoutError"));
    });
    return signal;
  }

  static any(signals) {
    const prefix = "Failed to execute 'any' on 'AbortSignal'";
    requireArguments(arguments.length, 1, prefix);
    return createDependentSignal(sequence(converters.AbortSignal)(signals, prefix, "parameter 1"));
  }

  get aborted() { return this.#reason !== undefined; }
  get reason() { return this.#reason; }

  throwIfAborted() {
    if (this.#reason !== undefined) throw this.#reason;
  }

  static {
    converters.AbortSignal = interfaceConverter("AbortSignal", (value) => #reason in value);
    abortReason = (signal) => signal.#reason;
    isAborted = (signal) => signal.#reason !== undefined;
    setReason = (signal, reason) => { signal.#reason = reason; };
    linksOf = (signal) => signal.#links;
    makeLinks = (signal) => signal.#links ??= {
      __proto__: null, sources: null, dependents: [], pruneAt: FIRST_PRUNING, awaited: new SafeSet(),
    };
    addAbortAlgorithm = (signal, algorithm) => {
      if (signal.#reason !== undefined) return;
      (signal.#algorithms ??= new SafeSet()).add(algorithm);
      updateAwaited(signal);
    };
    removeAbortAlgorithm = (signal, algorithm) => {
      const algorithms = signal.#algorithms;
      if (algorithms === null || !algorithms.delete(algorithm) || algorithms.size > 0) return;
      signal.#algorithms = null;
      updateAwaited(signal);
    };
    hasAlgorithms = (signal) => signal.#algorithms !== null;
    takeAlgorithms = (signal) => {
      const algorithms = signal.#algorithms;
      signal.#algorithms = null;
      return algorithms;
    };
  }
}

function follow(dependent, source) {
  const { sources } = linksOf(dependent);
  for (let i = 0; i < sources.length; i++) {
    if (sources[i] === source) return;
  }
  ArrayPrototypePush(sources, source);
  const links = makeLinks(source);
  if (links.dependents.length >= links.pruneAt) prune(links);
  ArrayPrototypePush(links.dependents, new WeakRef(dependent));
}

function prune(links) {
  const alive = [];
  for (let i = 0; i < links.dependents.length; i++) {
    const reference = links.dependents[i];
    if (WeakRefPrototypeDeref(reference) !== undefined) ArrayPrototypePush(alive, reference);
  }
  links.dependents = alive;
  links.pruneAt = FIRST_PRUNING + 2 * alive.length;
}

// A dependent signal lives as long as its sources while it has abort algorithms or listeners.
function updateAwaited(signal) {
  const links = linksOf(signal);
  if (links === null || links.sources === null) return;
  const isAwaited = !isAborted(signal) && (hasAlgorithms(signal) || hasListeners(signal, "abort"));
  for (let i = 0; i < links.sources.length; i++) {
    const { awaited } = linksOf(links.sources[i]);
    if (isAwaited) awaited.add(signal);
    else awaited.delete(signal);
  }
}

function runAbortSteps(signal) {
  const algorithms = takeAlgorithms(signal);
  updateAwaited(signal);
  if (algorithms !== null) algorithms.forEach((algorithm) => algorithm());
  fireEvent(signal, "abort");
}

/** "Signal abort". Without a reason it is an AbortError. */
function signalAbort(signal, reason) {
  if (isAborted(signal)) return;
  setReason(signal, reason === undefined ? abortError() : reason);
  const links = linksOf(signal);
  if (links === null) {
    runAbortSteps(signal);
    return;
  }
  const followers = [];
  for (let i = 0; i < links.dependents.length; i++) {
    const dependent = WeakRefPrototypeDeref(links.dependents[i]);
    if (dependent === undefined || isAborted(dependent)) continue;
    setReason(dependent, abortReason(signal));
    ArrayPrototypePush(followers, dependent);
  }
  links.dependents = [];
  runAbortSteps(signal);
  for (let i = 0; i < followers.length; i++) runAbortSteps(followers[i]);
}

/** "Create a dependent abort signal" from an array of signals. */
function createDependentSignal(signals) {
  const dependent = new AbortSignal(token);
  for (let i = 0; i < signals.length; i++) {
    if (!isAborted(signals[i])) continue;
    setReason(dependent, abortReason(signals[i]));
    return dependent;
  }
  makeLinks(dependent).sources = [];
  for (let i = 0; i < signals.length; i++) {
    const links = linksOf(signals[i]);
    const sources = links === null ? null : links.sources;
    if (sources === null) follow(dependent, signals[i]);
    else for (let j = 0; j < sources.length; j++) follow(dependent, sources[j]);
  }
  observeListeners(dependent, (type) => {
    if (type === "abort") updateAwaited(dependent);
  });
  return dependent;
}

const abortError = () => new DOMException("The operation was aborted", "AbortError");
/** A signal that signalAbort() aborts. */
const createSignal = () => new AbortSignal(token);

const asSignal = (value) => converters.AbortSignal(value, undefined, "The receiver");
defineInterface(AbortSignal);
defineEventHandlers(AbortSignal.prototype, ["abort"], asSignal);

class AbortController {
  #signal = null;
  get signal() { return this.#signal ??= createSignal(); }
  abort(reason = undefined) { signalAbort(this.#signal ??= createSignal(), reason); }
}
defineInterface(AbortController);

exposeGlobals({ __proto__: null, AbortController, AbortSignal });

provide({
  AbortController, AbortSignal, abortReason, addAbortAlgorithm, createDependentSignal, createSignal, isAborted,
  removeAbortAlgorithm, signalAbort,
});
