// node:buffer: reading and writing numbers. Each method is made from its width and kind, under all the names it has.
const {
  BigInt, Float32Array, Float64Array, Number, ObjectDefineProperty, TypedArrayPrototypeGetBuffer,
  TypedArrayPrototypeGetLength, Uint8Array,
} = primordials;
const { invalidType, outOfBounds, outOfRange, requireNumber } = use("Node/errors");

function checkOffset(offset, length, width) {
  requireNumber(offset, "offset");
  if (offset >= 0 && offset + width <= length && offset % 1 === 0) return;
  if (offset % 1 !== 0) throw outOfRange("offset", "an integer", offset);
  if (length < width) throw outOfBounds();
  throw outOfRange("offset", `>= 0 and <= ${length - width}`, offset);
}

// "2 ** 40" from six bytes on, where the number says little.
function rangeText(min, max, width, isSigned) {
  if (width > 4 || typeof min === "bigint") {
    const bits = 8 * width, n = typeof min === "bigint" ? "n" : "";
    return isSigned ? `>= -(2${n} ** ${bits - 1}${n}) and < 2${n} ** ${bits - 1}${n}`
      : `>= 0${n} and < 2${n} ** ${bits}${n}`;
  }
  return `>= ${min} and <= ${max}`;
}

function checkValue(value, min, max, width, isSigned) {
  if (value > max || value < min) throw outOfRange("value", rangeText(min, max, width, isSigned), value);
}

// MARK: Integers of up to six bytes

function readUnsigned(bytes, offset, width, isLittle) {
  let result = 0;
  for (let i = 0; i < width; i++) result = result * 256 + bytes[isLittle ? offset + width - 1 - i : offset + i];
  return result;
}

function readInteger(bytes, offset, width, isSigned, isLittle) {
  const value = readUnsigned(bytes, offset, width, isLittle);
  const half = 2 ** (8 * width - 1);
  return isSigned && value >= half ? value - 2 * half : value;
}

function writeInteger(bytes, value, offset, width, isLittle) {
  let rest = value < 0 ? value + 2 ** (8 * width) : value;
  for (let i = 0; i < width; i++) {
    bytes[isLittle ? offset + i : offset + width - 1 - i] = rest % 256;
    rest = (rest - rest % 256) / 256;
  }
  return offset + width;
}

function checkWidth(width) {
  if (width === undefined) throw invalidType("byteLength", "of type number", width);
  requireNumber(width, "byteLength");
  if (width % 1 !== 0) throw outOfRange("byteLength", "an integer", width);
  if (width < 1 || width > 6) throw outOfRange("byteLength", ">= 1 and <= 6", width);
}

function writeChecked(bytes, value, offset, width, isSigned, isLittle) {
  value = +value;
  const limit = 2 ** (8 * width - (isSigned ? 1 : 0));
  checkValue(value, isSigned ? -limit : 0, limit - 1, width, isSigned);
  checkOffset(offset, TypedArrayPrototypeGetLength(bytes), width);
  // What is no number at all becomes 0, and fractions are cut off.
  return writeInteger(bytes, value === value ? value - value % 1 : 0, offset, width, isLittle);
}

// MARK: Integers of eight bytes

function readBig(bytes, offset, isSigned, isLittle) {
  const high = BigInt(readInteger(bytes, isLittle ? offset + 4 : offset, 4, isSigned, isLittle));
  return (high << 32n) + BigInt(readUnsigned(bytes, isLittle ? offset : offset + 4, 4, isLittle));
}

function writeBig(bytes, value, offset, isSigned, isLittle) {
  if (typeof value !== "bigint") throw invalidType("value", "of type bigint", value);
  const limit = 1n << (isSigned ? 63n : 64n);
  checkValue(value, isSigned ? -limit : 0n, limit - 1n, 8, isSigned);
  checkOffset(offset, TypedArrayPrototypeGetLength(bytes), 8);
  const unsigned = value < 0n ? value + (1n << 64n) : value;
  writeInteger(bytes, Number(unsigned & 0xFFFFFFFFn), isLittle ? offset : offset + 4, 4, isLittle);
  writeInteger(bytes, Number(unsigned >> 32n), isLittle ? offset + 4 : offset, 4, isLittle);
  return offset + 8;
}

// MARK: Floating point

const float = new Float32Array(1), double = new Float64Array(1);
const floatBytes = new Uint8Array(TypedArrayPrototypeGetBuffer(float));
const doubleBytes = new Uint8Array(TypedArrayPrototypeGetBuffer(double));

