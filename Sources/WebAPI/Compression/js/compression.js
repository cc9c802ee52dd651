// Compression Standard: CompressionStream and DecompressionStream. Needs the ops
//   compressionOpen(format, decompresses) -> a number, never one that was given before. `format`: 0 deflate (zlib),
//     1 deflate-raw, 2 gzip, 3 brotli. Throws an Error if too many are open
//   compressionPush(number, bytes) -> Uint8Array (the first piece of the output, of bounded length) or null (there is
//     none yet); what is not used of the input is kept
//   compressionPull(number) -> the next piece, or null: only then may there be another push, or the finish
//   compressionFinish(number) -> the first piece of what the end of the input yields, or null
//   compressionClose(number): gives up what the number stands for; ignored if it is closed.
// The three in the middle throw a TypeError if the input is malformed, goes on after its end or ends too early, or if
// there is more output than the limits allow. What throws also closes, and so does the null that follows the finish.
const {
  FinalizationRegistry, FinalizationRegistryPrototypeRegister, FinalizationRegistryPrototypeUnregister, MathMin,
  TypedArrayPrototypeGetByteLength,
} = primordials;
const { converters, defineInterface, enumeration, requireArguments } = use("WebIDL/webidl");
const { bytesOf, copyBytes, viewOf } = use("WebIDL/bufferSource");
const { defineRecord } = use("Core/records");
const { createTransform } = use("Streams/transform");
const { readableObject } = use("Streams/readableObjects");
const { writableObject } = use("Streams/writableObjects");

const formats = ["deflate", "deflate-raw", "gzip", "brotli"];
const toFormat = enumeration("CompressionFormat", formats);

function formatIndex(format) {
  let index = 0;
  while (formats[index] !== format) index++;
  return index;
}

// Bytes of input that an op takes at a time: an op cannot be stopped, a loop in JavaScript can.
const sliceSize = 128 * 1024;

// For streams that nobody finishes or cancels.
const abandoned = new FinalizationRegistry((number) => { ops.compressionClose(number); });

/** The transformer of both. What comes out is handed on as the readable side wants it, however much it is. */
class CompressionTransformer {
  constructor(format, decompresses) {
    this.number = ops.compressionOpen(formatIndex(format), decompresses);
    this.isCanceled = false;
    FinalizationRegistryPrototypeRegister(abandoned, this, this.number, this);
  }

  /** "Compress and enqueue a chunk", "decompress and enqueue a chunk". */
  transform(chunk, controller) {
    converters.BufferSource(chunk, undefined, "A chunk of a compression stream");
    return this.feed(bytesOf(chunk), controller);
  }

  /** Takes bytes slice by slice; once the output has to wait, it goes on with a copy of those that are left. */
  feed(bytes, controller) {
    const length = TypedArrayPrototypeGetByteLength(bytes);
    let start = 0;
    do {
      const end = MathMin(start + sliceSize, length);
      const slice = end === length && start === 0 ? bytes : viewOf(bytes, start, end);
      const waits = this.handOn(ops.compressionPush(this.number, slice), controller);
      start = end;
      if (waits === undefined) continue;
      return start === length ? waits : this.feedLater(waits, copyBytes(viewOf(bytes, start)), controller);
    } while (start < length);
    return undefined;
  }

  async feedLater(waits, bytes, controller) {
    await waits;
    if (!this.isCanceled) await this.feed(bytes, controller);
  }

  /** "Compress flush and enqueue", "decompress flush and enqueue". */
  flush(controller) {
    FinalizationRegistryPrototypeUnregister(abandoned, this);
    return this.handOn(ops.compressionFinish(this.number), controller);
  }

  handOn(piece, controller) {
    if (piece === null) return undefined;
    controller.enqueue(piece);
    piece = ops.compressionPull(this.number);
    return piece === null ? undefined : this.handOnWhenWanted(piece, controller);
  }

  async handOnWhenWanted(piece, controller) {
    while (piece !== null) {
      if (controller.backpressure) await controller.whenWanted();
      if (this.isCanceled) return;
      controller.enqueue(piece);
      piece = ops.compressionPull(this.number);
    }
  }

  cancel() {
    this.isCanceled = true;
    FinalizationRegistryPrototypeUnregister(abandoned, this);
    ops.compressionClose(this.number);
  }
}
defineRecord(CompressionTransformer);

function createStream(name, argumentCount, format, decompresses) {
  const prefix = `Failed to construct '${name}'`;
  requireArguments(argumentCount, 1, prefix);
  return createTransform(new CompressionTransformer(toFormat(format, prefix, "parameter 1"), decompresses));
}

class CompressionStream {
  #transform;
  constructor(format) { this.#transform = createStream("CompressionStream", arguments.length, format, false); }
  get readable() { return readableObject(this.#transform.readable); }
  get writable() { return writableObject(this.#transform.writable); }
}
defineInterface(CompressionStream);

class DecompressionStream {
  #transform;
  constructor(format) { this.#transform = createStream("DecompressionStream", arguments.length, format, true); }
  get readable() { return readableObject(this.#transform.readable); }
  get writable() { return writableObject(this.#transform.writable); }
}
defineInterface(DecompressionStream);

provide({ CompressionStream, CompressionTransformer, DecompressionStream });
