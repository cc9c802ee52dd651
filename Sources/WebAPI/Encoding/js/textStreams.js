// Encoding Standard, sections 7.5 and 7.6: TextDecoderStream and TextEncoderStream.
const { TypedArrayPrototypeGetByteLength, Uint8Array } = primordials;
const { converters, defineInterface } = use("WebIDL/webidl");
const { bytesOf } = use("WebIDL/bufferSource");
const { StreamEncoder, makeDecoder } = use("Encoding/encoding");
const { defineRecord } = use("Core/records");
const { createTransform } = use("Streams/transform");
const { readableObject } = use("Streams/readableObjects");
const { writableObject } = use("Streams/writableObjects");

class DecodingTransformer {
  constructor(decoder) { this.decoder = decoder; }

  /** "Decode and enqueue a chunk". */
  transform(chunk, controller) {
    converters.BufferSource(chunk, undefined, "A chunk of TextDecoderStream");
    const text = this.decoder.decode(bytesOf(chunk), true);
    if (text !== "") controller.enqueue(text);
  }

  /** "Flush and enqueue". */
  flush(controller) {
    const text = this.decoder.decode(new Uint8Array(0), false);
    if (text !== "") controller.enqueue(text);
  }

  cancel() {}
}
defineRecord(DecodingTransformer);

class TextDecoderStream {
  #decoder; #transform;

  constructor(label = undefined, options = undefined) {
    this.#decoder = makeDecoder(label, options, "Failed to construct 'TextDecoderStream'");
    this.#transform = createTransform(new DecodingTransformer(this.#decoder));
  }

  get encoding() { return this.#decoder.encoding; }
  get fatal() { return this.#decoder.fatal; }
  get ignoreBOM() { return this.#decoder.ignoreBOM; }
  get readable() { return readableObject(this.#transform.readable); }
  get writable() { return writableObject(this.#transform.writable); }
}
defineInterface(TextDecoderStream);

class EncodingTransformer {
  constructor() { this.encoder = new StreamEncoder(); }

  /** "Encode and enqueue a chunk". */
  transform(chunk, controller) {
    if (typeof chunk !== "string") chunk = converters.DOMString(chunk, undefined, "A chunk of TextEncoderStream");
    if (chunk === "") return;
    const bytes = this.encoder.encode(chunk);
    if (TypedArrayPrototypeGetByteLength(bytes) > 0) controller.enqueue(bytes);
  }

  /** "Encode and flush". */
  flush(controller) {
    const bytes = this.encoder.flush();
    if (bytes !== null) controller.enqueue(bytes);
  }

  cancel() {}
}
defineRecord(EncodingTransformer);

class TextEncoderStream {
  #transform = createTransform(new EncodingTransformer());

  get encoding() {
    this.#transform;
    return "utf-8";
  }

  get readable() { return readableObject(this.#transform.readable); }
  get writable() { return writableObject(this.#transform.writable); }
}
defineInterface(TextEncoderStream);

provide({ TextDecoderStream, TextEncoderStream });
