// File API, section 3: Blob, and section 4: File. A Blob is a list of Uint8Arrays that nobody changes, so that
// slices, and Blobs made of Blobs, share their memory.
const {
  ArrayBufferIsView, ArrayPrototypePush, DateNow, MathMax, MathMin, PromiseReject, PromiseResolve, RangeError,
  RegExpPrototypeExec, StringPrototypeIndexOf, StringPrototypeSlice, StringPrototypeToLowerCase,
  TypedArrayPrototypeGetBuffer, TypedArrayPrototypeGetByteLength,
} = primordials;
const {
  converters, defineInterface, dictionary, enumeration, exposeGlobals, exposeLazyGlobals, illegalInvocation,
  interfaceConverter, isArrayBuffer, requireArguments, sequence,
} = use("WebIDL/webidl");
const { bytesOf, concatBytes, copyBytes, viewOf } = use("WebIDL/bufferSource");
const { registerSerializable } = use("HTML/serializable");

/** Bytes that one Blob may hold, as in Workers. */
const sizeLimit = 128 * 1024 * 1024;
const internal = {};

let fileDetailsOf, isBlob, isFile, partsOf, sizeOf, typeOf;

class Blob {
  #parts;
  #size;
  #type;

  constructor(blobParts = undefined, options = undefined) {
    if (blobParts === internal) {
      const { parts, size, type } = options;
      this.#parts = parts;
      this.#size = size;
      this.#type = type;
      return;
    }
    const prefix = "Failed to construct 'Blob'";
    const elements = blobParts === undefined ? [] : blobPartSequence(blobParts, prefix, "parameter 1");
    const { endings, type } = blobPropertyBag(options, prefix, "parameter 2");
    const { parts, size } = processBlobParts(elements, endings);
    this.#parts = parts;
    this.#size = size;
    this.#type = normalizedType(type);
  }

  get size() {
    return this.#size;
  }

  get type() {
    return this.#type;
  }

