// Uint8Array to and from base64 and hex (ECMA-262, sections 23.3.1, 23.3.2 and 23.3.3).
const {
  MathCeil, MathFloor, StringPrototypeCharCodeAt, SyntaxError, TypeError, TypedArrayPrototypeGetBuffer,
  TypedArrayPrototypeGetLength, TypedArrayPrototypeGetSymbolToStringTag, TypedArrayPrototypeKeys,
  TypedArrayPrototypeSet, Uint8Array, Uint8ArrayPrototype,
} = primordials;
const { defineBuiltins, incompatibleReceiver, isObject, maxSafeInteger } = use("ECMAScript/abstract");

const lettersAndDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const alphabets = { __proto__: null, base64: `${lettersAndDigits}+/`, base64url: `${lettersAndDigits}-_` };
const hexDigits = "0123456789abcdef";
const invalid = 0xff;

// Tables by code unit, made on first use: of the characters, and of the values of characters.
const encoders = { __proto__: null };
const decoders = { __proto__: null };

function encoderOf(name, alphabet) {
  if (encoders[name] === undefined) encoders[name] = engine.latin1Encode(alphabet);
  return encoders[name];
}

function decoderOf(name, alphabet) {
  let table = decoders[name];
  if (table !== undefined) return table;
  table = new Uint8Array(256);
  for (let i = 0; i < 256; i++) table[i] = invalid;
  for (let i = 0; i < alphabet.length; i++) table[StringPrototypeCharCodeAt(alphabet, i)] = i;
  return decoders[name] = table;
}

function requireUint8Array(O, method) {
  if (TypedArrayPrototypeGetSymbolToStringTag(O) !== "Uint8Array") throw incompatibleReceiver(`Uint8Array.${method}`);
}

// The length of an array that is not detached.
function validLength(O, method) {
  try {
    TypedArrayPrototypeKeys(O);
  } catch {
    throw new TypeError(`Uint8Array.${method}: the array is detached`);
  }
  return TypedArrayPrototypeGetLength(O);
}

function requireString(value, method) {
  if (typeof value !== "string") throw new TypeError(`Uint8Array.${method}: the argument is not a string`);
}

// GetOptionsObject
function optionsObject(options, method) {
  if (options === undefined) return { __proto__: null };
  if (!isObject(options)) throw new TypeError(`Uint8Array.${method}: the options are not an object`);
  return options;
}

function alphabetOption(options, method) {
  const { alphabet } = options;
  if (alphabet === undefined) return "base64";
  if (alphabet === "base64" || alphabet === "base64url") return alphabet;
  throw new TypeError(`Uint8Array.${method}: the alphabet must be either "base64" or "base64url"`);
}

function lastChunkHandlingOption(options, method) {
  const handling = options.lastChunkHandling;
  if (handling === undefined) return "loose";
  if (handling === "loose" || handling === "strict" || handling === "stop-before-partial") return handling;
  throw new TypeError(`Uint8Array.${method}: lastChunkHandling must be "loose", "strict" or "stop-before-partial"`);
}

function encode(bytes, length, alphabet, omitPadding) {
  const table = encoderOf(alphabet, alphabets[alphabet]);
  const rest = length % 3, whole = length - rest;
  const result = new Uint8Array(omitPadding ? MathCeil(length * 4 / 3) : MathCeil(length / 3) * 4);
  let out = 0;
  for (let i = 0; i < whole; i += 3) {
    const group = (bytes[i] << 16) | (bytes[i + 1] << 8) | bytes[i + 2];
    result[out++] = table[group >> 18];
    result[out++] = table[(group >> 12) & 63];
    result[out++] = table[(group >> 6) & 63];
    result[out++] = table[group & 63];
  }
  if (rest > 0) {
    const group = (bytes[whole] << 16) | (rest === 2 ? bytes[whole + 1] << 8 : 0);
    result[out++] = table[group >> 18];
    result[out++] = table[(group >> 12) & 63];
    if (rest === 2) result[out++] = table[(group >> 6) & 63];
    if (!omitPadding) for (let i = rest; i < 3; i++) result[out++] = 0x3d;
  }
  return engine.latin1Decode(result);
}

