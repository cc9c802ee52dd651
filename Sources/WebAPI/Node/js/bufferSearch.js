// node:buffer: comparing, searching and filling.
const { TypedArrayPrototypeGetLength } = primordials;
const { invalidType, invalidValue, outOfRange, requireNumber, requireString } = use("Node/errors");
const { encodingOf } = use("Node/encodings");
const { isUint8Array } = use("Node/bytes");

const lengthOf = TypedArrayPrototypeGetLength;
const bytesOnly = "an instance of Buffer or Uint8Array";

function compareBytes(a, aStart, aEnd, b, bStart, bEnd) {
  const aLength = aEnd - aStart, bLength = bEnd - bStart;
  const common = aLength < bLength ? aLength : bLength;
  for (let i = 0; i < common; i++) {
    const difference = a[aStart + i] - b[bStart + i];
    if (difference !== 0) return difference < 0 ? -1 : 1;
  }
  return aLength === bLength ? 0 : aLength < bLength ? -1 : 1;
}

function compare(a, b) {
  if (!isUint8Array(a)) throw invalidType("buf1", bytesOnly, a);
  if (!isUint8Array(b)) throw invalidType("buf2", bytesOnly, b);
  return a === b ? 0 : compareBytes(a, 0, lengthOf(a), b, 0, lengthOf(b));
}

function boundary(value, name, fallback, most) {
  if (value === undefined) return fallback;
  requireNumber(value, name);
  if (value % 1 !== 0) throw outOfRange(name, "an integer", value);
  if (value < 0 || value > most) throw outOfRange(name, `>= 0 && <= ${most}`, value);
  return value;
}

function compareRanges(source, target, targetStart, targetEnd, sourceStart, sourceEnd) {
  if (!isUint8Array(target)) throw invalidType("target", bytesOnly, target);
  const most = 2 ** 31 - 1;
  targetStart = boundary(targetStart, "targetStart", 0, most);
  targetEnd = boundary(targetEnd, "targetEnd", lengthOf(target), lengthOf(target));
  sourceStart = boundary(sourceStart, "sourceStart", 0, most);
  sourceEnd = boundary(sourceEnd, "sourceEnd", lengthOf(source), lengthOf(source));
  if (sourceStart >= sourceEnd) return targetStart >= targetEnd ? 0 : -1;
  if (targetStart >= targetEnd) return 1;
  return compareBytes(source, sourceStart, sourceEnd, target, targetStart, targetEnd);
}

// MARK: Searching

function forwards(bytes, wanted, from, step) {
  const last = lengthOf(bytes) - lengthOf(wanted), length = lengthOf(wanted);
  for (let i = from; i <= last; i++) {
    let k = 0;
    while (k < length && bytes[i + k] === wanted[k]) k++;
    if (k === length && i % step === 0) return i;
  }
  return -1;
}

function backwards(bytes, wanted, from, step) {
  const last = lengthOf(bytes) - lengthOf(wanted), length = lengthOf(wanted);
  for (let i = from < last ? from : last; i >= 0; i--) {
    let k = 0;
    while (k < length && bytes[i + k] === wanted[k]) k++;
    if (k === length && i % step === 0) return i;
  }
  return -1;
}

function wantedBytes(value, encoding) {
  if (typeof value === "string") return encodingOf(encoding).encode(value);
  if (isUint8Array(value)) return value;
  throw invalidType(
    "value", "one of type number or string or an instance of Buffer or Uint8Array", value);
}

function search(bytes, value, byteOffset, encoding, isForwards) {
  if (typeof byteOffset === "string") {
    encoding = byteOffset;
    byteOffset = undefined;
  }
  const length = lengthOf(bytes);
  let from = +byteOffset;
  if (from !== from) from = isForwards ? 0 : length;
  from -= from % 1;
  if (from < 0) from += length;
  if (from < 0) {
    if (!isForwards) return -1;
    from = 0;
  }
  if (typeof value === "number") return searchByte(bytes, value & 255, from, isForwards);
  const wanted = wantedBytes(value, encoding);
  const step = typeof value === "string" && encodingOf(encoding).name === "utf16le" ? 2 : 1;
  if (lengthOf(wanted) === 0) return from < length ? from : length;
  return isForwards ? forwards(bytes, wanted, from, step) : backwards(bytes, wanted, from, step);
}

function searchByte(bytes, wanted, from, isForwards) {
  const length = lengthOf(bytes);
  if (isForwards) {
    for (let i = from; i < length; i++) if (bytes[i] === wanted) return i;
  } else {
    for (let i = from < length ? from : length - 1; i >= 0; i--) if (bytes[i] === wanted) return i;
  }
  return -1;
}

// MARK: Filling

function fill(bytes, value, offset, end, encoding) {
  const length = lengthOf(bytes);
  let pattern;
  if (typeof value === "string") {
    if (typeof offset === "string") {
      encoding = offset;
      offset = end = undefined;
    } else if (typeof end === "string") {
      encoding = end;
      end = undefined;
    }
    if (encoding !== undefined) requireString(encoding, "encoding");
    pattern = encodingOf(encoding).encode(value);
    if (value !== "" && lengthOf(pattern) === 0) throw invalidValue("value", value);
  } else if (isUint8Array(value)) {
    pattern = value;
    if (lengthOf(value) === 0) throw invalidValue("value", value);
  }
  const start = boundary(offset, "offset", 0, 2 ** 31 - 1);
  const stop = boundary(end, "end", length, length);
  if (start >= stop) return bytes;
  if (pattern === undefined || lengthOf(pattern) < 2) {
    const byte = pattern === undefined ? +value & 255 : lengthOf(pattern) === 0 ? 0 : pattern[0];
    for (let i = start; i < stop; i++) bytes[i] = byte;
    return bytes;
  }
  for (let i = start, k = 0; i < stop; i++) {
    bytes[i] = pattern[k];
    if (++k === lengthOf(pattern)) k = 0;
  }
  return bytes;
}

provide({ boundary, compare, compareBytes, compareRanges, fill, search });
