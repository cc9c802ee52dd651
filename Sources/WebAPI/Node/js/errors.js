// Node.js's errors: the class that ECMAScript has, a code, and a text that names the argument.
const { Error, ObjectDefineProperty, RangeError, String, StringPrototypeSlice, TypeError } = primordials;

function coded(error, code) {
  error.code = code;
  ObjectDefineProperty(error, "toString", {
    __proto__: null, writable: true, enumerable: false, configurable: true,
    value() { return `${this.name} [${code}]: ${this.message}`; },
  });
  return error;
}

/** "type string ('abc')", "an instance of Foo", "undefined". */
function received(value) {
  if (value === null || value === undefined) return `${value}`;
  if (typeof value === "function") return `function ${nameOf(value)}`;
  if (typeof value === "object") {
    let name = "";
    try { name = nameOf(value.constructor); } catch { /* A hostile getter: it goes without a name. */ }
    return name === "" ? "an object" : `an instance of ${name}`;
  }
  if (typeof value === "string") {
    const text = value.length > 28 ? `${StringPrototypeSlice(value, 0, 25)}...` : value;
    return `type string ('${text}')`;
  }
  return `type ${typeof value} (${String(value)}${typeof value === "bigint" ? "n" : ""})`;
}

function nameOf(value) {
  return typeof value === "function" && typeof value.name === "string" ? value.name : "";
}

/** `expected` such as "of type string" or "an instance of Buffer or Uint8Array". */
function invalidType(name, expected, value) {
  const what = name === "first argument" ? "first argument" : `"${name}" argument`;
  return coded(new TypeError(`The ${what} must be ${expected}. Received ${received(value)}`), "ERR_INVALID_ARG_TYPE");
}

function invalidValue(name, value, reason = "is invalid") {
  const shown = typeof value === "string" ? `'${value}'` : `${String(value)}`;
  return coded(new TypeError(`The argument '${name}' ${reason}. Received ${shown}`), "ERR_INVALID_ARG_VALUE");
}

// 4_294_967_296, as Node.js shows large numbers.
function grouped(value) {
  const text = String(value);
  let result = "", i = text.length;
  const start = text[0] === "-" ? 1 : 0;
  for (; i >= start + 4; i -= 3) result = `_${StringPrototypeSlice(text, i - 3, i)}${result}`;
  return `${StringPrototypeSlice(text, 0, i)}${result}`;
}

function outOfRange(name, range, value) {
  const isLarge = typeof value === "bigint" ? value > 4294967296n || value < -4294967296n
    : typeof value === "number" && value % 1 === 0 && (value > 4294967296 || value < -4294967296);
  const shown = (isLarge ? grouped(value) : String(value)) + (typeof value === "bigint" ? "n" : "");
  const text = `The value of "${name}" is out of range. It must be ${range}. Received ${shown}`;
  return coded(new RangeError(text), "ERR_OUT_OF_RANGE");
}

function outOfBounds(name) {
  const text = name === undefined ? "Attempt to access memory outside buffer bounds"
    : `"${name}" is outside of buffer bounds`;
  return coded(new RangeError(text), "ERR_BUFFER_OUT_OF_BOUNDS");
}

const unknownEncoding = (encoding) =>
  coded(new TypeError(`Unknown encoding: ${String(encoding)}`), "ERR_UNKNOWN_ENCODING");

const invalidSize = (bits) =>
  coded(new RangeError(`Buffer size must be a multiple of ${bits}-bits`), "ERR_INVALID_BUFFER_SIZE");

const notImplemented = (what) => coded(new Error(`${what} is not implemented`), "ERR_METHOD_NOT_IMPLEMENTED");

const invalidText = () => coded(new TypeError("argument must be a string"), "ERR_INVALID_ARG_TYPE");

function requireString(value, name) {
  if (typeof value !== "string") throw invalidType(name, "of type string", value);
}

function requireNumber(value, name) {
  if (typeof value !== "number") throw invalidType(name, "of type number", value);
}

function requireFunction(value, name) {
  if (typeof value !== "function") throw invalidType(name, "of type function", value);
}

provide({
  invalidSize, invalidText, invalidType, invalidValue, notImplemented, outOfBounds, outOfRange, requireFunction,
  requireNumber, requireString, unknownEncoding,
});
