// Workers' crypto.DigestStream: a WritableStream that hashes what is written into it. Needs the ops
//   digestStart(hash) -> id of a running hash, a positive number
//   digestUpdate(id, bytes)
//   digestFinish(id) -> Uint8Array; the id is free then
//   digestDrop(id), also of an id that is free already
const {
  ArrayBufferIsView, BigInt, Error, FinalizationRegistry, FinalizationRegistryPrototypeRegister, MathMin,
  SymbolDispose, TypeError, TypedArrayPrototypeGetBuffer, TypedArrayPrototypeGetByteLength,
} = primordials;
const { defineInterface, illegalInvocation, isArrayBuffer, requireArguments } = use("WebIDL/webidl");
const { bytesOf, viewOf } = use("WebIDL/bufferSource");
const { Deferred, markHandled } = use("Streams/promises");
const { WritableStream } = use("Streams/writableObjects");
const { algorithmIdentifier, normalizeAlgorithm } = use("Crypto/algorithms");

// Bytes that an op hashes at a time: an op cannot be stopped, a loop in JavaScript can.
const sliceSize = 256 * 1024;

const registry = new FinalizationRegistry((id) => ops.digestDrop(id));

function bytesFrom(chunk) {
  if (typeof chunk === "string") return engine.utf8Encode(chunk);
  if (ArrayBufferIsView(chunk) || isArrayBuffer(chunk)) return bytesOf(chunk);
  throw new TypeError("DigestStream is a byte stream but received an object of non-ArrayBuffer/ArrayBufferView/string "
    + "type on its writable side.");
}

// A running hash: the sink of the stream.
class Hash {
  constructor(id) {
    this.id = id;
    this.bytesWritten = 0;
    this.isRunning = true;
    this.error = undefined;
    this.result = new Deferred();
    markHandled(this.result.promise);
  }
  write(chunk) {
    let bytes;
    try {
      bytes = bytesFrom(chunk);
    } catch (error) {
      this.fail(error);
      throw error;
    }
    const length = TypedArrayPrototypeGetByteLength(bytes);
    if (length === 0) return;
    if (!this.isRunning) throw this.error;
    for (let start = 0; start < length; start += sliceSize) {
      ops.digestUpdate(this.id, viewOf(bytes, start, MathMin(start + sliceSize, length)));
    }
    this.bytesWritten += length;
  }
  close() {
    if (!this.isRunning) throw this.error;
    this.isRunning = false;
    this.result.resolve(TypedArrayPrototypeGetBuffer(ops.digestFinish(this.id)));
  }
  fail(error) {
    if (!this.isRunning) return;
    this.isRunning = false;
    this.error = error;
    ops.digestDrop(this.id);
    this.result.reject(error);
  }
}

let hashOf;

class DigestStream extends WritableStream {
  #hash;
  constructor(algorithm) {
    const prefix = "Failed to construct 'DigestStream'";
    requireArguments(arguments.length, 1, prefix);
    const { name } = normalizeAlgorithm(algorithmIdentifier(algorithm, prefix, "parameter 1"), "digest", prefix);
    const hash = new Hash(ops.digestStart(name));
    super({
      __proto__: null,
      write: (chunk) => hash.write(chunk),
      close: () => hash.close(),
      abort: (reason) => hash.fail(reason),
    });
    this.#hash = hash;
    FinalizationRegistryPrototypeRegister(registry, this, hash.id);
  }
  get digest() { return hashOf(this).result.promise; }
  get bytesWritten() { return BigInt(hashOf(this).bytesWritten); }
  [SymbolDispose]() { hashOf(this).fail(new Error("The DigestStream was disposed.")); }

  static {
    hashOf = (stream) => {
      if (typeof stream !== "object" || stream === null || !(#hash in stream)) throw illegalInvocation();
      return stream.#hash;
    };
  }
}
defineInterface(DigestStream);

provide({ DigestStream });
