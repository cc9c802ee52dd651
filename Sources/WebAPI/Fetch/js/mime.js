// MIME Sniffing Standard, section 4: MIME types; and how they are found in headers (Fetch Standard, section 2.2.2).
// A MIME type is { essence, parameters }: parameters is a flat array [name, value ...] in the order of appearance.
const {
  ArrayPrototypePush, RegExpPrototypeExec, StringPrototypeIndexOf, StringPrototypeSlice, StringPrototypeToLowerCase,
} = primordials;

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const quotable = /^[\t\x20-\x7e\x80-\xff]*$/;
const isToken = (text) => RegExpPrototypeExec(token, text) !== null;
const isWhitespace = (char) => char === " " || char === "\t" || char === "\n" || char === "\r";

function trimmed(text, start, end) {
  while (start < end && isWhitespace(text[start])) start++;
  return trimmedEnd(text, start, end);
}

function trimmedEnd(text, start, end) {
  while (end > start && isWhitespace(text[end - 1])) end--;
  return StringPrototypeSlice(text, start, end);
}

function indexOrEnd(text, char, from) {
  const index = StringPrototypeIndexOf(text, char, from);
  return index < 0 ? text.length : index;
}

// Fetch Standard, section 2.2: "collect an HTTP quoted string"; `start` is at the quotation mark. Gives the index
// after it.
function quotedStringEnd(text, start) {
  for (let i = start + 1; i < text.length; i++) {
    if (text[i] === '"') return i + 1;
    if (text[i] === "\\") i++;
  }
  return text.length;
}

// The same with the extract-value flag: what the quoted string says.
function quotedStringValue(text, start, end) {
  let value = "";
  for (let i = start + 1; i < end; i++) {
    if (text[i] === '"') break;
    if (text[i] === "\\" && i + 1 < end) i++;
    value += text[i];
  }
  return value;
}

/** Section 4.4: "parse a MIME type"; null for failure. */
function parseMIMEType(text) {
  const input = trimmed(text, 0, text.length);
  const slash = StringPrototypeIndexOf(input, "/");
  if (slash < 0) return null;
  const end = indexOrEnd(input, ";", slash);
  const type = StringPrototypeSlice(input, 0, slash), subtype = trimmedEnd(input, slash + 1, end);
  if (!isToken(type) || !isToken(subtype)) return null;
  const parameters = [];
  for (let i = end; i < input.length;) i = parseParameter(input, i + 1, parameters);
  return { essence: StringPrototypeToLowerCase(`${type}/${subtype}`), parameters };
}

// Step 11: one parameter, from after its semicolon; gives the index of the next semicolon or the end.
function parseParameter(input, start, parameters) {
  const semicolon = indexOrEnd(input, ";", start), equals = indexOrEnd(input, "=", start);
  if (equals >= semicolon) return semicolon;
  while (start < equals && isWhitespace(input[start])) start++;
  const name = StringPrototypeToLowerCase(StringPrototypeSlice(input, start, equals));
  let value, end;
  if (equals + 1 < input.length && input[equals + 1] === '"') {
    end = quotedStringEnd(input, equals + 1);
    value = quotedStringValue(input, equals + 1, end);
    end = indexOrEnd(input, ";", end);
  } else {
    end = semicolon;
    value = trimmedEnd(input, equals + 1, end);
    if (value === "") return end;
  }
  const isValid = isToken(name) && RegExpPrototypeExec(quotable, value) !== null;
  if (isValid && parameterOf(parameters, name) === undefined) ArrayPrototypePush(parameters, name, value);
  return end;
}

function parameterOf(parameters, name) {
  for (let i = 0; i < parameters.length; i += 2) if (parameters[i] === name) return parameters[i + 1];
  return undefined;
}

/** The value of a parameter, or undefined. */
function mimeParameter(mimeType, name) {
  return parameterOf(mimeType.parameters, name);
}

/** Section 4.5: "serialize a MIME type". */
function serializeMIMEType({ essence, parameters }) {
  let result = essence;
  for (let i = 0; i < parameters.length; i += 2) {
    const value = parameters[i + 1];
    result += `;${parameters[i]}=${isToken(value) ? value : quoted(value)}`;
  }
  return result;
}

function quoted(value) {
  let result = '"';
  for (let i = 0; i < value.length; i++) {
    if (value[i] === '"' || value[i] === "\\") result += "\\";
    result += value[i];
  }
  return result + '"';
}

// Fetch Standard, section 2.2.2: "get, decode, and split", on the combined value.
function splitHeaderValue(input) {
  const values = [];
  let start = 0, i = 0;
  for (; i < input.length; i++) {
    if (input[i] === '"') {
      i = quotedStringEnd(input, i) - 1;
    } else if (input[i] === ",") {
      ArrayPrototypePush(values, trimmed(input, start, i));
      start = i + 1;
    }
  }
  ArrayPrototypePush(values, trimmed(input, start, input.length));
  return values;
}

/** Fetch Standard, section 2.2.2: "extract a MIME type" from the combined value of Content-Type; null for failure. */
function extractMIMEType(contentType) {
  if (contentType === null) return null;
  const values = splitHeaderValue(contentType);
  let mimeType = null, essence = null, charset;
  for (let i = 0; i < values.length; i++) {
    const candidate = parseMIMEType(values[i]);
    if (candidate === null || candidate.essence === "*/*") continue;
    mimeType = candidate;
    const own = mimeParameter(mimeType, "charset");
    if (mimeType.essence !== essence) {
      charset = own;
      essence = mimeType.essence;
    } else if (own === undefined && charset !== undefined) {
      ArrayPrototypePush(mimeType.parameters, "charset", charset);
    }
  }
  return mimeType;
}

provide({ extractMIMEType, mimeParameter, parseMIMEType, serializeMIMEType });
