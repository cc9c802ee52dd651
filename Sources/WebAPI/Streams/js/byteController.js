// Streams Standard, sections 4.7 and 4.9.5: the controller of readable byte streams, as a record.
const {
  ArrayBuffer, ArrayBufferPrototypeGetByteLength, MathMin, RangeError, TypeError,
  TypedArrayPrototypeGetBuffer, TypedArrayPrototypeGetByteLength, TypedArrayPrototypeGetByteOffset,
  TypedArrayPrototypeSet, Uint8Array,
} = primordials;
const { defineRecord } = use("Core/records");
const { CLOSED, ERRORED, READABLE, Readable, ReadableController, RequestList } = use("Streams/readable");
const { isDetachedBuffer } = use("ECMAScript/buffers");

/** An entry of [[queue]]. */
class Piece {
  constructor(buffer, byteOffset, byteLength) {
    this.buffer = buffer;
    this.byteOffset = byteOffset;
    this.byteLength = byteLength;
    this.next = undefined;
  }
}
defineRecord(Piece);

/** A pull-into descriptor. `View` is its view constructor, `readerType` "default", "byob" or "none". */
class PullInto {
  constructor(buffer, byteOffset, byteLength, minimumFill, elementSize, View, readerType) {
    this.buffer = buffer;
    this.bufferByteLength = ArrayBufferPrototypeGetByteLength(buffer);
    this.byteOffset = byteOffset;
    this.byteLength = byteLength;
    this.bytesFilled = 0;
    this.minimumFill = minimumFill;
    this.elementSize = elementSize;
    this.View = View;
    this.readerType = readerType;
    this.next = undefined;
  }

  /** "ReadableByteStreamControllerConvertPullIntoDescriptor". */
  toView() {
    return new this.View(engine.transferArrayBuffer(this.buffer), this.byteOffset, this.bytesFilled / this.elementSize);
  }
}
defineRecord(PullInto);

/** A ReadableStreamBYOBRequest: it has lost its controller when it is invalidated. */
class BYOBRequest {
  constructor(controller, view) {
    this.controller = controller;
    this.view = view;
    this.object = undefined;
  }
}
defineRecord(BYOBRequest);

class ByteController extends ReadableController {
  constructor(stream, source, highWaterMark, autoAllocateChunkSize) {
    super(stream, source, highWaterMark);
    this.isByteController = true;
    this.autoAllocateChunkSize = autoAllocateChunkSize;
    this.byobRequest = undefined;
    // [[pendingPullIntos]]; [[queue]] and [[queueTotalSize]].
    this.pullIntos = new RequestList();
    this.queue = new RequestList();
    this.totalSize = 0;
  }

  desiredSize() {
    const state = this.stream.state;
    if (state === ERRORED) return null;
    return state === CLOSED ? 0 : this.highWaterMark - this.totalSize;
  }

  shouldCallPull() {
    if (!this.isStarted || !this.canCloseOrEnqueue()) return false;
    const stream = this.stream;
    return stream.hasDefaultRequest() || stream.hasBYOBRequest() || this.highWaterMark > this.totalSize;
  }

  clearAlgorithms() { this.source = undefined; }

  clearPendingPullIntos() {
    this.invalidateBYOBRequest();
    this.pullIntos = new RequestList();
  }

  resetQueue() {
    this.queue = new RequestList();
    this.totalSize = 0;
  }

  /** Throws, and errors the stream, if a request is left with a part of an element. */
  close() {
    if (!this.canCloseOrEnqueue()) return;
    if (this.totalSize > 0) {
      this.closeRequested = true;
      return;
    }
    const first = this.pullIntos.first;
    if (first !== undefined && first.bytesFilled % first.elementSize !== 0) {
      const error = partialElementError();
      this.error(error);
      throw error;
    }
    this.clearAlgorithms();
    this.stream.close();
  }

  /** Closes the stream and answers the requests for bytes, as a source of the runtime's own must. */
  finish() {
    this.close();
    if (this.stream.state === CLOSED && this.pullIntos.first !== undefined) this.respond(0);
  }

