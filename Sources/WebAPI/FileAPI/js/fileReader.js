// File API, section 6: FileReader. A Blob's bytes are in memory, so that a read operation is a row of tasks that only
// fire its events.
const { TypedArrayPrototypeGetBuffer } = primordials;
const { converters, defineConstants, defineInterface, interfaceConverter, requireArguments } = use("WebIDL/webidl");
const { concatBytes } = use("WebIDL/bufferSource");
const { DOMException } = use("DOM/exception");
const { EventTarget, defineEventHandlers, dispatchTrusted } = use("DOM/target");
const { cancel, runAfter } = use("HTML/timers");
const { blobBytes, blobParts, blobSize, blobType } = use("FileAPI/blob");
const { ProgressEvent } = use("XHR/progressEvent");

const EMPTY = 0, LOADING = 1, DONE = 2;
const constants = { __proto__: null, EMPTY, LOADING, DONE };

// Section 6.3: "package data", by the method.
const packages = {
  __proto__: null,
  readAsArrayBuffer: (blob) => TypedArrayPrototypeGetBuffer(concatBytes(blobParts(blob), blobSize(blob))),
  readAsBinaryString: (blob) => engine.latin1Decode(blobBytes(blob)),
  readAsDataURL(blob) {
    const base64 = use("ECMAScript/base64").encodeBase64(blobBytes(blob), "base64", false);
    return `data:${blobType(blob) || "application/octet-stream"};base64,${base64}`;
  },
  readAsText: (blob, label) => decodeText(blobBytes(blob), encodingFor(blob, label)),
};

function encodingFor(blob, label) {
  const { getEncoding } = use("Encoding/labels");
  const encoding = label === undefined ? null : getEncoding(label);
  if (encoding !== null) return encoding;
  const { mimeParameter, parseMIMEType } = use("Fetch/mime");
  const mimeType = parseMIMEType(blobType(blob));
  const charset = mimeType === null ? undefined : mimeParameter(mimeType, "charset");
  return (charset === undefined ? null : getEncoding(charset)) ?? "utf-8";
}

// Encoding Standard, section 6: "decode", in which a byte order mark wins.
function decodeText(bytes, fallback) {
  const encoding = bytes[0] === 0xfe && bytes[1] === 0xff ? "utf-16be"
    : bytes[0] === 0xff && bytes[1] === 0xfe ? "utf-16le"
      : bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? "utf-8" : fallback;
  const { Decoder } = use("Encoding/encoding");
  return new Decoder(encoding, false, false).decode(bytes, false);
}

class FileReader extends EventTarget {
  #state = EMPTY;
  #result = null;
  #error = null;
  // The task in progress, by its timer's id.
  #task = 0;

  constructor() { super(); }

  readAsArrayBuffer(blob) {
    this.#read("readAsArrayBuffer", blob, arguments.length, undefined);
  }

  readAsBinaryString(blob) {
    this.#read("readAsBinaryString", blob, arguments.length, undefined);
  }

  readAsText(blob, encoding = undefined) {
    const prefix = "Failed to execute 'readAsText' on 'FileReader'";
    const label = encoding === undefined ? undefined : converters.DOMString(encoding, prefix, "parameter 2");
    this.#read("readAsText", blob, arguments.length, label);
  }

  readAsDataURL(blob) {
    this.#read("readAsDataURL", blob, arguments.length, undefined);
  }

  abort() {
    if (this.#state !== LOADING) {
      this.#result = null;
      return;
    }
    cancel(this.#task);
    this.#state = DONE;
    this.#result = null;
    this.#error = new DOMException("The read operation was aborted.", "AbortError");
    this.#fire("abort", 0, 0);
    if (this.#state !== LOADING) this.#fire("loadend", 0, 0);
  }

  get readyState() { return this.#state; }
  get result() { return this.#result; }
  get error() { return this.#error; }

  // Section 6.2: "read operation". Each event is a task of its own.
  #read(method, blob, argumentCount, label) {
    const state = this.#state, prefix = `Failed to execute '${method}' on 'FileReader'`;
    requireArguments(argumentCount, 1, prefix);
    converters.Blob(blob, prefix, "parameter 1");
    if (state === LOADING) throw new DOMException("The FileReader is reading already.", "InvalidStateError");
    const size = blobSize(blob);
    this.#state = LOADING;
    this.#result = this.#error = null;
    this.#queue(() => {
      this.#queue(size === 0 ? () => this.#finish(method, blob, label) : () => {
        this.#queue(() => this.#finish(method, blob, label));
        this.#fire("progress", size, size);
      });
      this.#fire("loadstart", 0, size);
    });
  }

  #finish(method, blob, label) {
    const size = blobSize(blob);
    let isRead = false;
    this.#state = DONE;
    try {
      this.#result = packages[method](blob, label);
      isRead = true;
    } catch {
      this.#error = new DOMException("The Blob could not be read.", "NotReadableError");
    }
    const task = this.#queue(() => {
      if (this.#task === task) this.#fire("loadend", size, size);
    });
    this.#fire(isRead ? "load" : "error", size, size);
  }

  #queue(step) {
    return this.#task = runAfter(0, step);
  }

  #fire(type, loaded, total) {
    const init = { __proto__: null, lengthComputable: true, loaded, total };
    dispatchTrusted(this, new ProgressEvent(type, init));
  }

  static {
    converters.FileReader = interfaceConverter("FileReader", (value) => #state in value);
  }
}
defineInterface(FileReader);
defineConstants(FileReader, constants);
defineEventHandlers(FileReader.prototype, ["loadstart", "progress", "load", "abort", "error", "loadend"],
  (value) => converters.FileReader(value, undefined, "The receiver"));

provide({ FileReader });
