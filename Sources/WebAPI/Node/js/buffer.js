// node:buffer, with Node.js's names, errors and odd corners. Buffers are never cut from a shared pool: what one request
// wrote must not lie beside what another reads.
const {
  ArrayBufferPrototypeGetByteLength, ArrayIsArray, ArrayPrototypePush, DataViewPrototypeGetByteLength, MathFloor,
  ObjectDefineProperty, ObjectPrototypeIsPrototypeOf, ObjectSetPrototypeOf, ReflectOwnKeys,
  StringPrototypeCodePointAt, SymbolFor, SymbolToPrimitive, TypedArrayPrototypeGetBuffer,
  TypedArrayPrototypeGetByteLength, TypedArrayPrototypeGetByteOffset, TypedArrayPrototypeGetLength,
  TypedArrayPrototypeGetSymbolToStringTag, TypedArrayPrototypeSet, Uint8Array,
} = primordials;
const {
  invalidSize, invalidText, invalidType, invalidValue, outOfBounds, outOfRange, requireNumber, requireString,
} = use("Node/errors");
const { isArrayBuffer, isUint8Array, isView } = use("Node/bytes");
const { Blob, File } = use("FileAPI/blob");
const { resolveBlobURL } = use("FileAPI/blobURL");
const globalBase64 = use("HTML/base64");
const { parseURL } = use("URL/url");
const encodings = use("Node/encodings");
const { defineNumbers } = use("Node/bufferNumbers");
const { boundary, compare, compareBytes, compareRanges, fill, search } = use("Node/bufferSearch");

const { encodingOf, findEncoding, view } = encodings;
const lengthOf = TypedArrayPrototypeGetLength;

const kMaxLength = 2 ** 31 - 1;
const kStringMaxLength = 2 ** 29 - 24;
const constants = { MAX_LENGTH: kMaxLength, MAX_STRING_LENGTH: kStringMaxLength };
const limits = { __proto__: null, INSPECT_MAX_BYTES: 50 };

// What makes buffers: no tenant has a hand on it.
class FastBuffer extends Uint8Array {
  constructor(first, byteOffset, length) { super(first, byteOffset, length); }
}

const adopt = (bytes) => new FastBuffer(TypedArrayPrototypeGetBuffer(bytes), TypedArrayPrototypeGetByteOffset(bytes),
  lengthOf(bytes));

// MARK: Making

function requireSize(size) {
  requireNumber(size, "size");
  if (!(size >= 0 && size <= kMaxLength)) throw outOfRange("size", `>= 0 && <= ${kMaxLength}`, size);
}

function alloc(size, value, encoding) {
  requireSize(size);
  const buffer = new FastBuffer(size);
  if (value === undefined || value === 0 || size === 0) return buffer;
  if (encoding !== undefined) requireString(encoding, "encoding");
  return fill(buffer, value, encoding);
}

function allocUnsafe(size) {
  requireSize(size);
  return new FastBuffer(size);
}

function from(value, encodingOrOffset, length) {
  if (typeof value === "string") return fromString(value, encodingOrOffset);
  if (typeof value === "object" && value !== null) {
    if (isArrayBuffer(value)) return fromArrayBuffer(value, encodingOrOffset, length);
    const primitive = value.valueOf && value.valueOf();
    if (primitive !== undefined && primitive !== null && primitive !== value
      && (typeof primitive === "string" || typeof primitive === "object")) {
      return from(primitive, encodingOrOffset, length);
    }
    const copy = fromObject(value);
    if (copy !== undefined) return copy;
    const toPrimitive = value[SymbolToPrimitive];
    if (typeof toPrimitive === "function") {
      const text = value[SymbolToPrimitive]("string");
      if (typeof text === "string") return fromString(text, encodingOrOffset);
    }
  }
  throw invalidType("first argument",
    "of type string or an instance of Buffer, ArrayBuffer, or Array or an Array-like Object", value);
}

function fromString(text, encoding) {
  const chosen = typeof encoding === "string" ? encodingOf(encoding) : encodings.utf8;
  return adopt(chosen.encode(text));
}

function fromArrayBuffer(buffer, byteOffset, length) {
  const whole = ArrayBufferPrototypeGetByteLength(buffer);
  byteOffset = byteOffset === undefined ? 0 : +byteOffset || 0;
  const most = whole - byteOffset;
  if (most < 0) throw outOfBounds("offset");
  if (length === undefined) {
    length = most;
  } else {
    length = +length;
    if (!(length > 0)) length = 0;
    if (length > most) throw outOfBounds("length");
  }
  return new FastBuffer(buffer, byteOffset, length);
}