function readFloat(bytes, offset, width, isLittle) {
  const scratch = width === 4 ? floatBytes : doubleBytes;
  for (let i = 0; i < width; i++) scratch[isLittle ? i : width - 1 - i] = bytes[offset + i];
  return width === 4 ? float[0] : double[0];
}

function writeFloat(bytes, value, offset, width, isLittle) {
  value = +value;
  checkOffset(offset, TypedArrayPrototypeGetLength(bytes), width);
  if (width === 4) float[0] = value;
  else double[0] = value;
  const scratch = width === 4 ? floatBytes : doubleBytes;
  for (let i = 0; i < width; i++) bytes[offset + i] = scratch[isLittle ? i : width - 1 - i];
  return offset + width;
}

// MARK: Methods

function readerOf(width, isSigned, isLittle) {
  return function (offset = 0) {
    checkOffset(offset, TypedArrayPrototypeGetLength(this), width);
    return readInteger(this, offset, width, isSigned, isLittle);
  };
}

function writerOf(width, isSigned, isLittle) {
  return function (value, offset = 0) { return writeChecked(this, value, offset, width, isSigned, isLittle); };
}

function bigReaderOf(isSigned, isLittle) {
  return function (offset = 0) {
    checkOffset(offset, TypedArrayPrototypeGetLength(this), 8);
    return readBig(this, offset, isSigned, isLittle);
  };
}

function bigWriterOf(isSigned, isLittle) {
  return function (value, offset = 0) { return writeBig(this, value, offset, isSigned, isLittle); };
}

function floatReaderOf(width, isLittle) {
  return function (offset = 0) {
    checkOffset(offset, TypedArrayPrototypeGetLength(this), width);
    return readFloat(this, offset, width, isLittle);
  };
}

function floatWriterOf(width, isLittle) {
  return function (value, offset = 0) { return writeFloat(this, value, offset, width, isLittle); };
}

function wideReaderOf(isSigned, isLittle) {
  return function (offset, byteLength) {
    if (offset === undefined) throw invalidType("offset", "of type number", offset);
    checkWidth(byteLength);
    checkOffset(offset, TypedArrayPrototypeGetLength(this), byteLength);
    return readInteger(this, offset, byteLength, isSigned, isLittle);
  };
}

function wideWriterOf(isSigned, isLittle) {
  return function (value, offset, byteLength) {
    checkWidth(byteLength);
    return writeChecked(this, value, offset, byteLength, isSigned, isLittle);
  };
}

/** Adds the methods to Buffer.prototype; those of unsigned numbers have two spellings. */
function defineNumbers(prototype) {
  const define = (verb, kind, rest, method) => {
    const property = { __proto__: null, value: method, writable: true, enumerable: true, configurable: true };
    ObjectDefineProperty(method, "name", { __proto__: null, value: `${verb}${kind}${rest}`, configurable: true });
    ObjectDefineProperty(prototype, `${verb}${kind}${rest}`, property);
    if (kind === "UInt") ObjectDefineProperty(prototype, `${verb}Uint${rest}`, property);
  };
  for (let signs = 0; signs < 2; signs++) {
    const isSigned = signs === 1, kind = isSigned ? "Int" : "UInt";
    define("read", kind, "8", readerOf(1, isSigned, true));
    define("write", kind, "8", writerOf(1, isSigned, true));
    for (let orders = 0; orders < 2; orders++) {
      const isLittle = orders === 1, order = isLittle ? "LE" : "BE";
      for (let width = 2; width <= 4; width += 2) {
        define("read", kind, `${8 * width}${order}`, readerOf(width, isSigned, isLittle));
        define("write", kind, `${8 * width}${order}`, writerOf(width, isSigned, isLittle));
      }
      define("read", kind, order, wideReaderOf(isSigned, isLittle));
      define("write", kind, order, wideWriterOf(isSigned, isLittle));
      define("readBig", kind, `64${order}`, bigReaderOf(isSigned, isLittle));
      define("writeBig", kind, `64${order}`, bigWriterOf(isSigned, isLittle));
      if (isSigned) continue;
      define("read", "Float", order, floatReaderOf(4, isLittle));
      define("write", "Float", order, floatWriterOf(4, isLittle));
      define("read", "Double", order, floatReaderOf(8, isLittle));
      define("write", "Double", order, floatWriterOf(8, isLittle));
    }
  }
}

provide({ defineNumbers });
