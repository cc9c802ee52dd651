// Console Standard. A message is one string, which the inspector makes of what is no string itself. Needs the op
//   log(level, text): level is "debug", "log", "info", "warn", "error" or "trace"; text is at most 64 kB and a few
// bytes.
const {
  DateNow, Error, ObjectAssign, ObjectCreate, ObjectDefineProperty, ObjectPrototype, SafeMap, String,
  StringPrototypeIndexOf, StringPrototypeSlice, SymbolToStringTag,
} = primordials;
const { exposeGlobals } = use("WebIDL/webidl");

const MESSAGE_LIMIT = 65536;
// Groups nested deeper are indented no further, so that a message cannot grow without bounds.
const DEEPEST_INDENTATION = "                                        ";

let indentation = "";
const counts = new SafeMap();
const timers = new SafeMap();

/** The text with each line but the first one indented. */
function indentLines(text, by) {
  let result = "", from = 0;
  for (let at = StringPrototypeIndexOf(text, "\n"); at >= 0; at = StringPrototypeIndexOf(text, "\n", from)) {
    result += `${StringPrototypeSlice(text, from, at + 1)}${by}`;
    from = at + 1;
  }
  return from === 0 ? text : result + StringPrototypeSlice(text, from);
}

function write(level, text) {
  if (indentation !== "") {
    text = StringPrototypeSlice(text, 0, MESSAGE_LIMIT);
    text = indentation + indentLines(text, indentation);
  }
  if (text.length > MESSAGE_LIMIT) text = `${StringPrototypeSlice(text, 0, MESSAGE_LIMIT)}...`;
  ops.log(level, text);
}

// "Logger" and "Printer".
function print(level, data) {
  if (data.length === 0) return;
  if (data.length === 1 && typeof data[0] === "string") write(level, data[0]);
  else write(level, use("Console/format").format(data));
}

function openGroup(data) {
  print("log", data);
  indentation = StringPrototypeSlice(DEEPEST_INDENTATION, 0, indentation.length + 2);
}

function timeText(label, startTime) {
  return `${label}: ${DateNow() - startTime}ms`;
}

// A namespace object: its prototype is an empty object of its own, and its methods need no receiver.
const console = ObjectAssign(ObjectCreate(ObjectCreate(ObjectPrototype)), {
  assert(condition = false, ...data) {
    if (condition) return;
    write("error", use("Console/format").assertion(data));
  },
  clear() { indentation = ""; },
  debug(...data) { print("debug", data); },
  error(...data) { print("error", data); },
  info(...data) { print("info", data); },
  log(...data) { print("log", data); },
  table(tabularData = undefined, properties = undefined) {
    const text = use("Console/table").table(tabularData, properties);
    if (text === undefined) print("log", [tabularData]);
    else write("log", text);
  },
  trace(...data) {
    const { stack } = new Error();
    write("trace", use("Console/format").trace(data, stack));
  },
  warn(...data) { print("warn", data); },
  dir(item = undefined) { write("log", use("Console/inspect").inspect(item)); },
  dirxml(...data) { print("log", data); },

  count(label = "default") {
    label = String(label);
    const count = (counts.get(label) ?? 0) + 1;
    counts.set(label, count);
    write("info", `${label}: ${count}`);
  },
  countReset(label = "default") {
    label = String(label);
    if (!counts.delete(label)) write("warn", `Count for '${label}' does not exist`);
  },

  group(...data) { openGroup(data); },
  groupCollapsed(...data) { openGroup(data); },
  groupEnd() { indentation = StringPrototypeSlice(indentation, 2); },

  time(label = "default") {
    label = String(label);
    if (timers.has(label)) write("warn", `Timer '${label}' already exists`);
    else timers.set(label, DateNow());
  },
  timeLog(label = "default", ...data) {
    label = String(label);
    const startTime = timers.get(label);
    if (startTime === undefined) write("warn", `Timer '${label}' does not exist`);
    else write("log", timeText(label, startTime) + (data.length > 0 ? ` ${use("Console/format").format(data)}` : ""));
  },
  timeEnd(label = "default") {
    label = String(label);
    const startTime = timers.get(label);
    if (startTime === undefined) write("warn", `Timer '${label}' does not exist`);
    else write("info", timeText(label, startTime));
    timers.delete(label);
  },
});
ObjectDefineProperty(console, SymbolToStringTag, {
  __proto__: null, value: "console", writable: false, enumerable: false, configurable: true,
});

exposeGlobals({ __proto__: null, console });

provide({ indentLines });
