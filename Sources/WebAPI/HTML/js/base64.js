// Infra Standard, section 7: forgiving-base64, for atob() and btoa().
const { StringPrototypeCharCodeAt, StringPrototypeSlice, TypedArrayPrototypeGetLength, Uint8Array } = primordials;
const { DOMException } = use("DOM/exception");

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const PADDING = 61, WHITESPACE = 64, INVALID = 65;

const codes = new Uint8Array(64);
const values = new Uint8Array(256);
for (let i = 0; i < 256; i++) values[i] = INVALID;
values[9] = values[10] = values[12] = values[13] = values[32] = WHITESPACE;
for (let i = 0; i < 64; i++) {
  codes[i] = StringPrototypeCharCodeAt(ALPHABET, i);
  values[codes[i]] = i;
}

/** btoa(): base64 of a string whose units are all below 256. */
function encode(data) {
  const bytes = engine.latin1Encode(data);
  if (bytes === undefined) {
    throw new DOMException("Failed to execute 'btoa': The string to be encoded contains characters outside of the "
      + "Latin1 range.", "InvalidCharacterError");
  }
  const length = TypedArrayPrototypeGetLength(bytes), whole = length - length % 3;
  const output = new Uint8Array((length + 2) / 3 * 4 >>> 2 << 2);
  let o = 0;
  for (let i = 0; i < whole; i += 3) {
    const bits = bytes[i] << 16 | bytes[i + 1] << 8 | bytes[i + 2];
    output[o++] = codes[bits >> 18];
    output[o++] = codes[bits >> 12 & 63];
    output[o++] = codes[bits >> 6 & 63];
    output[o++] = codes[bits & 63];
  }
  if (whole < length) {
    const hasTwo = whole + 1 < length;
    const bits = bytes[whole] << 16 | (hasTwo ? bytes[whole + 1] << 8 : 0);
    output[o++] = codes[bits >> 18];
    output[o++] = codes[bits >> 12 & 63];
    output[o++] = hasTwo ? codes[bits >> 6 & 63] : PADDING;
    output[o] = PADDING;
  }
  return engine.latin1Decode(output);
}

function invalid() {
  return new DOMException("Failed to execute 'atob': The string to be decoded is not correctly encoded.",
    "InvalidCharacterError");
}

/** atob(): "forgiving-base64 decode". */
function decode(data) {
  const bytes = engine.latin1Encode(data);
  if (bytes === undefined) throw invalid();
  // The sextets, without whitespace, move to the front.
  const length = TypedArrayPrototypeGetLength(bytes);
  let count = 0, padding = 0;
  for (let i = 0; i < length; i++) {
    const byte = bytes[i], value = values[byte];
    if (value === WHITESPACE) continue;
    if (byte === PADDING) {
      padding++;
      continue;
    }
    if (value === INVALID || padding > 0) throw invalid();
    bytes[count++] = value;
  }
  if (padding > 2 || (padding > 0 && (count + padding) % 4 !== 0) || count % 4 === 1) throw invalid();
  const octets = packSextets(bytes, count);
  return StringPrototypeSlice(engine.latin1Decode(bytes), 0, octets);
}

// Writes the octets over the sextets, which they never overtake.
function packSextets(sextets, count) {
  let length = 0, i = 0;
  for (; i + 3 < count; i += 4) {
    const bits = sextets[i] << 18 | sextets[i + 1] << 12 | sextets[i + 2] << 6 | sextets[i + 3];
    sextets[length++] = bits >> 16;
    sextets[length++] = bits >> 8;
    sextets[length++] = bits;
  }
  const rest = count - i;
  if (rest > 1) {
    const bits = sextets[i] << 18 | sextets[i + 1] << 12 | (rest === 3 ? sextets[i + 2] << 6 : 0);
    sextets[length++] = bits >> 16;
    if (rest === 3) sextets[length++] = bits >> 8;
  }
  return length;
}

provide({ decode, encode });
