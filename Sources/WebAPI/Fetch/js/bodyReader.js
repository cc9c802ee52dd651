// Reading the streams of bodies: Streams Standard, section 9.1.2, "read all bytes", and a stream that follows
// another. The steps are functions, not promises, because a promise that is resolved with an object asks that for a
// method `then`.
const {
  ArrayBufferIsView, ArrayPrototypePush, PromisePrototypeThen, TypeError, TypedArrayPrototypeGetByteLength,
} = primordials;
const { isArrayBuffer } = use("WebIDL/webidl");
const { bytesOf, concatBytes, copyBytes } = use("WebIDL/bufferSource");
const { defineRecord } = use("Core/records");
const { later, markHandled } = use("Streams/promises");
const { acquireDefaultReader } = use("Streams/readers");

/** The bytes of a chunk, as Workers take them: from any buffer source. */
function bytesOfChunk(chunk) {
  if (ArrayBufferIsView(chunk) || isArrayBuffer(chunk)) return bytesOf(chunk);
  throw new TypeError(typeof chunk === "string"
    ? "This ReadableStream did not return bytes: a chunk is a string. Use a TextEncoder to turn strings into bytes."
    : "This ReadableStream did not return bytes.");
}

/** A read request that hands every chunk on, until there are no more or one is not bytes. */
class ChunkLoop {
  constructor(stream, steps) {
    this.next = undefined;
    this.stream = stream;
    this.reader = acquireDefaultReader(stream);
    this.steps = steps;
    // The chunks of a byte stream are nobody else's.
    this.isOwner = stream.controller.isByteController === true;
    // A chunk that is there already comes within the call that asks for it: the next read is then the loop's.
    this.isReading = false;
    this.isAnswered = false;
    this.onReady = () => { this.run(); };
    this.onFailed = (error) => { this.fail(error); };
  }

  run() {
    this.isReading = true;
    do {
      this.isAnswered = false;
      this.reader.read(this);
    } while (this.isAnswered);
    this.isReading = false;
  }

  chunkSteps(chunk) {
    let wait;
    try {
      wait = this.steps.chunk(bytesOfChunk(chunk), this.isOwner);
    } catch (error) {
      this.fail(error);
      return;
    }
    if (wait !== undefined) PromisePrototypeThen(wait, this.onReady, this.onFailed);
    else if (this.isReading) this.isAnswered = true;
    else this.run();
  }

  closeSteps() { this.steps.end(); }
  errorSteps(error) { this.steps.fail(error); }

  fail(error) {
    this.steps.fail(error);
    markHandled(this.stream.cancel(error));
  }
}
defineRecord(ChunkLoop);

class Collector {
  constructor(onBytes, onError) {
    this.onBytes = onBytes;
    this.fail = onError;
    this.chunks = [];
    this.length = 0;
  }

  chunk(bytes, isOwner) {
    ArrayPrototypePush(this.chunks, isOwner ? bytes : copyBytes(bytes));
    this.length += TypedArrayPrototypeGetByteLength(bytes);
  }

  end() {
    this.onBytes(this.chunks.length === 1 ? this.chunks[0] : concatBytes(this.chunks, this.length));
  }
}
defineRecord(Collector);

/** "Read all bytes" of a stream that is not locked; then one of the functions is called. */
function readAllBytes(stream, onBytes, onError) {
  new ChunkLoop(stream, new Collector(onBytes, onError)).run();
}

/**
 * Reads a stream that is not locked to its end. `steps` has chunk(bytes, isOwner), where bytes that are not the
 * reader's own may change later; end(); and fail(error). chunk() may give a promise of its own to wait for; what it
 * throws, or the promise rejects with, fails the reading and cancels the stream.
 */
function readChunks(stream, steps) {
  new ChunkLoop(stream, steps).run();
}

class FollowingSource {
  constructor(stream) {
    this.next = undefined;
    this.stream = stream;
    this.reader = acquireDefaultReader(stream);
    this.controller = undefined;
  }

  start(controller) { this.controller = controller; }

  pull() {
    this.reader.read(this);
    return later;
  }

  cancel(reason) { return this.stream.cancel(reason); }

  chunkSteps(chunk) {
    this.controller.enqueue(chunk);
    this.controller.settle();
  }

  closeSteps() { this.controller.close(); }
  errorSteps(error) { this.controller.error(error); }
}
defineRecord(FollowingSource);

/** A stream that gives what another gives, which it locks and disturbs: "create a proxy" for a ReadableStream. */
function proxyStream(stream) {
  const proxy = use("Streams/readable").createReadable(new FollowingSource(stream), 0, undefined);
  stream.isDisturbed = true;
  return proxy;
}

provide({ bytesOfChunk, proxyStream, readAllBytes, readChunks });