  error(reason) {
    if (this.stream.state !== READABLE) return;
    this.clearPendingPullIntos();
    this.resetQueue();
    this.clearAlgorithms();
    this.stream.error(reason);
  }

  /** "ReadableByteStreamControllerEnqueue", for a view whose bytes are the tenant's: its buffer is detached. */
  enqueueView(buffer, byteOffset, byteLength) {
    if (!this.canCloseOrEnqueue()) return;
    if (isDetachedBuffer(buffer)) throw new TypeError("The chunk's buffer has been detached.");
    this.enqueueBytes(engine.transferArrayBuffer(buffer), byteOffset, byteLength);
  }

  /** The same for a Uint8Array that nobody else has. */
  enqueue(bytes) {
    if (!this.canCloseOrEnqueue()) return;
    const byteLength = TypedArrayPrototypeGetByteLength(bytes);
    if (byteLength === 0) return;
    this.enqueueBytes(TypedArrayPrototypeGetBuffer(bytes), TypedArrayPrototypeGetByteOffset(bytes), byteLength);
  }

  enqueueBytes(buffer, byteOffset, byteLength) {
    const stream = this.stream;
    this.renewFirstPullInto();
    if (stream.reader === undefined) {
      this.append(buffer, byteOffset, byteLength);
    } else if (stream.reader.isBYOB) {
      this.append(buffer, byteOffset, byteLength);
      this.commitFilledPullIntos();
    } else {
      this.processReadRequestsUsingQueue();
      if (stream.hasDefaultRequest()) {
        if (this.pullIntos.first !== undefined) this.pullIntos.shift();
        stream.reader.requests.shift().chunkSteps(new Uint8Array(buffer, byteOffset, byteLength));
      } else {
        this.append(buffer, byteOffset, byteLength);
      }
    }
    this.callPullIfNeeded();
  }

  /** Takes the first request's buffer back from the tenant. */
  renewFirstPullInto() {
    const first = this.pullIntos.first;
    if (first === undefined) return;
    if (isDetachedBuffer(first.buffer)) throw new TypeError("The BYOB request's buffer has been detached.");
    this.invalidateBYOBRequest();
    first.buffer = engine.transferArrayBuffer(first.buffer);
    if (first.readerType === "none") this.enqueueDetachedPullInto(first);
  }

  /** "ReadableByteStreamControllerEnqueueChunkToQueue". */
  append(buffer, byteOffset, byteLength) {
    this.queue.append(new Piece(buffer, byteOffset, byteLength));
    this.totalSize += byteLength;
  }

  /** "ReadableByteStreamControllerEnqueueClonedChunkToQueue". */
  appendClone(buffer, byteOffset, byteLength) {
    let clone;
    try {
      clone = new Uint8Array(byteLength);
      TypedArrayPrototypeSet(clone, new Uint8Array(buffer, byteOffset, byteLength));
    } catch (error) {
      this.error(error);
      throw error;
    }
    this.append(TypedArrayPrototypeGetBuffer(clone), 0, byteLength);
  }

  /** "ReadableByteStreamControllerEnqueueDetachedPullIntoToQueue". */
  enqueueDetachedPullInto(pullInto) {
    if (pullInto.bytesFilled > 0) this.appendClone(pullInto.buffer, pullInto.byteOffset, pullInto.bytesFilled);
    this.pullIntos.shift();
  }

  hasChunk() { return this.totalSize > 0; }

  /** "ReadableByteStreamControllerFillReadRequestFromQueue", but for the request. */
  takeChunk() {
    const { buffer, byteOffset, byteLength } = this.queue.shift();
    this.totalSize -= byteLength;
    this.handleQueueDrain();
    return new Uint8Array(buffer, byteOffset, byteLength);
  }

  handleQueueDrain() {
    if (this.totalSize === 0 && this.closeRequested) {
      this.clearAlgorithms();
      this.stream.close();
    } else {
      this.callPullIfNeeded();
    }
  }

  processReadRequestsUsingQueue() {
    while (this.totalSize > 0 && this.stream.hasDefaultRequest()) {
      const request = this.stream.reader.requests.shift();
      request.chunkSteps(this.takeChunk());
    }
  }

