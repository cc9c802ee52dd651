// Streams Standard, sections 4.2.5, 5.2.5, 6.2.3 and 8.2: the transfer steps of streams. Both ends are the same realm:
// in place of a pair of ports there is a transform stream that clones its chunks.
const { SafeWeakSet } = primordials;
const { DOMException } = use("DOM/exception");
const { cloneWithTransfer } = use("HTML/structuredClone");
const { defineRecord } = use("Core/records");
const { markHandled } = use("Streams/promises");
const { pipe } = use("Streams/pipe");
const { adopt, TransformStream, transformOf } = use("Streams/transformObjects");
const { createTransform } = use("Streams/transform");
const { readableObject, readableOf } = use("Streams/readableObjects");
const { writableObject, writableOf } = use("Streams/writableObjects");

class Crossing {
  transform(chunk, controller) { controller.enqueue(cloneWithTransfer(chunk, []).value); }
  flush() {}
  cancel() {}
}
defineRecord(Crossing);

// [[Detached]]
const transferred = new SafeWeakSet();
const isTransferred = (object) => transferred.has(object);

function requireUnlocked(stream) {
  if (stream.isLocked()) throw new DOMException("A locked stream cannot be transferred.", "DataCloneError");
}

/** What takes the place of a readable stream. */
function crossReadable(stream) {
  const crossing = createTransform(new Crossing());
  markHandled(pipe(stream, crossing.writable));
  return crossing.readable;
}

/** What takes the place of a writable stream. */
function crossWritable(stream) {
  const crossing = createTransform(new Crossing());
  markHandled(pipe(crossing.readable, stream));
  return crossing.writable;
}

function transferReadable(object) {
  const stream = readableOf(object);
  requireUnlocked(stream);
  transferred.add(object);
  return readableObject(crossReadable(stream));
}

function transferWritable(object) {
  const stream = writableOf(object);
  requireUnlocked(stream);
  transferred.add(object);
  return writableObject(crossWritable(stream));
}

function transferTransform(object) {
  const { readable, writable } = transformOf(object);
  requireUnlocked(readable);
  requireUnlocked(writable);
  transferred.add(object);
  const sides = { __proto__: null, readable: crossReadable(readable), writable: crossWritable(writable) };
  return new TransformStream(adopt, sides);
}

provide({ isTransferred, transferReadable, transferTransform, transferWritable });