function fromObject(value) {
  if (isUint8Array(value)) {
    const copy = new FastBuffer(lengthOf(value));
    TypedArrayPrototypeSet(copy, view(value, 0, lengthOf(value)));
    return copy;
  }
  const { length } = value;
  if (length !== undefined || isArrayBuffer(value.buffer)) {
    return typeof length === "number" ? fromArrayLike(value, length) : new FastBuffer(0);
  }
  if (value.type === "Buffer" && ArrayIsArray(value.data)) return fromArrayLike(value.data, value.data.length);
  return undefined;
}

function fromArrayLike(value, length) {
  if (!(length > 0)) return new FastBuffer(0);
  requireSize(length);
  const buffer = new FastBuffer(MathFloor(length));
  for (let i = 0; i < lengthOf(buffer); i++) buffer[i] = value[i];
  return buffer;
}

function copyBytesFrom(source, offset, length) {
  if (!isView(source) || TypedArrayPrototypeGetSymbolToStringTag(source) === undefined) {
    throw invalidType("view", "an instance of TypedArray", source);
  }
  const count = lengthOf(source), width = count === 0 ? 1 : TypedArrayPrototypeGetByteLength(source) / count;
  offset = boundary(offset, "offset", 0, kMaxLength);
  length = boundary(length, "length", count, kMaxLength);
  if (offset >= count) return new FastBuffer(0);
  const end = offset + length < count ? offset + length : count;
  const start = TypedArrayPrototypeGetByteOffset(source) + offset * width;
  return fromObject(new Uint8Array(TypedArrayPrototypeGetBuffer(source), start, (end - offset) * width));
}

function Buffer(value, encodingOrOffset, length) {
  if (typeof value !== "number") return from(value, encodingOrOffset, length);
  if (typeof encodingOrOffset === "string") throw invalidType("string", "of type string", value);
  return alloc(value);
}

function SlowBuffer(size) {
  return allocUnsafe(+size);
}

// MARK: Functions of the class

function byteLength(value, encoding) {
  if (typeof value === "string") return (findEncoding(encoding) ?? encodings.utf8).byteLength(value);
  if (isArrayBuffer(value)) return ArrayBufferPrototypeGetByteLength(value);
  if (isView(value)) {
    return TypedArrayPrototypeGetSymbolToStringTag(value) === undefined ? DataViewPrototypeGetByteLength(value)
      : TypedArrayPrototypeGetByteLength(value);
  }
  throw invalidType("string", "of type string or an instance of Buffer or ArrayBuffer", value);
}

function concat(list, length) {
  if (!ArrayIsArray(list)) throw invalidType("list", "an instance of Array", list);
  const parts = [];
  let sum = 0;
  for (let i = 0; i < list.length; i++) {
    const part = list[i];
    if (!isUint8Array(part)) throw invalidType(`list[${i}]`, "an instance of Buffer or Uint8Array", part);
    ArrayPrototypePush(parts, part);
    sum += lengthOf(part);
  }
  length = boundary(length, "length", sum, kMaxLength);
  const result = allocUnsafe(length);
  for (let i = 0, to = 0; i < parts.length && to < length; i++) {
    const count = lengthOf(parts[i]) < length - to ? lengthOf(parts[i]) : length - to;
    TypedArrayPrototypeSet(result, view(parts[i], 0, count), to);
    to += count;
  }
  return result;
}

function isBuffer(value) {
  return typeof value === "object" && value !== null && isUint8Array(value)
    && ObjectPrototypeIsPrototypeOf(FastBuffer.prototype, value);
}

const statics = {
  alloc,
  allocUnsafe,
  allocUnsafeSlow: allocUnsafe,
  byteLength,
  compare,
  concat,
  copyBytesFrom,
  from,
  isBuffer,
  isEncoding: (name) => typeof name === "string" && name !== "" && findEncoding(name) !== undefined,
  of(...items) { return fromArrayLike(items, items.length); },
};

// MARK: Methods

// The bounds of slice() and subarray(): negative ones count from the end.
function relative(index, fallback, length) {
  if (index === undefined) return fallback;
  index = +index;
  if (index !== index) return 0;
  index -= index % 1;
  if (index < 0) return index + length < 0 ? 0 : index + length;
  return index < length ? index : length;
}

function cut(buffer, start, end) {
  const length = lengthOf(buffer);
  start = relative(start, 0, length);
  end = relative(end, length, length);
  return new FastBuffer(TypedArrayPrototypeGetBuffer(buffer), TypedArrayPrototypeGetByteOffset(buffer) + start,
    end > start ? end - start : 0);
}

// The bounds of toString(): whatever they are, they are made to fit.
function clamped(index, fallback, length) {
  if (index === undefined) return fallback;
  index = MathFloor(+index);
  return index > 0 ? index < length ? index : length : 0;
}