  /** "ReadableByteStreamControllerFillPullIntoDescriptorFromQueue"; whether the request can be answered. */
  fillFromQueue(pullInto) {
    const room = pullInto.byteLength - pullInto.bytesFilled;
    let rest = MathMin(this.totalSize, room);
    const maximum = pullInto.bytesFilled + rest;
    const aligned = maximum - maximum % pullInto.elementSize;
    const isReady = aligned >= pullInto.minimumFill;
    if (isReady) rest = aligned - pullInto.bytesFilled;
    while (rest > 0) {
      const piece = this.queue.first;
      const count = MathMin(rest, piece.byteLength);
      const target = new Uint8Array(pullInto.buffer, pullInto.byteOffset + pullInto.bytesFilled, count);
      TypedArrayPrototypeSet(target, new Uint8Array(piece.buffer, piece.byteOffset, count));
      if (piece.byteLength === count) {
        this.queue.shift();
      } else {
        piece.byteOffset += count;
        piece.byteLength -= count;
      }
      this.totalSize -= count;
      pullInto.bytesFilled += count;
      rest -= count;
    }
    return isReady;
  }

  /** "ReadableByteStreamControllerProcessPullIntoDescriptorsUsingQueue". */
  takeFilledPullIntos() {
    const filled = new RequestList();
    while (this.totalSize > 0 && this.pullIntos.first !== undefined && this.fillFromQueue(this.pullIntos.first)) {
      filled.append(this.pullIntos.shift());
    }
    return filled;
  }

  commitFilledPullIntos() {
    this.takeFilledPullIntos().take((pullInto) => { this.commit(pullInto); });
  }

  /** "ReadableByteStreamControllerCommitPullIntoDescriptor". */
  commit(pullInto) {
    const { reader, state } = this.stream;
    if (reader === undefined || reader.requests.first === undefined) return;
    const request = reader.requests.shift();
    const view = pullInto.toView();
    if (state === CLOSED) request.closeSteps(view);
    else request.chunkSteps(view);
  }

  getBYOBRequest() {
    const first = this.pullIntos.first;
    if (this.byobRequest === undefined && first !== undefined) {
      const { buffer, byteOffset, byteLength, bytesFilled } = first;
      const view = new Uint8Array(buffer, byteOffset + bytesFilled, byteLength - bytesFilled);
      this.byobRequest = new BYOBRequest(this, view);
    }
    return this.byobRequest;
  }

  invalidateBYOBRequest() {
    const request = this.byobRequest;
    if (request === undefined) return;
    request.controller = undefined;
    request.view = null;
    this.byobRequest = undefined;
  }

  /** "ReadableByteStreamControllerRespond". */
  respond(bytesWritten) {
    const first = this.pullIntos.first;
    if (this.stream.state === CLOSED) {
      if (bytesWritten !== 0) throw new TypeError("bytesWritten must be 0 when the stream is closed.");
    } else {
      if (bytesWritten === 0) throw new TypeError("bytesWritten must be greater than 0 when the stream is readable.");
      if (first.bytesFilled + bytesWritten > first.byteLength) throw new RangeError("bytesWritten is out of range.");
    }
    first.buffer = engine.transferArrayBuffer(first.buffer);
    this.respondInternal(bytesWritten);
  }

  /** "ReadableByteStreamControllerRespondWithNewView". */
  respondWithNewView(buffer, byteOffset, byteLength) {
    const first = this.pullIntos.first;
    if (this.stream.state === CLOSED) {
      if (byteLength !== 0) throw new TypeError("The view must be empty when the stream is closed.");
    } else if (byteLength === 0) {
      throw new TypeError("The view must not be empty when the stream is readable.");
    }
    if (first.byteOffset + first.bytesFilled !== byteOffset) {
      throw new RangeError("The view's offset is not the request's.");
    }
    if (first.bufferByteLength !== ArrayBufferPrototypeGetByteLength(buffer)) {
      throw new RangeError("The view's buffer has another length than the request's.");
    }
    if (first.bytesFilled + byteLength > first.byteLength) throw new RangeError("The view is longer than the request.");
    first.buffer = engine.transferArrayBuffer(buffer);
    this.respondInternal(byteLength);
  }

