// Encoding Standard, sections 9 to 14: decoders for what is not UTF-8. Each takes (decoder, bytes, flush), keeps what
// it must between calls in `decoder.state` (undefined at the start), and gives a string, or undefined for an error when
// the decoder is fatal.
//
// Op: decodeLegacy(encoding, bytes, flush, isFatal, state) -> [string, state], or null for an error when fatal. The
// encoding is a name in lower case; the state a number, 0 at the start, that holds all that the decoder remembers. With
// `flush` the end of the queue is decoded too, and the state given is 0. Nothing has to be opened or closed.
const {
  ArrayPrototypePush, MathMin, ReflectApply, StringFromCharCode, StringPrototypeCharCodeAt, StringPrototypeIncludes,
  StringPrototypeSlice, TypedArrayPrototypeGetLength,
} = primordials;
const { concatBytes, copyBytes, viewOf } = use("WebIDL/bufferSource");

/** Code units in one call of String.fromCharCode. */
const CHUNK = 4096;

/** The string of `count` code units, whose bytes begin at an offset. */
function stringOfUnits(bytes, offset, count, isBigEndian) {
  const high = isBigEndian ? 0 : 1, low = 1 - high;
  let text = "";
  for (let done = 0; done < count;) {
    const end = MathMin(count, done + CHUNK), units = [];
    for (; done < end; done++, offset += 2) ArrayPrototypePush(units, bytes[offset + high] << 8 | bytes[offset + low]);
    text += ReflectApply(StringFromCharCode, undefined, units);
  }
  return text;
}

// Section 14.3: UTF-16BE and UTF-16LE. The state is the bytes of an incomplete code unit or surrogate pair.
function decodeUTF16(decoder, input, flush) {
  const isBigEndian = decoder.encoding === "utf-16be", rest = decoder.state;
  const bytes = rest === undefined ? input
    : concatBytes([rest, input], TypedArrayPrototypeGetLength(rest) + TypedArrayPrototypeGetLength(input));
  const length = TypedArrayPrototypeGetLength(bytes);
  let count = length >> 1;
  const isLead = count > 0 && (bytes[count * 2 - (isBigEndian ? 2 : 1)] & 0xFC) === 0xD8;
  const isCut = length % 2 === 1;
  // A lead surrogate waits for its other half; at the end it is one error together with an odd byte after it.
  if (isLead && (!flush || isCut)) count--;
  decoder.state = flush || count * 2 === length ? undefined : copyBytes(viewOf(bytes, count * 2));
  const text = stringOfUnits(bytes, 0, count, isBigEndian) + (flush && isCut ? "\uFFFD" : "");
  if (decoder.fatal) return (flush && isCut) || !engine.isWellFormed(text) ? undefined : text;
  return engine.toWellFormed(text);
}

// Section 9.1: windows-1252 is ISO-8859-1 but for these.
const WINDOWS_1252 = "\u20AC\x81\u201A\u0192\u201E\u2026\u2020\u2021\u02C6\u2030\u0160\u2039\u0152\x8D\u017D\x8F"
  + "\x90\u2018\u2019\u201C\u201D\u2022\u2013\u2014\u02DC\u2122\u0161\u203A\u0153\x9D\u017E\u0178";

function decodeWindows1252(decoder, bytes) {
  const latin1 = engine.latin1Decode(bytes);
  let text = "", from = 0;
  for (let i = 0; i < latin1.length; i++) {
    const c = StringPrototypeCharCodeAt(latin1, i);
    if (c < 0x80 || c > 0x9F) continue;
    text += StringPrototypeSlice(latin1, from, i) + WINDOWS_1252[c - 0x80];
    from = i + 1;
  }
  return from === 0 ? latin1 : text + StringPrototypeSlice(latin1, from);
}

/** Bytes for one op, which cannot be interrupted: some milliseconds of work. */
const PIECE = 2 ** 20;

function decodeByHost(decoder, bytes, flush) {
  const { encoding, fatal } = decoder, length = TypedArrayPrototypeGetLength(bytes);
  let text = "", start = 0;
  do {
    const end = MathMin(length, start + PIECE);
    const piece = end - start === length ? bytes : viewOf(bytes, start, end);
    const result = ops.decodeLegacy(encoding, piece, flush && end === length, fatal, decoder.state ?? 0);
    if (result === null) return undefined;
    text += result[0];
    decoder.state = result[1];
    start = end;
  } while (start < length);
  return text;
}

function legacyDecoderFor(encoding) {
  if (encoding === "windows-1252") return decodeWindows1252;
  return StringPrototypeIncludes(encoding, "utf-16") ? decodeUTF16 : decodeByHost;
}

provide({ legacyDecoderFor });
