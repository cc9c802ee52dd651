// Streams over bodies that the host holds. Untouched, such a stream is no more than the body's number, and what sends
// or reads the whole of it does so by that number; when somebody reads the stream itself, it gets its controller and is
// a byte stream that reads on demand. Needs the ops
//   bodyRead(id) -> Uint8Array (a piece, nobody else's), null (the end), or a ticket for one of these; throws if the
//     body has failed
//   bodyCancel(id): drops the rest
const { PromisePrototypeThen, TypedArrayPrototypeGetByteLength } = primordials;
const { ticketPromise } = use("Core/tickets");
const { defineRecord } = use("Core/records");
const { Readable } = use("Streams/readable");
const { acquireDefaultReader } = use("Streams/readers");

class HostBodySource {
  constructor(bodyId) {
    this.bodyId = bodyId;
    this.controller = undefined;
    this.onPiece = (piece) => { this.deliver(piece); };
  }

  pull() {
    const piece = ops.bodyRead(this.bodyId);
    if (typeof piece === "number") return PromisePrototypeThen(ticketPromise(piece), this.onPiece);
    this.deliver(piece);
    return undefined;
  }

  deliver(piece) {
    const controller = this.controller;
    if (piece === null) controller.finish();
    else if (TypedArrayPrototypeGetByteLength(piece) > 0) controller.enqueue(piece);
    else controller.pullAgain = true;
  }

  cancel() { ops.bodyCancel(this.bodyId); }
}
defineRecord(HostBodySource);

/** The stream's record for a body's number; `byteLength` if it is known. */
function createHostBodyStream(bodyId, byteLength = undefined) {
  const stream = new Readable();
  stream.bodyId = bodyId;
  stream.byteLength = byteLength;
  return stream;
}

/** Makes the stream one that is read. */
function attachController(stream) {
  const source = new HostBodySource(stream.bodyId);
  const controller = new (use("Streams/byteController").ByteController)(stream, source, 0, undefined);
  source.controller = controller;
  controller.isStarted = true;
  stream.controller = controller;
  stream.bodyId = undefined;
}

// The controller of a stream whose body was taken: the stream is closed and stays locked.
const noController = { __proto__: null, isByteController: true };

/**
 * The number of the body, which is then the caller's alone: the stream is disturbed, locked and closed. 0 if the stream
 * is not an untouched body of the host.
 */
function takeBodyId(stream) {
  const { bodyId } = stream;
  if (bodyId === undefined) return 0;
  stream.bodyId = undefined;
  stream.controller = noController;
  stream.isDisturbed = true;
  stream.close();
  acquireDefaultReader(stream);
  return bodyId;
}

/** Errors the stream of a body that the host has given up. */
function failHostBody(stream, reason) {
  if (stream.bodyId !== undefined) {
    stream.bodyId = undefined;
    stream.controller = noController;
    stream.error(reason);
  } else if (stream.controller !== noController) {
    stream.controller.error(reason);
  }
}

provide({ attachController, createHostBodyStream, failHostBody, takeBodyId });
