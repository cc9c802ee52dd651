// High Resolution Time, section 7: Performance; the timeline's methods of it are in HRTime/timeline. The clock is
// the frozen one, Date.now(), and its origin 0, as Workers have it.
const { DateNow, TypeError } = primordials;
const { defineInterface, exposeGlobals, exposeLazyGlobals, illegalInvocation, requireArguments } = use("WebIDL/webidl");
const { EventTarget } = use("DOM/target");

const token = { __proto__: null };
const prefixOf = (name) => `Failed to execute '${name}' on 'Performance'`;

class Performance extends EventTarget {
  constructor(key = undefined) {
    if (key !== token) throw new TypeError("Illegal constructor");
    super();
  }
  #isPerformance = true;

  static #timeline(object, name, length, required) {
    if (!(#isPerformance in object)) throw illegalInvocation();
    requireArguments(length, required, prefixOf(name));
    return use("HRTime/timeline");
  }

  now() {
    if (!(#isPerformance in this)) throw illegalInvocation();
    return DateNow();
  }
  get timeOrigin() {
    if (!(#isPerformance in this)) throw illegalInvocation();
    return 0;
  }
  toJSON() {
    if (!(#isPerformance in this)) throw illegalInvocation();
    return { timeOrigin: 0 };
  }

  mark(markName, markOptions = undefined) {
    return Performance.#timeline(this, "mark", arguments.length, 1).mark(markName, markOptions);
  }
  measure(measureName, startOrMeasureOptions = undefined, endMark = undefined) {
    const { measure } = Performance.#timeline(this, "measure", arguments.length, 1);
    return measure(measureName, startOrMeasureOptions, endMark);
  }
  clearMarks(markName = undefined) {
    Performance.#timeline(this, "clearMarks", 0, 0).clear("mark", markName);
  }
  clearMeasures(measureName = undefined) {
    Performance.#timeline(this, "clearMeasures", 0, 0).clear("measure", measureName);
  }
  getEntries() {
    return Performance.#timeline(this, "getEntries", 0, 0).getEntries();
  }
  getEntriesByType(type) {
    return Performance.#timeline(this, "getEntriesByType", arguments.length, 1).getEntriesByType(type);
  }
  getEntriesByName(name, type = undefined) {
    return Performance.#timeline(this, "getEntriesByName", arguments.length, 1).getEntriesByName(name, type);
  }
}
defineInterface(Performance);

exposeLazyGlobals("HRTime/timeline", [
  "PerformanceEntry", "PerformanceMark", "PerformanceMeasure", "PerformanceObserver", "PerformanceObserverEntryList",
]);
exposeGlobals({ __proto__: null, Performance, performance: new Performance(token) });

provide({ Performance });
