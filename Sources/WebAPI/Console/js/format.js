// Console Standard, section 2.2: the formatter.
const { Number, NumberParseFloat, NumberParseInt, StringPrototypeIndexOf, StringPrototypeSlice } = primordials;
const { inspect, inspectShallow } = use("Console/inspect");

// Text stands as it is; all else is inspected.
const toText = (value) => typeof value === "string" ? value : inspect(value);

// %d, %i and %f: objects and symbols are NaN, so that no valueOf() of the tenant's runs.
function toNumber(value, convert) {
  const type = typeof value;
  if (type === "bigint") return `${value}n`;
  if (value !== null && (type === "object" || type === "function" || type === "symbol")) return "NaN";
  const number = convert(value);
  return number === 0 && 1 / number < 0 ? "-0" : `${number}`;
}

function toPlainText(value) {
  if (typeof value === "string") return value;
  const isObject = (typeof value === "object" && value !== null) || typeof value === "function";
  return isObject ? inspectShallow(value) : inspect(value);
}

const specifiers = {
  __proto__: null,
  s: toPlainText,
  d: (value) => toNumber(value, Number),
  i: (value) => toNumber(value, NumberParseInt),
  f: (value) => toNumber(value, NumberParseFloat),
  o: inspect,
  O: inspect,
  c: () => "",
};

// What the specifiers of the first argument make of it and of those that they consume.
function applySpecifiers(data) {
  const template = data[0];
  let text = "", from = 0, next = 1, at = StringPrototypeIndexOf(template, "%");
  for (; at >= 0; at = StringPrototypeIndexOf(template, "%", at + 2)) {
    const letter = template[at + 1];
    const specifier = letter === undefined || next >= data.length ? undefined : specifiers[letter];
    if (letter !== "%" && specifier === undefined) continue;
    text += StringPrototypeSlice(template, from, at) + (letter === "%" ? "%" : specifier(data[next++]));
    from = at + 2;
  }
  return { __proto__: null, text: text + StringPrototypeSlice(template, from), next };
}

/** The text of a message's arguments, of which there is at least one. */
function format(data) {
  let { text, next } = typeof data[0] === "string" ? applySpecifiers(data) : { text: toText(data[0]), next: 1 };
  for (; next < data.length; next++) text += ` ${toText(data[next])}`;
  return text;
}

/** console.assert(), steps 3 to 5. */
function assertion(data) {
  if (data.length === 0) return "Assertion failed";
  const isText = typeof data[0] === "string";
  if (isText) data[0] = `Assertion failed: ${data[0]}`;
  return isText ? format(data) : `Assertion failed ${format(data)}`;
}

/** console.trace(): the message, and the stack from where it was called. */
function trace(data, stack) {
  const message = data.length > 0 ? `Trace: ${format(data)}` : "Trace";
  if (typeof stack !== "string") return message;
  // The first line is the error's own, the second this console's frame.
  const second = StringPrototypeIndexOf(stack, "\n", StringPrototypeIndexOf(stack, "\n") + 1);
  return second < 0 ? message : message + StringPrototypeSlice(stack, second);
}

provide({ assertion, format, trace });
