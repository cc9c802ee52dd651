// multipart/form-data (RFC 7578): the encoding algorithm of HTML, section 4.10.21.8, and a parser that takes the body
// in pieces, as it comes in. What a part holds is not copied: its File is made of views on the pieces.
const {
  ArrayPrototypePush, MathMax, RegExpPrototypeExec, StringPrototypeIndexOf, StringPrototypeSlice,
  StringPrototypeToLowerCase, StringPrototypeTrim, TypeError, TypedArrayPrototypeGetByteLength,
  TypedArrayPrototypeIndexOf, Uint8Array,
} = primordials;
const { concatBytes, viewOf } = use("WebIDL/bufferSource");
const { blobParts, blobType, fileDetailsOf, makeBlob, makeFile } = use("FileAPI/blob");

const CR = 0x0d, LF = 0x0a, DASH = 0x2d;
/** Bytes that the headers of one part may have, so that a body without an end of headers is not gathered. */
const partHeadersLimit = 16 * 1024;

function escapeName(text) {
  let result = "";
  for (let i = 0; i < text.length; i++) {
    const char = text[i];
    result += char === "\r" ? "%0D" : char === "\n" ? "%0A" : char === '"' ? "%22" : char;
  }
  return result;
}

function withCRLF(text) {
  if (RegExpPrototypeExec(/[\r\n]/, text) === null) return text;
  let result = "";
  for (let i = 0; i < text.length; i++) {
    if (text[i] !== "\r" && text[i] !== "\n") {
      result += text[i];
      continue;
    }
    if (text[i] === "\r" && i + 1 < text.length && text[i + 1] === "\n") i++;
    result += "\r\n";
  }
  return result;
}

/** Gives { blob, type }: the encoded entry list, which shares the memory of its Files, and its Content-Type. */
function serializeMultipart(entryList) {
  const boundary = `----formdata-${ops.randomUUID()}`;
  const parts = [];
  let text = "", size = 0;
  const add = (bytes) => {
    ArrayPrototypePush(parts, bytes);
    size += TypedArrayPrototypeGetByteLength(bytes);
  };
  for (let i = 0; i < entryList.length; i += 2) {
    const value = entryList[i + 1];
    text += `--${boundary}\r\nContent-Disposition: form-data; name="${escapeName(withCRLF(entryList[i]))}"`;
    if (typeof value === "string") {
      text += `\r\n\r\n${withCRLF(value)}\r\n`;
      continue;
    }
    const type = blobType(value) || "application/octet-stream";
    text += `; filename="${escapeName(fileDetailsOf(value).name)}"\r\nContent-Type: ${type}\r\n\r\n`;
    add(engine.utf8Encode(text));
    text = "\r\n";
    const shared = blobParts(value);
    for (let j = 0; j < shared.length; j++) add(shared[j]);
  }
  add(engine.utf8Encode(`${text}--${boundary}--\r\n`));
  const type = `multipart/form-data; boundary=${boundary}`;
  return { blob: makeBlob(parts, size, type), type };
}

function malformed(what) {
  return new TypeError(`Failed to parse the body as multipart/form-data: ${what}`);
}

const preamble = 0, headers = 1, content = 2, epilogue = 3;

class MultipartParser {
  #delimiter;
  #delimiterLength;
  #state = preamble;
  // Whether nothing was consumed yet: the delimiter at the very start lacks its line end.
  #isAtStart = true;
  // What is not yet consumed.
  #rest = new Uint8Array(0);
  #part = null;
  #entryList = [];

  /** `boundary` is the parameter of the MIME type. */
  constructor(boundary) {
    this.#delimiter = engine.utf8Encode(`\r\n--${boundary}`);
    this.#delimiterLength = TypedArrayPrototypeGetByteLength(this.#delimiter);
  }

  /** Takes the next bytes, which belong to the parser from then on. */
  feed(bytes) {
    const rest = this.#rest, length = TypedArrayPrototypeGetByteLength(rest);
    this.#rest = length === 0 ? bytes
      : concatBytes([rest, bytes], length + TypedArrayPrototypeGetByteLength(bytes));
    while (this.#state !== epilogue && (this.#state === headers ? this.#readHeaders() : this.#readContent()));
  }

  /** Gives the entry list. */
  finish() {
    if (this.#state !== epilogue) throw malformed("it ends before its last boundary.");
    return this.#entryList;
  }

  // What lies before a delimiter: the preamble, or a part's content. Gives whether there may be more to read.
  #readContent() {
    const bytes = this.#rest, length = TypedArrayPrototypeGetByteLength(bytes);
    let at = this.#isAtStart ? -2 : TypedArrayPrototypeIndexOf(bytes, CR);
    while (this.#isAtStart || at >= 0) {
      if (this.#startsDelimiter(bytes, at, length)) {
        const end = delimiterEnd(bytes, at + this.#delimiterLength, length);
        if (end === needsMore) return this.#keep(MathMax(at, 0));
        if (end >= 0) return this.#endContent(at, end);
      }
      this.#isAtStart = false;
      at = TypedArrayPrototypeIndexOf(bytes, CR, MathMax(at + 1, 0));
    }
    return this.#keep(length);
  }

  // Whether the delimiter is at an index, as far as the bytes go.
  #startsDelimiter(bytes, at, length) {
    const delimiter = this.#delimiter;
    for (let i = at < 0 ? 2 : 1; i < this.#delimiterLength && at + i < length; i++) {
      if (bytes[at + i] !== delimiter[i]) return false;
    }
    return true;
  }

  // Everything up to `end` is content; what follows may become a delimiter.
  #keep(end) {
    const bytes = this.#rest;
    this.#addContent(bytes, end);
    this.#rest = viewOf(bytes, end, TypedArrayPrototypeGetByteLength(bytes));
    return false;
  }

