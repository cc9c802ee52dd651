// Encoding Standard, section 7: TextEncoder and TextDecoder, with the decoder and encoder that their streams share.
const {
  ArrayBufferIsView, MathMin, RangeError, StringPrototypeCharCodeAt, StringPrototypeSlice, TypeError,
  TypedArrayPrototypeGetLength, TypedArrayPrototypeGetSymbolToStringTag, Uint8Array,
} = primordials;
const { defineRecord } = use("Core/records");
const { converters, defineInterface, dictionary, exposeGlobals, illegalInvocation, requireArguments } =
  use("WebIDL/webidl");
const { bytesOf, concatBytes, copyBytes, viewOf } = use("WebIDL/bufferSource");

const { DOMString: toDOMString, BufferSource: toBufferSource, boolean } = converters;
const no = () => false;
const toDecoderOptions = dictionary("TextDecoderOptions", [
  { key: "fatal", converter: boolean, defaultValue: no },
  { key: "ignoreBOM", converter: boolean, defaultValue: no },
]);
const toDecodeOptions = dictionary("TextDecodeOptions", [{ key: "stream", converter: boolean, defaultValue: no }]);
const NO_BYTES = new Uint8Array(0);

/** The decoding half of TextDecoder and TextDecoderStream. `encoding` is a name in lower case. */
class Decoder {
  constructor(encoding, fatal, ignoreBOM) {
    this.encoding = encoding;
    this.fatal = fatal;
    this.ignoreBOM = ignoreBOM;
    this.isBOMSeen = false;
    this.doNotFlush = false;
    /** What the encoding keeps between calls; of UTF-8, the bytes of an incomplete sequence. */
    this.state = undefined;
    this.run = encoding === "utf-8" ? decodeUTF8 : use("Encoding/legacy").legacyDecoderFor(encoding);
  }

  /** decode() of section 7.2: a Uint8Array to a string. With `stream`, what is incomplete waits for the next call. */
  decode(bytes, stream) {
    if (!this.doNotFlush) {
      this.state = undefined;
      this.isBOMSeen = false;
    }
    this.doNotFlush = stream;
    const text = this.run(this, bytes, !stream);
    if (text === undefined) {
      this.state = undefined;
      throw new TypeError("Failed to decode input.");
    }
    if (this.isBOMSeen || text === "") return text;
    this.isBOMSeen = true;
    const dropsBOM = !this.ignoreBOM && StringPrototypeCharCodeAt(text, 0) === 0xFEFF && isUnicode(this.encoding);
    return dropsBOM ? StringPrototypeSlice(text, 1) : text;
  }
}
defineRecord(Decoder);

const isUnicode = (encoding) => encoding === "utf-8" || encoding === "utf-16le" || encoding === "utf-16be";

function decodeUTF8(decoder, input, flush) {
  const rest = decoder.state;
  if (rest === undefined && flush) return engine.utf8Decode(input, decoder.fatal);
  let bytes = rest === undefined ? input
    : concatBytes([rest, input], TypedArrayPrototypeGetLength(rest) + TypedArrayPrototypeGetLength(input));
  decoder.state = undefined;
  if (!flush) {
    const length = TypedArrayPrototypeGetLength(bytes), cut = length - incompleteLength(bytes, length);
    if (cut < length) {
      decoder.state = copyBytes(viewOf(bytes, cut));
      bytes = viewOf(bytes, 0, cut);
    }
  }
  return engine.utf8Decode(bytes, decoder.fatal);
}

/** How many bytes at the end begin a sequence that more bytes could complete (section 8.1.1, UTF-8 decoder). */
function incompleteLength(bytes, length) {
  for (let back = 1; back <= 3 && back <= length; back++) {
    const lead = bytes[length - back];
    if (lead < 0x80) return 0;
    if (lead < 0xC0) continue;
    if (lead < 0xC2 || lead > 0xF4 || back >= (lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4)) return 0;
    if (back === 1) return 1;
    const second = bytes[length - back + 1];
    const lower = lead === 0xE0 ? 0xA0 : lead === 0xF0 ? 0x90 : 0x80;
    const upper = lead === 0xED ? 0x9F : lead === 0xF4 ? 0x8F : 0xBF;
    return second >= lower && second <= upper ? back : 0;
  }
  return 0;
}

/** The decoder that a label and options ask for, as the constructors of TextDecoder and TextDecoderStream make it. */
function makeDecoder(label, options, prefix) {
  if (label === undefined && options === undefined) return new Decoder("utf-8", false, false);
  label = label === undefined ? "utf-8" : toDOMString(label, prefix, "parameter 1");
  const { fatal, ignoreBOM } = toDecoderOptions(options, prefix, "parameter 2");
  const isUTF8 = label === "utf-8" || label === "utf8" || label === "UTF-8";
  const encoding = isUTF8 ? "utf-8" : use("Encoding/labels").getEncoding(label);
  if (encoding === null || encoding === "replacement") {
    throw new RangeError(`${prefix}: The encoding label provided ('${label}') is invalid.`);
  }
  return new Decoder(encoding, fatal, ignoreBOM);
}

