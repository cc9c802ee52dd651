// Performance Timeline and User Timing (Level 3): the marks and measures of one isolate, and their observers.
const {
  ArrayPrototypePush, ArrayPrototypeSlice, ArrayPrototypeSort, DateNow, FunctionPrototypeCall,
  ObjectFreeze, TypeError,
} = primordials;
const { converters, defineInterface, dictionary, requireArguments, sequence, typeOf } = use("WebIDL/webidl");
const { DOMException } = use("DOM/exception");
const { runAsMicrotask } = use("HTML/global");

const token = { __proto__: null };
const MARK = "mark", MEASURE = "measure";
const supportedEntryTypes = ObjectFreeze([MARK, MEASURE]);

let isMatch, startTimeOf;

class PerformanceEntry {
  #name; #entryType; #startTime; #duration;

  constructor(key = undefined, name, entryType, startTime, duration) {
    if (key !== token) throw new TypeError("Illegal constructor");
    this.#name = name;
    this.#entryType = entryType;
    this.#startTime = startTime;
    this.#duration = duration;
  }
  get name() { return this.#name; }
  get entryType() { return this.#entryType; }
  get startTime() { return this.#startTime; }
  get duration() { return this.#duration; }
  toJSON() {
    return { name: this.#name, entryType: this.#entryType, startTime: this.#startTime, duration: this.#duration };
  }

  static {
    isMatch = (entry, name, type) =>
      (name === undefined || entry.#name === name) && (type === undefined || entry.#entryType === type);
    startTimeOf = (entry) => entry.#startTime;
  }
}
defineInterface(PerformanceEntry);

const cloneDetail = (detail) =>
  detail === undefined || detail === null ? null : use("HTML/structuredClone").cloneWithTransfer(detail, []).value;

const markOptionsConverter = dictionary("PerformanceMarkOptions", [
  { __proto__: null, key: "detail", converter: converters.any },
  { __proto__: null, key: "startTime", converter: converters.double },
]);

class PerformanceMark extends PerformanceEntry {
  #detail;

  constructor(markName, markOptions = undefined) {
    const prefix = "Failed to construct 'PerformanceMark'";
    requireArguments(arguments.length, 1, prefix);
    const name = converters.DOMString(markName, prefix, "parameter 1");
    const { detail, startTime = DateNow() } = markOptionsConverter(markOptions, prefix, "parameter 2");
    if (startTime < 0) throw new TypeError(`${prefix}: 'startTime' cannot be negative.`);
    super(token, name, MARK, startTime, 0);
    this.#detail = cloneDetail(detail);
  }
  get detail() { return this.#detail; }
}
defineInterface(PerformanceMark);

class PerformanceMeasure extends PerformanceEntry {
  #detail;

  constructor(key = undefined, name, startTime, duration, detail) {
    super(key, name, MEASURE, startTime, duration);
    this.#detail = detail;
  }
  get detail() { return this.#detail; }
}
defineInterface(PerformanceMeasure);

// The performance entry buffer.
let entryBuffer = [];

// "Filter the buffer by name and type", in chronological order.
function filter(buffer, name, type) {
  const result = [];
  for (let i = 0; i < buffer.length; i++) {
    if (isMatch(buffer[i], name, type)) ArrayPrototypePush(result, buffer[i]);
  }
  return ArrayPrototypeSort(result, (a, b) => startTimeOf(a) - startTimeOf(b));
}

function filterByType(buffer, type, prefix) {
  return filter(buffer, undefined, converters.DOMString(type, prefix, "parameter 1"));
}

function filterByName(buffer, name, type, prefix) {
  const convertedName = converters.DOMString(name, prefix, "parameter 1");
  const convertedType = type === undefined ? undefined : converters.DOMString(type, prefix, "parameter 2");
  return filter(buffer, convertedName, convertedType);
}

const getEntries = () => filter(entryBuffer, undefined, undefined);
const getEntriesByType = (type) =>
  filterByType(entryBuffer, type, "Failed to execute 'getEntriesByType' on 'Performance'");
const getEntriesByName = (name, type) =>
  filterByName(entryBuffer, name, type, "Failed to execute 'getEntriesByName' on 'Performance'");

/** clearMarks() and clearMeasures(). */
function clear(type, name) {
  const prefix = `Failed to execute '${type === MARK ? "clearMarks" : "clearMeasures"}' on 'Performance'`;
  const cleared = name === undefined ? undefined : converters.DOMString(name, prefix, "parameter 1");
  const kept = [];
  for (let i = 0; i < entryBuffer.length; i++) {
    if (!isMatch(entryBuffer[i], cleared, type)) ArrayPrototypePush(kept, entryBuffer[i]);
  }
  entryBuffer = kept;
}

function mark(markName, markOptions) {
  const entry = new PerformanceMark(markName, markOptions);
  queueEntry(entry);
  return entry;
}

const MEASURE_PREFIX = "Failed to execute 'measure' on 'Performance'";
const convertMark = (V, prefix, context) =>
  typeof V === "number" ? converters.double(V, prefix, context) : converters.DOMString(V, prefix, context);
const measureOptionsConverter = dictionary("PerformanceMeasureOptions", [
  { __proto__: null, key: "detail", converter: converters.any },
  { __proto__: null, key: "duration", converter: converters.double },
  { __proto__: null, key: "end", converter: convertMark },
  { __proto__: null, key: "start", converter: convertMark },
]);

// "Convert a mark to a timestamp".
function timestampOf(nameOrTime) {
  if (typeof nameOrTime === "number") {
    if (nameOrTime < 0) throw new TypeError(`${MEASURE_PREFIX}: a time cannot be negative.`);
    return nameOrTime;
  }
  for (let i = entryBuffer.length - 1; i >= 0; i--) {
    if (isMatch(entryBuffer[i], nameOrTime, MARK)) return startTimeOf(entryBuffer[i]);
  }
  throw new DOMException(`${MEASURE_PREFIX}: The mark '${nameOrTime}' does not exist.`, "SyntaxError");
}

function checkMeasureOptions({ detail, duration, end, start }, endMark) {
  const hasStart = start !== undefined, hasEnd = end !== undefined, hasDuration = duration !== undefined;
  if (!hasStart && !hasEnd && !hasDuration && detail === undefined) return;
  if (endMark !== undefined) throw new TypeError(`${MEASURE_PREFIX}: an end mark cannot stand beside options.`);
  if (!hasStart && !hasEnd) throw new TypeError(`${MEASURE_PREFIX}: the options need 'start' or 'end'.`);
  if (hasStart && hasEnd && hasDuration) {
    throw new TypeError(`${MEASURE_PREFIX}: the options cannot have 'start', 'duration' and 'end' together.`);
  }
}

// measure(), steps 2 and 3: where it ends, and then where it starts.
function endTimeOf({ duration, end, start }, endMark) {
  if (endMark !== undefined) return timestampOf(endMark);
  if (end !== undefined) return timestampOf(end);
  if (start !== undefined && duration !== undefined) return timestampOf(start) + timestampOf(duration);
  return DateNow();
}

function measureStartOf({ duration, end, start }) {
  if (start !== undefined) return timestampOf(start);
  return duration !== undefined && end !== undefined ? timestampOf(end) - timestampOf(duration) : 0;
}

function measure(measureName, startOrOptions, endMark) {
  const name = converters.DOMString(measureName, MEASURE_PREFIX, "parameter 1");
  const isDictionary = startOrOptions === undefined || startOrOptions === null || typeOf(startOrOptions) === "object";
  const options = isDictionary ? measureOptionsConverter(startOrOptions, MEASURE_PREFIX, "parameter 2")
    : { __proto__: null, start: converters.DOMString(startOrOptions, MEASURE_PREFIX, "parameter 2") };
  const endName = endMark === undefined ? undefined : converters.DOMString(endMark, MEASURE_PREFIX, "parameter 3");
  if (isDictionary) checkMeasureOptions(options, endName);
  const endTime = endTimeOf(options, endName);
  const startTime = measureStartOf(options);
  const entry = new PerformanceMeasure(token, name, startTime, endTime - startTime, cloneDetail(options.detail));
  queueEntry(entry);
  return entry;
}

class PerformanceObserverEntryList {
  #entries;

  constructor(key = undefined, entries) {
    if (key !== token) throw new TypeError("Illegal constructor");
    this.#entries = entries;
  }
  getEntries() { return filter(this.#entries, undefined, undefined); }
  getEntriesByType(type) {
    const prefix = "Failed to execute 'getEntriesByType' on 'PerformanceObserverEntryList'";
    const entries = this.#entries;
    requireArguments(arguments.length, 1, prefix);
    return filterByType(entries, type, prefix);
  }
  getEntriesByName(name, type = undefined) {
    const prefix = "Failed to execute 'getEntriesByName' on 'PerformanceObserverEntryList'";
    const entries = this.#entries;
    requireArguments(arguments.length, 1, prefix);
    return filterByName(entries, name, type, prefix);
  }
}
defineInterface(PerformanceObserverEntryList);

const observerInit = dictionary("PerformanceObserverInit", [
  { __proto__: null, key: "buffered", converter: converters.boolean },
  { __proto__: null, key: "entryTypes", converter: sequence(converters.DOMString) },
  { __proto__: null, key: "type", converter: converters.DOMString },
]);
const isSupported = (type) => type === MARK || type === MEASURE;
const remove = (list, item) => {
  let end = 0;
  for (let i = 0; i < list.length; i++) if (list[i] !== item) list[end++] = list[i];
  list.length = end;
};

// The registered observers, in the order of their registration, and whether they are about to be notified.
const observers = [];
let isNotificationQueued = false;

let notify, offer;

class PerformanceObserver {
  // How it was first told what to observe ("multiple" or "single"), and which types these are.
  #callback; #mode = undefined; #types = []; #buffer = []; #mustReportDropped = true;

  constructor(callback) {
    const prefix = "Failed to construct 'PerformanceObserver'";
    requireArguments(arguments.length, 1, prefix);
    this.#callback = converters.Function(callback, prefix, "parameter 1");
  }

  static get supportedEntryTypes() { return supportedEntryTypes; }

  observe(options = undefined) {
    const prefix = "Failed to execute 'observe' on 'PerformanceObserver'";
    const mode = this.#mode;
    const { buffered, entryTypes, type } = observerInit(options, prefix, "parameter 1");
    if ((entryTypes === undefined) === (type === undefined)) {
      throw new TypeError(`${prefix}: exactly one of 'entryTypes' and 'type' is required.`);
    }
    this.#mode = type === undefined ? "multiple" : "single";
    if (mode !== undefined && mode !== this.#mode) {
      this.#mode = mode;
      throw new DOMException(`${prefix}: 'entryTypes' and 'type' cannot be mixed.`, "InvalidModificationError");
    }
    if (type === undefined) this.#observeTypes(entryTypes);
    else if (isSupported(type)) this.#observeType(type, buffered);
  }

  #observeTypes(entryTypes) {
    const types = [];
    for (let i = 0; i < entryTypes.length; i++) {
      if (isSupported(entryTypes[i])) ArrayPrototypePush(types, entryTypes[i]);
    }
    if (types.length === 0) return;
    this.#types = types;
    this.#register();
  }

  #observeType(type, buffered) {
    remove(this.#types, type);
    ArrayPrototypePush(this.#types, type);
    this.#register();
    if (!buffered) return;
    const entries = filter(entryBuffer, undefined, type);
    for (let i = 0; i < entries.length; i++) ArrayPrototypePush(this.#buffer, entries[i]);
    queueNotification();
  }

  #register() {
    remove(observers, this);
    ArrayPrototypePush(observers, this);
  }

  disconnect() {
    this.#buffer = [];
    this.#types = [];
    this.#mode = undefined;
    remove(observers, this);
  }

  takeRecords() {
    const records = this.#buffer;
    this.#buffer = [];
    return records;
  }

  static {
    offer = (observer, entry) => {
      for (let i = 0; i < observer.#types.length; i++) {
        if (!isMatch(entry, undefined, observer.#types[i])) continue;
        ArrayPrototypePush(observer.#buffer, entry);
        return;
      }
    };
    notify = (observer) => {
      const entries = observer.#buffer;
      if (entries.length === 0) return;
      observer.#buffer = [];
      const options = observer.#mustReportDropped ? { droppedEntriesCount: 0 } : {};
      observer.#mustReportDropped = false;
      const list = new PerformanceObserverEntryList(token, entries);
      FunctionPrototypeCall(observer.#callback, observer, list, observer, options);
    };
  }
}
defineInterface(PerformanceObserver);

// "Queue a PerformanceEntry".
function queueEntry(entry) {
  for (let i = 0; i < observers.length; i++) offer(observers[i], entry);
  if (observers.length > 0) queueNotification();
  ArrayPrototypePush(entryBuffer, entry);
}

// "Queue the PerformanceObserver task": here a microtask, so that the entries of a request are seen before it ends.
function queueNotification() {
  if (isNotificationQueued) return;
  isNotificationQueued = true;
  runAsMicrotask(() => {
    isNotificationQueued = false;
    const list = ArrayPrototypeSlice(observers);
    for (let i = 0; i < list.length; i++) notifyNow(list[i]);
  });
}

function notifyNow(observer) {
  try {
    notify(observer);
  } catch (error) {
    use("HTML/report").reportException(error);
  }
}

provide({
  PerformanceEntry, PerformanceMark, PerformanceMeasure, PerformanceObserver, PerformanceObserverEntryList,
  clear, getEntries, getEntriesByName, getEntriesByType, mark, measure,
});