function toHex(bytes, length) {
  const table = encoderOf("hex", hexDigits);
  const result = new Uint8Array(length * 2);
  for (let i = 0, out = 0; i < length; i++) {
    result[out++] = table[bytes[i] >> 4];
    result[out++] = table[bytes[i] & 15];
  }
  return engine.latin1Decode(result);
}

function skipAsciiWhitespace(string, index) {
  for (; index < string.length; index++) {
    const unit = StringPrototypeCharCodeAt(string, index);
    if (unit !== 0x20 && unit !== 0x09 && unit !== 0x0a && unit !== 0x0c && unit !== 0x0d) break;
  }
  return index;
}

// FromBase64 decodes into `into`, at most `maxLength` bytes. What was decoded before an error stays. The result:
// { read, written, error (what is wrong, or undefined) }.
function fromBase64(string, alphabet, lastChunkHandling, into, maxLength) {
  const result = { __proto__: null, read: 0, written: 0, error: undefined };
  const table = decoderOf(alphabet, alphabets[alphabet]);
  const { length } = string;
  let chunk = 0, chunkLength = 0, written = 0, index = 0;
  while (written < maxLength) {
    if (index === length) return finish(result, chunk, chunkLength, lastChunkHandling, into, length);
    const unit = StringPrototypeCharCodeAt(string, index);
    const value = unit < 256 ? table[unit] : invalid;
    if (value === invalid) {
      const next = skipAsciiWhitespace(string, index);
      if (next === index) return finishPadded(result, string, index, chunk, chunkLength, lastChunkHandling, into);
      index = next;
      continue;
    }
    const remaining = maxLength - written;
    if ((remaining === 1 && chunkLength === 2) || (remaining === 2 && chunkLength === 3)) break;
    index++;
    chunk = (chunk << 6) | value;
    chunkLength++;
    if (chunkLength < 4) continue;
    into[written] = chunk >> 16;
    into[written + 1] = chunk >> 8;
    into[written + 2] = chunk;
    written += 3;
    chunk = chunkLength = 0;
    result.written = written;
    result.read = index;
  }
  return result;
}

function failure(result, error) {
  result.error = error;
  return result;
}

// The string ended without padding.
function finish(result, chunk, chunkLength, lastChunkHandling, into, length) {
  if (chunkLength > 0) {
    if (lastChunkHandling === "stop-before-partial") return result;
    if (lastChunkHandling === "strict") return failure(result, "its last chunk lacks padding");
    if (chunkLength === 1) return failure(result, "its last chunk has one character only");
    decodeFinalChunk(result, chunk, chunkLength, into);
  }
  result.read = length;
  return result;
}

// The character at `index` is not in the alphabet: the padding begins here, if it is any.
function finishPadded(result, string, index, chunk, chunkLength, lastChunkHandling, into) {
  if (string[index] !== "=") return failure(result, "it contains a character that is not in the alphabet");
  if (chunkLength < 2) return failure(result, "its padding is misplaced");
  index = skipAsciiWhitespace(string, index + 1);
  if (chunkLength === 2) {
    if (index === string.length) {
      return lastChunkHandling === "stop-before-partial" ? result : failure(result, "its padding is incomplete");
    }
    if (string[index] === "=") index = skipAsciiWhitespace(string, index + 1);
  }
  if (index < string.length) return failure(result, "it continues after its padding");
  const extraBits = chunk & (chunkLength === 2 ? 15 : 3);
  if (lastChunkHandling === "strict" && extraBits !== 0) return failure(result, "its last chunk has extra bits");
  decodeFinalChunk(result, chunk, chunkLength, into);
  result.read = string.length;
  return result;
}

// DecodeFinalBase64Chunk, of two or three characters.
function decodeFinalChunk(result, chunk, chunkLength, into) {
  if (chunkLength === 2) {
    into[result.written++] = chunk >> 4;
  } else {
    into[result.written++] = chunk >> 10;
    into[result.written++] = chunk >> 2;
  }
}

