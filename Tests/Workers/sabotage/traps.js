export const define = Object.defineProperty, OwnResponse = Response, OwnUint8Array = Uint8Array;
const { getOwnPropertyDescriptor, prototype: objects } = Object;
const { apply, construct, ownKeys } = Reflect;
const { species } = Symbol, OwnError = Error, text = String, own = new Set();
const includes = Function.prototype.call.bind(String.prototype.includes);
const split = Function.prototype.call.bind(String.prototype.split);
let isArmed = false, leaks = "";
// Told is what the runtime does, be it by way of a built-in function, and not what the worker does itself.
export const leak = (name) => {
  if (!isArmed) return;
  isArmed = false;
  const { stack } = new OwnError(text(name)), lines = split(stack, "\n");
  let caller = 1;
  while (caller < lines.length && (includes(lines[caller], "traps.js") || includes(lines[caller], "<anonymous>"))) {
    caller++;
  }
  if (caller < lines.length && includes(lines[caller], "martlet:runtime")) leaks += stack + "\n";
  isArmed = true;
};
export const arm = () => { isArmed = true; };
export const leaksOf = () => leaks;
const languages = ["Object", "Function", "Array", "Number", "Boolean", "String", "Symbol", "Date", "Promise", "RegExp",
  "Error", "AggregateError", "EvalError", "RangeError", "ReferenceError", "SyntaxError", "TypeError", "URIError",
  "ArrayBuffer", "DataView", "Map", "BigInt", "Set", "WeakMap", "WeakSet", "WeakRef", "Proxy", "Iterator",
  "FinalizationRegistry"];
export const isOfTheWeb = (name) => !languages.includes(name) && !name.endsWith("Array");

// Calls and reads of any of the object's members go on to the original, and are told.
export function trapAll(object) {
  for (const key of ownKeys(object)) {
    const descriptor = getOwnPropertyDescriptor(object, key);
    if (key === "constructor" || key === "prototype" || key === species || !descriptor.configurable) continue;
    const { get, set, value } = descriptor;
    if (get !== undefined) {
      define(object, key, { configurable: true, set, get() {
        leak(key);
        return apply(get, this, []);
      } });
    } else if (typeof value === "function") {
      define(object, key, { configurable: true, writable: true, value: function (...rest) {
        leak(key);
        return new.target === undefined ? apply(value, this, rest) : construct(value, rest);
      } });
    }
  }
}
// Reads of a field that nobody has, by way of the prototype.
export function trapField(key, object = objects) {
  define(object, key, { __proto__: null, configurable: true, get() { leak(`get ${text(key)}`); },
    set() { leak(`set ${text(key)}`); } });
}
export function trapConstructor(type) {
  define(type.prototype, "constructor", { configurable: true, get() {
    leak("constructor");
    return type;
  } });
}
export function trapSpecies(type) {
  define(type, species, { configurable: true, get() {
    leak("species");
    return this;
  } });
}