function toText(buffer, encoding, start, end) {
  const length = lengthOf(buffer);
  const from = clamped(start, 0, length), to = clamped(end, length, length);
  const chosen = encodingOf(encoding);
  return to <= from ? "" : chosen.decode(buffer, from, to);
}

function write(buffer, text, offset, length, encoding) {
  if (typeof text !== "string") throw invalidText();
  const size = lengthOf(buffer);
  if (typeof offset === "string") {
    encoding = offset;
    offset = length = undefined;
  } else if (typeof length === "string") {
    encoding = length;
    length = undefined;
  }
  offset = boundary(offset, "offset", 0, size);
  const left = size - offset;
  length = boundary(length, "length", left, size);
  const room = length < left ? length : left;
  return encodingOf(encoding).write(text, view(buffer, offset, offset + room), room);
}

function toIndex(value, fallback) {
  value = value === undefined ? fallback : +value;
  return value !== value ? 0 : value - value % 1;
}

function copy(source, target, targetStart, sourceStart, sourceEnd) {
  if (!isUint8Array(target)) throw invalidType("target", "an instance of Buffer or Uint8Array", target);
  const to = toIndex(targetStart, 0), start = toIndex(sourceStart, 0), length = lengthOf(source);
  if (to < 0) throw outOfRange("targetStart", ">= 0", to);
  if (start < 0 || start > length) throw outOfRange("sourceStart", `>= 0 && <= ${length}`, start);
  let end = toIndex(sourceEnd, length);
  if (end < 0) throw outOfRange("sourceEnd", ">= 0", end);
  if (end > length) end = length;
  const room = lengthOf(target) - to;
  if (room <= 0 || start >= end) return 0;
  const count = end - start < room ? end - start : room;
  TypedArrayPrototypeSet(target, view(source, start, start + count), to);
  return count;
}

function swap(buffer, width) {
  const length = lengthOf(buffer);
  if (length % width !== 0) throw invalidSize(8 * width);
  for (let i = 0; i < length; i += width) {
    for (let k = 0; k < width / 2; k++) {
      const byte = buffer[i + k];
      buffer[i + k] = buffer[i + width - 1 - k];
      buffer[i + width - 1 - k] = byte;
    }
  }
  return buffer;
}

function inspectBuffer(buffer) {
  const { INSPECT_MAX_BYTES: most } = limits;
  const length = lengthOf(buffer), shown = length < most ? length : most;
  let text = "";
  for (let i = 0; i < shown; i++) text += ` ${encodings.hex.decode(buffer, i, i + 1)}`;
  const more = length - shown;
  if (more > 0) text += ` ... ${more} more byte${more > 1 ? "s" : ""}`;
  return `<Buffer${text}>`;
}

const inspectSymbol = SymbolFor("nodejs.util.inspect.custom");

const methods = {
  compare(target, targetStart, targetEnd, sourceStart, sourceEnd) {
    return compareRanges(this, target, targetStart, targetEnd, sourceStart, sourceEnd);
  },
  copy(target, targetStart, sourceStart, sourceEnd) { return copy(this, target, targetStart, sourceStart, sourceEnd); },
  equals(other) {
    if (!isUint8Array(other)) throw invalidType("otherBuffer", "an instance of Buffer or Uint8Array", other);
    const length = lengthOf(this);
    return length === lengthOf(other) && compareBytes(this, 0, length, other, 0, length) === 0;
  },
  fill(value, offset, end, encoding) { return fill(this, value, offset, end, encoding); },
  includes(value, byteOffset, encoding) { return search(this, value, byteOffset, encoding, true) !== -1; },
  indexOf(value, byteOffset, encoding) { return search(this, value, byteOffset, encoding, true); },
  lastIndexOf(value, byteOffset, encoding) { return search(this, value, byteOffset, encoding, false); },
  slice(start, end) { return cut(this, start, end); },
  subarray(start, end) { return cut(this, start, end); },
  swap16() { return swap(this, 2); },
  swap32() { return swap(this, 4); },
  swap64() { return swap(this, 8); },
  toJSON() {
    const data = [];
    for (let i = 0; i < lengthOf(this); i++) ArrayPrototypePush(data, this[i]);
    return { type: "Buffer", data };
  },
  toLocaleString(encoding, start, end) { return toText(this, encoding, start, end); },
  toString(encoding, start, end) { return toText(this, encoding, start, end); },
  write(text, offset, length, encoding) { return write(this, text, offset, length, encoding); },
  inspect() { return inspectBuffer(this); },
  [inspectSymbol]() { return inspectBuffer(this); },
};

// MARK: What the module has besides

const transcodable = { __proto__: null, utf8: true, utf16le: true, latin1: true, ascii: true };

