// The encodings of node:buffer: from strings to bytes and back. To "decode" makes text of bytes; the functions that do
// are named after buffer.hexSlice() and its like.
const {
  FunctionPrototypeApply, MathFloor, StringFromCharCode, StringPrototypeCharCodeAt, StringPrototypeToLowerCase,
  TypedArrayPrototypeGetBuffer, TypedArrayPrototypeGetByteOffset, TypedArrayPrototypeSet, Uint16Array, Uint8Array,
} = primordials;
const { unknownEncoding } = use("Node/errors");

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

function codes(text) {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = StringPrototypeCharCodeAt(text, i);
  return bytes;
}

const standardDigits = codes(`${DIGITS}+/`), urlDigits = codes(`${DIGITS}-_`), hexDigits = codes("0123456789abcdef");

// The value of a digit by its code; 255 for what is none. Both alphabets of base64 are read alike.
function valuesOf(digits, otherDigits, count) {
  const values = new Uint8Array(256);
  for (let i = 0; i < 256; i++) values[i] = 255;
  for (let i = 0; i < count; i++) values[digits[i]] = values[otherDigits[i]] = i;
  return values;
}

const base64Values = valuesOf(standardDigits, urlDigits, 64);
const hexValues = valuesOf(hexDigits, codes("0123456789ABCDEF"), 16);

// MARK: Base64

/** How many bytes a text of base64 has at most: padding counts off, other characters do not. */
function base64Length(text) {
  let length = text.length;
  if (length > 0 && StringPrototypeCharCodeAt(text, length - 1) === 61) length--;
  if (length > 1 && StringPrototypeCharCodeAt(text, length - 1) === 61) length--;
  return MathFloor(length * 3 / 4);
}

/** Writes what the text says, and gives the number of bytes. What is no digit is skipped; padding ends the text. */
function base64Write(text, target, limit) {
  let written = 0, bits = 0, count = 0;
  for (let i = 0; i < text.length && written < limit; i++) {
    const code = StringPrototypeCharCodeAt(text, i);
    if (code === 61) break;
    const value = code < 256 ? base64Values[code] : 255;
    if (value === 255) continue;
    bits = (bits << 6 | value) & 0xFFFFFF;
    if (count === 0) {
      count = 6;
    } else {
      count -= 2;
      target[written++] = bits >> count;
    }
  }
  return written;
}

function base64Slice(bytes, start, end, digits = standardDigits, isPadded = true) {
  const length = end - start, rest = length % 3;
  const size = (length - rest) / 3 * 4 + (rest === 0 ? 0 : isPadded ? 4 : rest + 1);
  const text = new Uint8Array(size);
  let to = 0, i = start;
  for (; i + 2 < end; i += 3) {
    const bits = bytes[i] << 16 | bytes[i + 1] << 8 | bytes[i + 2];
    text[to++] = digits[bits >> 18];
    text[to++] = digits[bits >> 12 & 63];
    text[to++] = digits[bits >> 6 & 63];
    text[to++] = digits[bits & 63];
  }
  if (rest > 0) {
    const bits = bytes[i] << 16 | (rest === 2 ? bytes[i + 1] << 8 : 0);
    text[to++] = digits[bits >> 18];
    text[to++] = digits[bits >> 12 & 63];
    if (rest === 2) text[to++] = digits[bits >> 6 & 63];
    while (to < size) text[to++] = 61;
  }
  return engine.latin1Decode(text);
}

// MARK: Hexadecimal

function hexWrite(text, target, limit) {
  let written = 0;
  for (let i = 0; i + 1 < text.length && written < limit; i += 2) {
    const first = StringPrototypeCharCodeAt(text, i), second = StringPrototypeCharCodeAt(text, i + 1);
    const high = first < 256 ? hexValues[first] : 255, low = second < 256 ? hexValues[second] : 255;
    if (high === 255 || low === 255) break;
    target[written++] = high << 4 | low;
  }
  return written;
}

function hexSlice(bytes, start, end) {
  const text = new Uint8Array(2 * (end - start));
  for (let i = start, to = 0; i < end; i++) {
    text[to++] = hexDigits[bytes[i] >> 4];
    text[to++] = hexDigits[bytes[i] & 15];
  }
  return engine.latin1Decode(text);
}

// MARK: Units of one and of two bytes

function latin1Write(text, target, limit) {
  const length = text.length < limit ? text.length : limit;
  for (let i = 0; i < length; i++) target[i] = StringPrototypeCharCodeAt(text, i);
  return length;
}

