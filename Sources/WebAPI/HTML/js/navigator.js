// HTML Standard, section 8.10: Navigator; and scheduler.wait() as Workers have it.
const { ObjectFreeze, Promise, TypeError } = primordials;
const { converters, defineInterface, dictionary, nullable, requireArguments } = use("WebIDL/webidl");
const { abortReason, addAbortAlgorithm, isAborted, removeAbortAlgorithm } = use("DOM/abort");
const { cancel, runAfter } = use("HTML/timers");

const token = { __proto__: null };
const languages = ObjectFreeze(["en"]);

class Navigator {
  #isNavigator = true;
  constructor(key = undefined) {
    if (key !== token) throw new TypeError("Illegal constructor");
  }
  get userAgent() { return this.#isNavigator && "Cloudflare-Workers"; }
  get hardwareConcurrency() { return this.#isNavigator && 1; }
  get language() { return this.#isNavigator && "en"; }
  get languages() { return this.#isNavigator && languages; }
}
defineInterface(Navigator);

const waitOptions = dictionary("SchedulerWaitOptions", [
  { __proto__: null, key: "signal", converter: nullable(converters.AbortSignal) },
]);

class Scheduler {
  constructor(key = undefined) {
    if (key !== token) throw new TypeError("Illegal constructor");
  }

  /** A promise that is fulfilled after some milliseconds, or rejected when `options.signal` is aborted. */
  async wait(delay, options = undefined) {
    const prefix = "Failed to execute 'wait' on 'Scheduler'";
    requireArguments(arguments.length, 1, prefix);
    const milliseconds = converters.long(delay, prefix, "parameter 1");
    const { signal } = waitOptions(options, prefix, "parameter 2");
    if (signal !== undefined && signal !== null && isAborted(signal)) throw abortReason(signal);
    await waitFor(milliseconds > 0 ? milliseconds : 0, signal ?? null);
  }
}
defineInterface(Scheduler);

function waitFor(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const stop = () => {
      cancel(id);
      reject(abortReason(signal));
    };
    const id = runAfter(milliseconds, () => {
      if (signal !== null) removeAbortAlgorithm(signal, stop);
      resolve();
    });
    if (signal !== null) addAbortAlgorithm(signal, stop);
  });
}

provide({ Navigator, navigator: new Navigator(token), scheduler: new Scheduler(token) });