  // The content ends at `at`, and the delimiter at `end`: at the line end that opens the headers, or at two dashes.
  #endContent(at, end) {
    const bytes = this.#rest;
    this.#addContent(bytes, at);
    this.#endPart();
    this.#isAtStart = false;
    this.#state = bytes[end] === DASH ? epilogue : headers;
    this.#rest = viewOf(bytes, end, TypedArrayPrototypeGetByteLength(bytes));
    return true;
  }

  #addContent(bytes, length) {
    const part = this.#part;
    if (part === null || length <= 0) return;
    ArrayPrototypePush(part.chunks, viewOf(bytes, 0, length));
    part.size += length;
  }

  #endPart() {
    const part = this.#part;
    if (part === null) return;
    const { chunks, size, name, filename, type } = part;
    const value = filename !== null ? makeFile(chunks, size, type, filename)
      : engine.utf8Decode(chunks.length === 1 ? chunks[0] : concatBytes(chunks, size), false);
    ArrayPrototypePush(this.#entryList, name, value);
    this.#part = null;
  }

  #readHeaders() {
    const bytes = this.#rest, length = TypedArrayPrototypeGetByteLength(bytes);
    const end = blankLineIndex(bytes, length);
    if (MathMax(end, 0) > partHeadersLimit || (end < 0 && length > partHeadersLimit)) {
      throw malformed("the headers of a part are too long.");
    }
    if (end < 0) return false;
    this.#part = partFromHeaders(engine.utf8Decode(viewOf(bytes, 0, end), false));
    this.#rest = viewOf(bytes, end + 4, length);
    this.#state = content;
    return true;
  }
}

const needsMore = -2;

// What may follow a boundary: two dashes, or spaces and a line end. Gives the index of these, or -1 if it is no
// boundary.
function delimiterEnd(bytes, i, length) {
  while (i < length && (bytes[i] === 0x20 || bytes[i] === 0x09)) i++;
  if (i + 1 >= length) return needsMore;
  const isEnd = (bytes[i] === DASH && bytes[i + 1] === DASH) || (bytes[i] === CR && bytes[i + 1] === LF);
  return isEnd ? i : -1;
}

// The index of two line ends in a row, or -1.
function blankLineIndex(bytes, length) {
  for (let i = 0; ; i++) {
    i = TypedArrayPrototypeIndexOf(bytes, CR, i);
    if (i < 0 || i + 3 >= length) return -1;
    if (bytes[i + 1] === LF && bytes[i + 2] === CR && bytes[i + 3] === LF) return i;
  }
}

// A part, from its header lines, each of which comes after a line end.
function partFromHeaders(text) {
  const part = { name: null, filename: null, type: "text/plain", chunks: [], size: 0 };
  for (let start = 2; start <= text.length;) {
    const lineEnd = StringPrototypeIndexOf(text, "\r\n", start), end = lineEnd < 0 ? text.length : lineEnd;
    const colon = StringPrototypeIndexOf(text, ":", start);
    if (colon < 0 || colon >= end) throw malformed("a header has no colon.");
    const name = StringPrototypeToLowerCase(StringPrototypeSlice(text, start, colon));
    const value = StringPrototypeTrim(StringPrototypeSlice(text, colon + 1, end));
    if (name === "content-disposition") readDisposition(value, part);
    else if (name === "content-type") part.type = value;
    start = end + 2;
  }
  if (part.name === null) throw new TypeError("Content-Disposition header in FormData part is missing a name.");
  return part;
}

// RFC 7578, section 4.2, with the escapes that browsers use; a backslash only escapes a quotation mark.
function readDisposition(value, part) {
  const parameter = /;[\t ]*([^=;\s]+)=(?:"((?:[^"\\]|\\"|\\(?!"))*)"|([^;\s]*))[\t ]*/y;
  if (RegExpPrototypeExec(/^form-data[\t ]*(?:;|$)/i, value) === null) {
    throw malformed("the disposition of a part is not form-data.");
  }
  parameter.lastIndex = StringPrototypeIndexOf(value, ";");
  while (parameter.lastIndex >= 0 && parameter.lastIndex < value.length) {
    const match = RegExpPrototypeExec(parameter, value);
    if (match === null) throw malformed("the disposition of a part cannot be read.");
    const name = StringPrototypeToLowerCase(match[1]);
    if (name === "name") part.name = unescapeName(match[2] ?? match[3]);
    else if (name === "filename") part.filename = unescapeName(match[2] ?? match[3]);
  }
}

const escapes = { __proto__: null, "%0A": "\n", "%0D": "\r", "%22": '"' };

function unescapeName(text) {
  let result = "";
  for (let i = 0; i < text.length; i++) {
    const escaped = text[i] === "%" ? escapes[StringPrototypeSlice(text, i, i + 3)] : undefined;
    if (escaped !== undefined) {
      result += escaped;
      i += 2;
    } else if (text[i] !== "\\" || i + 1 === text.length || text[i + 1] !== '"') {
      result += text[i];
    }
  }
  return result;
}

provide({ MultipartParser, serializeMultipart });
