// How the inspector writes names, keys, strings and lists of entries.
const {
  ArrayPrototypeJoin, NumberPrototypeToString, ObjectGetOwnPropertyDescriptor, ObjectGetPrototypeOf,
  ObjectSetPrototypeOf, RegExpPrototypeExec, StringPrototypeCharCodeAt, StringPrototypeIncludes,
  StringPrototypePadStart, StringPrototypeSlice, SymbolPrototypeToString, SymbolToStringTag,
} = primordials;
const { indentLines } = use("Console/console");

const STRING_LIMIT = 10000;      // units of a string within an object
const LINE_WIDTH = 72;

const IDENTIFIER = /^[A-Za-z_$][\w$]*$/;
const NEEDS_ESCAPE = /[\x00-\x1f\\\x7f-\x9f\ud800-\udfff]/;

// An own property's descriptor, without what the tenant may have put on Object.prototype; undefined if there is none.
function descriptorOf(object, key) {
  const descriptor = ObjectGetOwnPropertyDescriptor(object, key);
  return descriptor === undefined ? undefined : ObjectSetPrototypeOf(descriptor, null);
}

// The value of a data property of the object or of a prototype; undefined where a proxy or an accessor is in the way.
function dataValue(object, key) {
  while (object !== null && engine.typeOf(object) !== "Proxy") {
    const descriptor = descriptorOf(object, key);
    if (descriptor !== undefined) return descriptor.value;
    object = ObjectGetPrototypeOf(object);
  }
  return undefined;
}

function ownName(fn) {
  const descriptor = descriptorOf(fn, "name");
  return descriptor !== undefined && typeof descriptor.value === "string" ? descriptor.value : "";
}

// The name of the class that made an object; null if it has no prototype.
function constructorName(object) {
  let prototype = ObjectGetPrototypeOf(object);
  if (prototype === null) return null;
  for (; prototype !== null && engine.typeOf(prototype) !== "Proxy"; prototype = ObjectGetPrototypeOf(prototype)) {
    const descriptor = descriptorOf(prototype, "constructor");
    if (descriptor === undefined || typeof descriptor.value !== "function") continue;
    if (engine.typeOf(descriptor.value) === "Proxy") return "Object";
    const name = ownName(descriptor.value);
    if (name !== "") return name;
  }
  return "Object";
}

// The head of an object's text: "Map(2) ", "Foo [tag] ", or nothing for a plain object or array.
function headOf(object, plainName, size) {
  const name = constructorName(object);
  const count = size === undefined ? "" : `(${size})`;
  const tag = dataValue(object, SymbolToStringTag);
  const tagText = typeof tag === "string" && tag !== "" && tag !== (name ?? plainName) ? `[${tag}] ` : "";
  if (name === null) return `[${plainName}${count}: null prototype] ${tagText}`;
  if (name === plainName && tagText === "" && (plainName === "Object" || plainName === "Array")) return "";
  return `${name}${count} ${tagText}`;
}

const escapes = {
  __proto__: null, "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", "\v": "\\v", "\\": "\\\\",
};

function escapeUnit(text, i, quote) {
  const unit = text[i], code = StringPrototypeCharCodeAt(text, i);
  if (unit === quote) return `\\${unit}`;
  if (escapes[unit] !== undefined) return escapes[unit];
  const hex = NumberPrototypeToString(code, 16);
  if (code < 32 || (code > 126 && code < 160)) return `\\x${StringPrototypePadStart(hex, 2, "0")}`;
  if (code < 0xd800 || code > 0xdfff) return unit;
  const before = i > 0 ? StringPrototypeCharCodeAt(text, i - 1) : 0;
  const after = i + 1 < text.length ? StringPrototypeCharCodeAt(text, i + 1) : 0;
  const isPaired = code < 0xdc00 ? after >= 0xdc00 && after < 0xe000 : before >= 0xd800 && before < 0xdc00;
  return isPaired ? unit : `\\u${hex}`;
}

function quote(text) {
  const rest = text.length - STRING_LIMIT;
  if (rest > 0) text = StringPrototypeSlice(text, 0, STRING_LIMIT);
  const has = (mark) => StringPrototypeIncludes(text, mark);
  const mark = !has("'") ? "'" : !has('"') ? '"' : !has("`") && !has("${") ? "`" : "'";
  let escaped = text;
  if (has(mark) || RegExpPrototypeExec(NEEDS_ESCAPE, text) !== null) {
    escaped = "";
    for (let i = 0; i < text.length; i++) escaped += escapeUnit(text, i, mark);
  }
  const more = rest > 0 ? `... ${rest} more character${rest > 1 ? "s" : ""}` : "";
  return `${mark}${escaped}${mark}${more}`;
}

function formatPrimitive(value) {
  switch (typeof value) {
    case "string": return quote(value);
    case "number": return value === 0 && 1 / value < 0 ? "-0" : `${value}`;
    case "bigint": return `${value}n`;
    case "symbol": return SymbolPrototypeToString(value);
    default: return `${value}`;
  }
}

const isPrimitive = (value) => value === null || (typeof value !== "object" && typeof value !== "function");

// One line if all fits, else one entry a line; the short items of a list share lines.
function layOut(head, open, close, entries, isList = false) {
  if (entries.length === 0) return `${head}${open}${close}`;
  let width = head.length, isFlat = true, longest = 0;
  for (let i = 0; i < entries.length; i++) {
    width += entries[i].length + 2;
    if (entries[i].length > longest && i < entries.length - 1) longest = entries[i].length;
    if (isFlat && StringPrototypeIncludes(entries[i], "\n")) isFlat = false;
  }
  if (isFlat && width <= LINE_WIDTH) return `${head}${open} ${ArrayPrototypeJoin(entries, ", ")} ${close}`;
  const text = isList && isFlat && longest <= 16 ? shareLines(entries)
    : indentLines(ArrayPrototypeJoin(entries, ",\n"), "  ");
  return `${head}${open}\n  ${text}\n${close}`;
}

function shareLines(entries) {
  let text = "", width = 0;
  for (let i = 0; i < entries.length; i++) {
    const isLast = i === entries.length - 1;
    if (width > 0 && width + entries[i].length > LINE_WIDTH) {
      text += "\n  ";
      width = 0;
    } else if (width > 0) {
      text += " ";
    }
    text += entries[i] + (isLast ? "" : ",");
    width += entries[i].length + 2;
  }
  return text;
}

const more = (count) => `... ${count} more item${count === 1 ? "" : "s"}`;

function formatKey(key) {
  if (typeof key === "symbol") return `[${SymbolPrototypeToString(key)}]`;
  return RegExpPrototypeExec(IDENTIFIER, key) === null ? quote(key) : key;
}

provide({
  constructorName, dataValue, descriptorOf, formatKey, formatPrimitive, headOf, isPrimitive, layOut, more, ownName,
  quote,
});