/** Some of the bytes as a plain Uint8Array: subarray() would ask the species of a subclass. */
function view(bytes, start, end) {
  return new Uint8Array(
    TypedArrayPrototypeGetBuffer(bytes), TypedArrayPrototypeGetByteOffset(bytes) + start, end - start);
}

const latin1Slice = (bytes, start, end) => engine.latin1Decode(view(bytes, start, end));

function asciiSlice(bytes, start, end) {
  const text = new Uint8Array(end - start);
  for (let i = start; i < end; i++) text[i - start] = bytes[i] & 127;
  return engine.latin1Decode(text);
}

function utf16Write(text, target, limit) {
  const units = text.length < limit >> 1 ? text.length : limit >> 1;
  for (let i = 0; i < units; i++) {
    const unit = StringPrototypeCharCodeAt(text, i);
    target[2 * i] = unit;
    target[2 * i + 1] = unit >> 8;
  }
  return 2 * units;
}

// How many units go to String.fromCharCode at a time: few enough for the stack.
const UNITS = 4096;

function utf16Slice(bytes, start, end) {
  let text = "", i = start;
  while (i + 1 < end) {
    const left = (end - i) >> 1;
    const units = new Uint16Array(left < UNITS ? left : UNITS);
    for (let k = 0; k < UNITS && i + 1 < end; k++, i += 2) units[k] = bytes[i] | bytes[i + 1] << 8;
    text += FunctionPrototypeApply(StringFromCharCode, undefined, units);
  }
  return text;
}

// MARK: UTF-8

// How many bytes engine.utf8EncodeInto writes at a time.
const PIECE = 2 ** 26;

function utf8Write(text, target, limit) {
  if (limit === 0) return 0;
  return engine.utf8EncodeInto(text, view(target, 0, limit)) % PIECE;
}

const utf8Slice = (bytes, start, end) => engine.utf8Decode(view(bytes, start, end), false);

/** A new Uint8Array of what `write` writes of the text, at most `length` bytes. */
function encoded(text, length, write) {
  const bytes = new Uint8Array(length);
  const written = write(text, bytes, length);
  if (written === length) return bytes;
  const result = new Uint8Array(written);
  TypedArrayPrototypeSet(result, view(bytes, 0, written));
  return result;
}

const utf8 = {
  __proto__: null, name: "utf8", byteLength: (text) => engine.utf8Length(text), write: utf8Write, decode: utf8Slice,
  encode: (text) => engine.utf8Encode(text),
};
const utf16le = {
  __proto__: null, name: "utf16le", byteLength: (text) => 2 * text.length, write: utf16Write, decode: utf16Slice,
  encode: (text) => encoded(text, 2 * text.length, utf16Write),
};
const latin1 = {
  __proto__: null, name: "latin1", byteLength: (text) => text.length, write: latin1Write, decode: latin1Slice,
  encode: (text) => engine.latin1Encode(text) ?? encoded(text, text.length, latin1Write),
};
const ascii = { __proto__: null, ...latin1, name: "ascii", decode: asciiSlice };
const base64 = {
  __proto__: null, name: "base64", byteLength: base64Length, write: base64Write,
  decode: (bytes, start, end) => base64Slice(bytes, start, end),
  encode: (text) => encoded(text, base64Length(text), base64Write),
};
const base64url = {
  __proto__: null, ...base64, name: "base64url",
  decode: (bytes, start, end) => base64Slice(bytes, start, end, urlDigits, false),
};
const hex = {
  __proto__: null, name: "hex", byteLength: (text) => text.length >>> 1, write: hexWrite, decode: hexSlice,
  encode: (text) => encoded(text, text.length >>> 1, hexWrite),
};

const encodings = {
  __proto__: null, utf8, "utf-8": utf8, ucs2: utf16le, "ucs-2": utf16le, utf16le, "utf-16le": utf16le, latin1,
  binary: latin1, ascii, base64, base64url, hex,
};

/** The encoding of that name, in any case; undefined if there is none. */
function findEncoding(name) {
  if (name === undefined || name === null || name === "") return utf8;
  return typeof name === "string" ? encodings[name] ?? encodings[StringPrototypeToLowerCase(name)] : undefined;
}

function encodingOf(name) {
  const encoding = findEncoding(name);
  if (encoding === undefined) throw unknownEncoding(name);
  return encoding;
}

provide({ ascii, base64, base64url, encodingOf, findEncoding, hex, latin1, utf16le, utf8, view });