  slice(start = undefined, end = undefined, contentType = undefined) {
    const prefix = "Failed to execute 'slice' on 'Blob'", size = this.#size;
    const from = start === undefined ? 0 : clampedIndex(start, size, prefix, "parameter 1");
    const to = end === undefined ? size : clampedIndex(end, size, prefix, "parameter 2");
    const type = contentType === undefined ? "" : converters.DOMString(contentType, prefix, "parameter 3");
    return makeBlob(sliceParts(this.#parts, from, to), MathMax(0, to - from), normalizedType(type));
  }

  stream() {
    return use("Streams/readableObjects").readableObject(use("FileAPI/blobStream").streamOfChunks(this.#parts));
  }

  text() {
    return isBlob(this) ? PromiseResolve(utf8Decode(blobBytes(this))) : PromiseReject(illegalInvocation());
  }

  arrayBuffer() {
    if (!isBlob(this)) return PromiseReject(illegalInvocation());
    return PromiseResolve(TypedArrayPrototypeGetBuffer(concatBytes(this.#parts, this.#size)));
  }

  bytes() {
    return isBlob(this) ? PromiseResolve(concatBytes(this.#parts, this.#size)) : PromiseReject(illegalInvocation());
  }

  static {
    isBlob = (value) => typeof value === "object" && value !== null && #parts in value;
    partsOf = (blob) => blob.#parts;
    sizeOf = (blob) => blob.#size;
    typeOf = (blob) => blob.#type;
  }
}
defineInterface(Blob);
converters.Blob = interfaceConverter("Blob", isBlob);

class File extends Blob {
  #name;
  #lastModified;

  constructor(fileBits, fileName, options = undefined) {
    if (fileBits === internal) {
      super(internal, fileName);
      this.#name = fileName.name;
      this.#lastModified = fileName.lastModified;
      return;
    }
    const prefix = "Failed to construct 'File'";
    requireArguments(arguments.length, 2, prefix);
    const elements = blobPartSequence(fileBits, prefix, "parameter 1");
    const name = converters.USVString(fileName, prefix, "parameter 2");
    const { endings, lastModified, type } = filePropertyBag(options, prefix, "parameter 3");
    const { parts, size } = processBlobParts(elements, endings);
    super(internal, { parts, size, type: normalizedType(type) });
    this.#name = name;
    this.#lastModified = lastModified ?? DateNow();
  }

  get name() {
    return this.#name;
  }

  get lastModified() {
    return this.#lastModified;
  }

  static {
    isFile = (value) => typeof value === "object" && value !== null && #name in value;
    fileDetailsOf = (file) => ({ name: file.#name, lastModified: file.#lastModified });
  }
}
defineInterface(File);

const blobPartSequence = sequence((V, prefix, context) =>
  isBlob(V) || ArrayBufferIsView(V) || isArrayBuffer(V) ? V : converters.USVString(V, prefix, context));

const endingType = enumeration("EndingType", ["transparent", "native"]);
const blobMembers = [
  { __proto__: null, key: "endings", converter: endingType, defaultValue: () => "transparent" },
  { __proto__: null, key: "type", converter: converters.DOMString, defaultValue: () => "" },
];
const blobPropertyBag = dictionary("BlobPropertyBag", blobMembers);
const filePropertyBag = dictionary("FilePropertyBag", [
  blobMembers[0], blobMembers[1], { __proto__: null, key: "lastModified", converter: converters["long long"] },
]);
const clamp = { __proto__: null, clamp: true };

// Section 3.1: a type with a character outside U+0020 to U+007E is none.
function normalizedType(type) {
  return RegExpPrototypeExec(/[^\x20-\x7e]/, type) === null ? StringPrototypeToLowerCase(type) : "";
}

function clampedIndex(value, size, prefix, context) {
  const index = converters["long long"](value, prefix, context, clamp);
  return index < 0 ? MathMax(size + index, 0) : MathMin(index, size);
}

// Section 3.1.1: "process blob parts". What comes in a row and is not yet a Blob's becomes one part.
function processBlobParts(elements, endings) {
  const parts = [];
  let size = 0, row = [], rowSize = 0;
  const endRow = () => {
    if (rowSize > 0) ArrayPrototypePush(parts, row.length === 1 ? copyBytes(row[0]) : concatBytes(row, rowSize));
    row = [];
    rowSize = 0;
  };
  for (let i = 0; i < elements.length; i++) {
    const element = elements[i];
    const length = isBlob(element) ? sizeOf(element) : appendToRow(row, element, endings);
    size += length;
    if (size > sizeLimit) throw new RangeError(`Blob size ${size} exceeds limit ${sizeLimit}`);
    if (!isBlob(element)) {
      rowSize += length;
      continue;
    }
    endRow();
    const shared = partsOf(element);
    for (let j = 0; j < shared.length; j++) ArrayPrototypePush(parts, shared[j]);
  }
  if (parts.length === 0 && elements.length === 1 && typeof elements[0] === "string") ArrayPrototypePush(parts, row[0]);
  else endRow();
  return { parts, size };
}

function appendToRow(row, element, endings) {
  const bytes = typeof element !== "string" ? bytesOf(element)
    : engine.utf8Encode(endings === "native" ? convertLineEndings(element) : element);
  ArrayPrototypePush(row, bytes);
  return TypedArrayPrototypeGetByteLength(bytes);
}

// Section 3.1.2: "convert line endings to native", which is LF here.
function convertLineEndings(text) {
  let result = "", from = 0;
  for (;;) {
    const at = StringPrototypeIndexOf(text, "\r", from);
    if (at < 0) return result + StringPrototypeSlice(text, from);
    result += StringPrototypeSlice(text, from, at) + "\n";
    from = at + 1;
    if (from < text.length && text[from] === "\n") from++;
  }
}

function sliceParts(parts, start, end) {
  const result = [];
  for (let i = 0, offset = 0; i < parts.length && offset < end; i++) {
    const length = TypedArrayPrototypeGetByteLength(parts[i]);
    const from = MathMax(start - offset, 0), to = MathMin(end - offset, length);
    if (from < to) ArrayPrototypePush(result, viewOf(parts[i], from, to));
    offset += length;
  }
  return result;
}

/** All bytes of a Blob, which may be its own memory: neither to be changed nor to be given to a tenant. */
function blobBytes(blob) {
  const parts = partsOf(blob);
  return parts.length === 1 ? parts[0] : concatBytes(parts, sizeOf(blob));
}

// Encoding Standard, section 6: "UTF-8 decode", which drops a byte order mark.
function utf8Decode(bytes) {
  const text = engine.utf8Decode(bytes, false);
  return text.length > 0 && text[0] === "\uFEFF" ? StringPrototypeSlice(text, 1) : text;
}

/** The same of bytes that nobody else has, now or later. */
function utf8DecodeOwn(bytes) {
  const text = engine.utf8DecodeOwn(bytes, false);
  return text.length > 0 && text[0] === "\uFEFF" ? StringPrototypeSlice(text, 1) : text;
}

/** A Blob of parts that are not copied. */
function makeBlob(parts, size, type) {
  return new Blob(internal, { parts, size, type });
}

/** A File of parts that are not copied. */
function makeFile(parts, size, type, name, lastModified = DateNow()) {
  return new File(internal, { parts, size, type, name, lastModified });
}

const cloneBlob = (blob) => makeBlob(partsOf(blob), sizeOf(blob), typeOf(blob));

function cloneFile(file) {
  const { name, lastModified } = fileDetailsOf(file);
  return makeFile(partsOf(file), sizeOf(file), typeOf(file), name, lastModified);
}

registerSerializable(Blob, { __proto__: null, isInstance: isBlob, clone: cloneBlob });
registerSerializable(File, { __proto__: null, isInstance: isFile, clone: cloneFile });

exposeGlobals({ Blob, File });
exposeLazyGlobals("FileAPI/fileReader", ["FileReader"]);
exposeLazyGlobals("XHR/progressEvent", ["ProgressEvent"]);

provide({
  Blob, File, blobBytes, blobParts: partsOf, blobSize: sizeOf, blobType: typeOf, fileDetailsOf, isBlob, isFile,
  makeBlob, makeFile, utf8Decode, utf8DecodeOwn,
});
