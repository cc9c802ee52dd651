// URL Standard, section 1.3: percent-encoded bytes and the sets of code points to encode.
const {
  ArrayPrototypeJoin, ArrayPrototypePush, StringFromCharCode, StringPrototypeCharCodeAt, StringPrototypeIncludes,
  StringPrototypeSlice, TypedArrayPrototypeGetLength, Uint8Array, decodeURIComponent, encodeURIComponent,
} = primordials;
const { viewOf } = use("WebIDL/bufferSource");

// One bit per set; all but the last three are the standard's percent-encode sets.
const C0_CONTROL = 1, FRAGMENT = 2, QUERY = 4, SPECIAL_QUERY = 8, PATH = 16, USERINFO = 32, COMPONENT = 64, FORM = 128;
const FORBIDDEN_HOST = 256, FORBIDDEN_DOMAIN = 512;
/** What a path that needs no work may hold only after a closer look: the path set, slashes of both kinds. */
const PATH_ATTENTION = 1024;

const FRAGMENT_EXTRA = " \"<>`", QUERY_EXTRA = " \"#<>", PATH_EXTRA = QUERY_EXTRA + "?^`{}";
const USERINFO_EXTRA = PATH_EXTRA + "/:;=@[\\]|", COMPONENT_EXTRA = USERINFO_EXTRA + "$%&+,";
const FORBIDDEN_HOST_EXTRA = "\0\t\n\r #/:<>?@[\\]^|";

function setsOf(code) {
  const c = StringFromCharCode(code);
  const has = (text) => StringPrototypeIncludes(text, c);
  if (code < 0x20 || code === 0x7F) return 0x7FF & ~(has(FORBIDDEN_HOST_EXTRA) ? 0 : FORBIDDEN_HOST);
  return (has(FRAGMENT_EXTRA) ? FRAGMENT : 0) | (has(QUERY_EXTRA) ? QUERY : 0)
    | (has(QUERY_EXTRA + "'") ? SPECIAL_QUERY : 0) | (has(PATH_EXTRA) ? PATH : 0)
    | (has(USERINFO_EXTRA) ? USERINFO : 0) | (has(COMPONENT_EXTRA) ? COMPONENT : 0)
    | (has(COMPONENT_EXTRA + "!'()~") ? FORM : 0) | (has(FORBIDDEN_HOST_EXTRA) ? FORBIDDEN_HOST : 0)
    | (has(FORBIDDEN_HOST_EXTRA + "%") ? FORBIDDEN_DOMAIN : 0) | (has(PATH_EXTRA + "/\\") ? PATH_ATTENTION : 0);
}

function makeTable() {
  const units = [];
  for (let code = 0; code < 0x80; code++) ArrayPrototypePush(units, StringFromCharCode(setsOf(code)));
  return ArrayPrototypeJoin(units, "");
}

/** The sets that each ASCII code point is in, as the code units of a string; whatever is above is in all of them. */
const ASCII_SETS = makeTable();
const HEX = "0123456789ABCDEF";

/** Whether an ASCII code point of `text` is in `set`. */
function hasCodePointIn(text, set) {
  for (let i = 0; i < text.length; i++) {
    const c = StringPrototypeCharCodeAt(text, i);
    if (c < 0x80 && (StringPrototypeCharCodeAt(ASCII_SETS, c) & set) !== 0) return true;
  }
  return false;
}

/** UTF-8 percent-encode a well-formed string. Gives the string itself if nothing has to be encoded. */
function utf8PercentEncode(input, set, space = "%20") {
  const length = input.length;
  let output = "", from = 0;
  for (let i = 0; i < length; i++) {
    const c = StringPrototypeCharCodeAt(input, i);
    if (c < 0x80 && (StringPrototypeCharCodeAt(ASCII_SETS, c) & set) === 0) continue;
    output += StringPrototypeSlice(input, from, i);
    from = i + 1;
    if (c < 0x80) {
      output += c === 0x20 ? space : "%" + HEX[c >> 4] + HEX[c & 15];
      continue;
    }
    while (from < length && StringPrototypeCharCodeAt(input, from) >= 0x80) from++;
    output += encodeURIComponent(StringPrototypeSlice(input, i, from));
    i = from - 1;
  }
  return from === 0 ? input : output + StringPrototypeSlice(input, from);
}

function hexDigitValue(c) {
  if (c >= 0x30 && c <= 0x39) return c - 0x30;
  const lower = c | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

/** Percent-decode bytes. */
function percentDecode(bytes) {
  const length = TypedArrayPrototypeGetLength(bytes);
  const output = new Uint8Array(length);
  let written = 0;
  for (let i = 0; i < length; i++) {
    let byte = bytes[i];
    if (byte === 0x25 && i + 2 < length) {
      const high = hexDigitValue(bytes[i + 1]), low = hexDigitValue(bytes[i + 2]);
      if (high >= 0 && low >= 0) {
        byte = high * 16 + low;
        i += 2;
      }
    }
    output[written++] = byte;
  }
  return viewOf(output, 0, written);
}

/** Percent-decode a string to bytes. */
const percentDecodeString = (input) => percentDecode(engine.utf8Encode(input));

/** UTF-8 decode without BOM of the percent-decoding of a string. */
function percentDecodeToText(input) {
  if (!StringPrototypeIncludes(input, "%")) return input;
  try {
    return decodeURIComponent(input);
  } catch {
    return engine.utf8Decode(percentDecodeString(input), false);
  }
}

provide({
  ASCII_SETS, C0_CONTROL, COMPONENT, FORBIDDEN_DOMAIN, FORBIDDEN_HOST, FORM, FRAGMENT, PATH, PATH_ATTENTION, QUERY,
  SPECIAL_QUERY, USERINFO, hasCodePointIn, hexDigitValue, percentDecode, percentDecodeString, percentDecodeToText,
  utf8PercentEncode,
});