// FromHex, with the result of `fromBase64`.
function fromHex(string, into, maxLength) {
  const result = { __proto__: null, read: 0, written: 0, error: undefined };
  if (string.length % 2 !== 0) return failure(result, "its length is odd");
  const table = hexDecoder();
  const end = maxLength * 2 < string.length ? maxLength * 2 : string.length;
  for (let i = 0; i < end; i += 2) {
    const high = StringPrototypeCharCodeAt(string, i), low = StringPrototypeCharCodeAt(string, i + 1);
    if (high > 255 || low > 255 || table[high] === invalid || table[low] === invalid) {
      return failure(result, "it contains a character that is no hexadecimal digit");
    }
    into[result.written++] = (table[high] << 4) | table[low];
    result.read = i + 2;
  }
  return result;
}

function hexDecoder() {
  const table = decoderOf("hex", hexDigits);
  for (let i = 10; i < 16; i++) table[StringPrototypeCharCodeAt(hexDigits, i) - 0x20] = i;
  return table;
}

function throwIfMalformed(result, method) {
  if (result.error !== undefined) throw new SyntaxError(`Uint8Array.${method}: malformed string, ${result.error}`);
}

function arrayOfBytes(bytes, length) {
  if (length === TypedArrayPrototypeGetLength(bytes)) return bytes;
  const result = new Uint8Array(length);
  TypedArrayPrototypeSet(result, new Uint8Array(TypedArrayPrototypeGetBuffer(bytes), 0, length));
  return result;
}

defineBuiltins(Uint8ArrayPrototype, {
  toBase64(options = undefined) {
    const method = "prototype.toBase64";
    requireUint8Array(this, method);
    const bag = optionsObject(options, method);
    const alphabet = alphabetOption(bag, method);
    const omitPadding = !!bag.omitPadding;
    return encode(this, validLength(this, method), alphabet, omitPadding);
  },
  toHex() {
    requireUint8Array(this, "prototype.toHex");
    return toHex(this, validLength(this, "prototype.toHex"));
  },
  setFromBase64(string, options = undefined) {
    const method = "prototype.setFromBase64";
    requireUint8Array(this, method);
    requireString(string, method);
    const bag = optionsObject(options, method);
    const alphabet = alphabetOption(bag, method);
    const lastChunkHandling = lastChunkHandlingOption(bag, method);
    const result = fromBase64(string, alphabet, lastChunkHandling, this, validLength(this, method));
    throwIfMalformed(result, method);
    return { read: result.read, written: result.written };
  },
  setFromHex(string) {
    const method = "prototype.setFromHex";
    requireUint8Array(this, method);
    requireString(string, method);
    const result = fromHex(string, this, validLength(this, method));
    throwIfMalformed(result, method);
    return { read: result.read, written: result.written };
  },
});

defineBuiltins(Uint8Array, {
  fromBase64(string, options = undefined) {
    requireString(string, "fromBase64");
    const bag = optionsObject(options, "fromBase64");
    const alphabet = alphabetOption(bag, "fromBase64");
    const lastChunkHandling = lastChunkHandlingOption(bag, "fromBase64");
    const bytes = new Uint8Array(MathFloor(string.length * 3 / 4));
    const result = fromBase64(string, alphabet, lastChunkHandling, bytes, maxSafeInteger);
    throwIfMalformed(result, "fromBase64");
    return arrayOfBytes(bytes, result.written);
  },
  fromHex(string) {
    requireString(string, "fromHex");
    const bytes = new Uint8Array(MathFloor(string.length / 2));
    throwIfMalformed(fromHex(string, bytes, maxSafeInteger), "fromHex");
    return bytes;
  },
});

/** The base64 of a Uint8Array; `alphabet` is "base64" or "base64url". */
function encodeBase64(bytes, alphabet, omitPadding) {
  return encode(bytes, TypedArrayPrototypeGetLength(bytes), alphabet, omitPadding);
}

/** The bytes of a string in base64, with or without padding, or undefined if it is malformed. */
function decodeBase64(string, alphabet) {
  const bytes = new Uint8Array(MathFloor(string.length * 3 / 4));
  const result = fromBase64(string, alphabet, "loose", bytes, maxSafeInteger);
  return result.error === undefined ? arrayOfBytes(bytes, result.written) : undefined;
}

provide({ decodeBase64, encodeBase64 });