/** A view on the bytes of a BufferSource, which is the source itself if that is a Uint8Array. */
function toBytes(source, prefix) {
  if (ArrayBufferIsView(source) && TypedArrayPrototypeGetSymbolToStringTag(source) === "Uint8Array") return source;
  return bytesOf(toBufferSource(source, prefix, "parameter 1"));
}

// Section 7.2: TextDecoder.
class TextDecoder {
  #decoder;

  constructor(label = undefined, options = undefined) {
    this.#decoder = makeDecoder(label, options, "Failed to construct 'TextDecoder'");
  }

  static #of(object) {
    if (!(#decoder in object)) throw illegalInvocation();
    return object.#decoder;
  }

  get encoding() { return TextDecoder.#of(this).encoding; }
  get fatal() { return TextDecoder.#of(this).fatal; }
  get ignoreBOM() { return TextDecoder.#of(this).ignoreBOM; }

  decode(input = undefined, options = undefined) {
    const decoder = TextDecoder.#of(this), prefix = "Failed to execute 'decode' on 'TextDecoder'";
    const bytes = input === undefined ? NO_BYTES : toBytes(input, prefix);
    const stream = options === undefined ? false : toDecodeOptions(options, prefix, "parameter 2").stream;
    return decoder.decode(bytes, stream);
  }
}
defineInterface(TextDecoder);

/** What one engine.utf8EncodeInto may write, since its result packs two numbers into one. */
const MAXIMUM_WRITE = 2 ** 26 - 1;

function encodeInto(source, destination) {
  const capacity = TypedArrayPrototypeGetLength(destination);
  if (capacity === 0) return { read: 0, written: 0 };
  let read = 0, written = 0;
  for (;;) {
    const room = MathMin(capacity - written, MAXIMUM_WRITE);
    const view = room === capacity ? destination : viewOf(destination, written, written + room);
    const packed = engine.utf8EncodeInto(read === 0 ? source : StringPrototypeSlice(source, read), view);
    const chunkWritten = packed % 2 ** 26;
    read += (packed - chunkWritten) / 2 ** 26;
    written += chunkWritten;
    if (room < MAXIMUM_WRITE || read === source.length) return { read, written };
  }
}

// Section 7.4: TextEncoder.
class TextEncoder {
  // A private name brands the instances, which have no state.
  #brand;

  static #check(object) {
    if (!(#brand in object)) throw illegalInvocation();
  }

  get encoding() {
    TextEncoder.#check(this);
    return "utf-8";
  }

  encode(input = undefined) {
    TextEncoder.#check(this);
    if (input === undefined) return new Uint8Array(0);
    const prefix = "Failed to execute 'encode' on 'TextEncoder'";
    return engine.utf8Encode(typeof input === "string" ? input : toDOMString(input, prefix, "parameter 1"));
  }

  encodeInto(source, destination) {
    TextEncoder.#check(this);
    const prefix = "Failed to execute 'encodeInto' on 'TextEncoder'";
    requireArguments(arguments.length, 2, prefix);
    source = toDOMString(source, prefix, "parameter 1");
    return encodeInto(source, converters.Uint8Array(destination, prefix, "parameter 2"));
  }
}
defineInterface(TextEncoder);
exposeGlobals({ TextDecoder, TextEncoder });

/** The encoding half of TextEncoderStream, section 7.6: a lead surrogate at a chunk's end waits for its other half. */
class StreamEncoder {
  constructor() {
    this.leadSurrogate = "";
  }

  /** A string to a Uint8Array, which may be empty. */
  encode(chunk) {
    let text = this.leadSurrogate + chunk;
    this.leadSurrogate = "";
    if (text !== "" && (StringPrototypeCharCodeAt(text, text.length - 1) & 0xFC00) === 0xD800) {
      this.leadSurrogate = StringPrototypeSlice(text, -1);
      text = StringPrototypeSlice(text, 0, -1);
    }
    return engine.utf8Encode(text);
  }

  /** What is left at the end: null, or the bytes of a replacement character. */
  flush() {
    return this.leadSurrogate === "" ? null : engine.utf8Encode("\uFFFD");
  }
}
defineRecord(StreamEncoder);

/**
 * For the streams: makeDecoder(label, options, prefix) converts the constructor's arguments and gives a Decoder
 * { encoding, fatal, ignoreBOM, decode(bytes, stream) }; StreamEncoder. For others: new Decoder(encoding, fatal,
 * ignoreBOM).
 */
provide({ Decoder, StreamEncoder, TextDecoder, TextEncoder, makeDecoder });