function transcode(source, fromEncoding, toEncoding) {
  if (!isUint8Array(source)) throw invalidType("source", "an instance of Buffer or Uint8Array", source);
  const input = encodingOf(fromEncoding), output = encodingOf(toEncoding);
  if (transcodable[input.name] !== true || transcodable[output.name] !== true) {
    throw invalidValue("toEncoding", toEncoding, "cannot be transcoded to");
  }
  const text = input.decode(source, 0, lengthOf(source));
  if (output.name !== "latin1" && output.name !== "ascii") return adopt(output.encode(text));
  // What the encoding lacks is a question mark, once for a pair of surrogates.
  const most = output.name === "ascii" ? 127 : 255;
  const result = [];
  for (let i = 0; i < text.length; i++) {
    const code = StringPrototypeCodePointAt(text, i);
    if (code > 0xFFFF) i++;
    ArrayPrototypePush(result, code > most ? 63 : code);
  }
  return fromArrayLike(result, result.length);
}

function bytesOf(input, name) {
  if (isArrayBuffer(input)) return new Uint8Array(input);
  if (!isView(input) || TypedArrayPrototypeGetSymbolToStringTag(input) === undefined) {
    throw invalidType(name, "an instance of ArrayBuffer, Buffer, or TypedArray", input);
  }
  return new Uint8Array(TypedArrayPrototypeGetBuffer(input), TypedArrayPrototypeGetByteOffset(input),
    TypedArrayPrototypeGetByteLength(input));
}

const isUtf8 = (input) => engine.utf8Decode(bytesOf(input, "input"), true) !== undefined;

function isAscii(input) {
  const bytes = bytesOf(input, "input");
  for (let i = 0; i < lengthOf(bytes); i++) if (bytes[i] > 127) return false;
  return true;
}

function define(target, key, value, enumerable = true) {
  ObjectDefineProperty(target, key, { __proto__: null, value, writable: true, enumerable, configurable: true });
}

function defineAll(target, members) {
  const keys = ReflectOwnKeys(members);
  for (let i = 0; i < keys.length; i++) define(target, keys[i], members[keys[i]]);
}

// asciiSlice(start, end), asciiWrite(text, offset, length), and so on: by these names libraries skip the look-up.
function defineDirect(prototype, name, encoding) {
  define(prototype, `${name}Slice`, function (start, end) {
    const length = lengthOf(this), from = clamped(start, 0, length), to = clamped(end, length, length);
    return to <= from ? "" : encoding.decode(this, from, to);
  });
  define(prototype, `${name}Write`, function (text, offset, length) {
    return write(this, text, offset, length, encoding.name);
  });
}

function defineGetter(prototype, key, getter) {
  ObjectDefineProperty(prototype, key, {
    __proto__: null, enumerable: true, configurable: true,
    get() { return isBuffer(this) ? getter(this) : undefined; },
  });
}

ObjectSetPrototypeOf(Buffer, Uint8Array);
Buffer.prototype = FastBuffer.prototype;
define(Buffer.prototype, "constructor", Buffer, false);
ObjectDefineProperty(Buffer, "poolSize", { __proto__: null, value: 0, enumerable: true });
defineAll(Buffer, statics);
defineAll(Buffer.prototype, methods);
defineNumbers(Buffer.prototype);
const { ascii, base64, base64url, hex, latin1, utf16le, utf8 } = encodings;
defineDirect(Buffer.prototype, "ascii", ascii);
defineDirect(Buffer.prototype, "base64", base64);
defineDirect(Buffer.prototype, "base64url", base64url);
defineDirect(Buffer.prototype, "hex", hex);
defineDirect(Buffer.prototype, "latin1", latin1);
defineDirect(Buffer.prototype, "ucs2", utf16le);
defineDirect(Buffer.prototype, "utf8", utf8);
defineGetter(Buffer.prototype, "parent", TypedArrayPrototypeGetBuffer);
defineGetter(Buffer.prototype, "offset", TypedArrayPrototypeGetByteOffset);
SlowBuffer.prototype = Buffer.prototype;

const exported = {
  Buffer,
  SlowBuffer,
  transcode,
  isUtf8,
  isAscii,
  kMaxLength,
  kStringMaxLength,
  constants,
  atob: (data) => globalBase64.decode(`${data}`),
  btoa: (data) => globalBase64.encode(`${data}`),
  Blob,
  File,
  resolveObjectURL(url) {
    const record = parseURL(`${url}`);
    return record === null ? undefined : resolveBlobURL(record) ?? undefined;
  },
  INSPECT_MAX_BYTES: limits.INSPECT_MAX_BYTES,
};

provide({ Buffer, exports: exported, hasDefault: true });