  respondInternal(bytesWritten) {
    const first = this.pullIntos.first;
    this.invalidateBYOBRequest();
    if (this.stream.state === CLOSED) this.respondInClosedState(first);
    else this.respondInReadableState(bytesWritten, first);
    this.callPullIfNeeded();
  }

  respondInClosedState(first) {
    if (first.readerType === "none") this.pullIntos.shift();
    while (this.pullIntos.first !== undefined && this.stream.hasBYOBRequest()) this.commit(this.pullIntos.shift());
  }

  respondInReadableState(bytesWritten, pullInto) {
    pullInto.bytesFilled += bytesWritten;
    if (pullInto.readerType === "none") {
      this.enqueueDetachedPullInto(pullInto);
      this.commitFilledPullIntos();
      return;
    }
    if (pullInto.bytesFilled < pullInto.minimumFill) return;
    this.pullIntos.shift();
    const remainder = pullInto.bytesFilled % pullInto.elementSize;
    if (remainder > 0) {
      this.appendClone(pullInto.buffer, pullInto.byteOffset + pullInto.bytesFilled - remainder, remainder);
      pullInto.bytesFilled -= remainder;
    }
    const filled = this.takeFilledPullIntos();
    this.commit(pullInto);
    filled.take((other) => { this.commit(other); });
  }

  /** "ReadableByteStreamControllerPullInto". `view`: { buffer, byteOffset, byteLength, elementSize, View }. */
  pullInto(view, minimum, request) {
    let pullInto;
    try {
      const buffer = engine.transferArrayBuffer(view.buffer);
      const { byteOffset, byteLength, elementSize, View } = view;
      pullInto = new PullInto(buffer, byteOffset, byteLength, minimum * elementSize, elementSize, View, "byob");
    } catch (error) {
      request.errorSteps(error);
      return;
    }
    const stream = this.stream;
    if (this.pullIntos.first === undefined) {
      if (stream.state === CLOSED) {
        request.closeSteps(new view.View(pullInto.buffer, view.byteOffset, 0));
        return;
      }
      if (this.totalSize > 0) {
        if (this.fillFromQueue(pullInto)) {
          const filled = pullInto.toView();
          this.handleQueueDrain();
          request.chunkSteps(filled);
          return;
        }
        if (this.closeRequested) {
          const error = partialElementError();
          this.error(error);
          request.errorSteps(error);
          return;
        }
      }
    }
    const isFirst = this.pullIntos.first === undefined;
    this.pullIntos.append(pullInto);
    stream.reader.requests.append(request);
    if (isFirst) this.callPullIfNeeded();
  }

  /** [[PullSteps]] */
  pullSteps(request) {
    if (this.hasChunk()) {
      request.chunkSteps(this.takeChunk());
      return;
    }
    if (this.autoAllocateChunkSize !== undefined) {
      const size = this.autoAllocateChunkSize;
      try {
        this.pullIntos.append(new PullInto(new ArrayBuffer(size), 0, size, 1, 1, Uint8Array, "default"));
      } catch (error) {
        request.errorSteps(error);
        return;
      }
    }
    this.stream.reader.requests.append(request);
    this.callPullIfNeeded();
  }

  /** [[CancelSteps]] */
  cancelSteps(reason) {
    this.clearPendingPullIntos();
    this.resetQueue();
    return this.cancelSource(reason);
  }

  /** [[ReleaseSteps]] */
  releaseSteps() {
    const first = this.pullIntos.first;
    if (first === undefined) return;
    first.readerType = "none";
    first.next = undefined;
    this.pullIntos.last = first;
  }
}

const partialElementError = () => new TypeError("Insufficient bytes to fill the elements of the view.");

/** "CreateReadableByteStream". */
function createReadableByteStream(source, highWaterMark) {
  const stream = new Readable();
  new ByteController(stream, source, highWaterMark, undefined).setUp();
  return stream;
}

provide({ ByteController, createReadableByteStream });
