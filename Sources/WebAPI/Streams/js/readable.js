// Streams Standard, sections 4.2, 4.6 and 4.9: readable streams with default controllers, as records. The objects that
// tenants see (readableObjects) each hold one of these; the runtime's own streams often have no object at all.
//
// A source has start(controller), pull(controller) and cancel(reason). A read request has chunkSteps(chunk),
// closeSteps(), errorSteps(reason) and a slot `next`, because the queue of read requests is a list of them.
const { PromiseReject, PromiseResolve, TypeError } = primordials;
const { defineRecord } = use("Core/records");
const { promiseOf, react, withoutValue } = use("Streams/promises");
const { Queue } = use("Streams/queue");
const { sizeOf } = use("Streams/strategies");

const READABLE = 0, CLOSED = 1, ERRORED = 2;

class Readable {
  constructor() {
    this.state = READABLE;
    this.isDisturbed = false;
    this.controller = undefined;
    this.reader = undefined;
    this.storedError = undefined;
    // The ReadableStream, if there is one; how many bytes it will give, if that is known.
    this.object = undefined;
    this.byteLength = undefined;
    // The number of a body that the host holds. Such a stream gets its controller when first used.
    this.bodyId = undefined;
  }

  isLocked() { return this.reader !== undefined; }

  ensureController() {
    if (this.controller === undefined) use("Streams/hostBody").attachController(this);
  }

  /** "ReadableStreamCancel". */
  cancel(reason) {
    this.ensureController();
    this.isDisturbed = true;
    if (this.state === CLOSED) return PromiseResolve(undefined);
    if (this.state === ERRORED) return PromiseReject(this.storedError);
    this.close();
    const reader = this.reader;
    if (reader !== undefined && reader.isBYOB) reader.requests.take((request) => request.closeSteps(undefined));
    return withoutValue(this.controller.cancelSteps(reason));
  }

  /** "ReadableStreamClose". */
  close() {
    this.state = CLOSED;
    const reader = this.reader;
    if (reader === undefined) return;
    reader.closed.resolve();
    if (!reader.isBYOB) reader.requests.take((request) => request.closeSteps());
  }

  /** "ReadableStreamError". */
  error(reason) {
    this.state = ERRORED;
    this.storedError = reason;
    const reader = this.reader;
    if (reader === undefined) return;
    reader.closed.reject(reason);
    reader.requests.take((request) => request.errorSteps(reason));
  }

  /** Whether a reader of the kind waits for a chunk. */
  hasDefaultRequest() {
    const reader = this.reader;
    return reader !== undefined && !reader.isBYOB && reader.requests.first !== undefined;
  }

  hasBYOBRequest() {
    const reader = this.reader;
    return reader !== undefined && reader.isBYOB && reader.requests.first !== undefined;
  }
}
defineRecord(Readable);

/** [[readRequests]] or [[readIntoRequests]]. */
class RequestList {
  constructor() {
    this.first = undefined;
    this.last = undefined;
  }

  append(request) {
    if (this.first === undefined) this.first = request;
    else this.last.next = request;
    this.last = request;
  }

  shift() {
    const request = this.first;
    this.first = request.next;
    request.next = undefined;
    if (this.first === undefined) this.last = undefined;
    return request;
  }

  /** Empties the list, then runs a step for each request that was in it. */
  take(step) {
    let request = this.first;
    this.first = undefined;
    this.last = undefined;
    while (request !== undefined) {
      const next = request.next;
      request.next = undefined;
      step(request);
      request = next;
    }
  }
}
defineRecord(RequestList);

/** What the controllers of both kinds of readable stream have in common: when to pull. */
class ReadableController {
  constructor(stream, source, highWaterMark) {
    this.stream = stream;
    this.source = source;
    this.highWaterMark = highWaterMark;
    this.isStarted = false;
    this.isPulling = false;
    this.pullAgain = false;
    this.closeRequested = false;
    // The object that the tenant sees.
    this.object = undefined;
    this.onSettled = () => { this.settle(); };
    this.onFailed = (reason) => { this.error(reason); };
  }

  /** Makes this the stream's controller and runs the start algorithm. */
  setUp() {
    this.stream.controller = this;
    react(this.source.start(this), this.onSettled, this.onFailed);
  }

  /** The start algorithm or the last pull algorithm is done. */
  settle() {
    if (!this.isStarted) {
      this.isStarted = true;
      this.callPullIfNeeded();
      return;
    }
    this.isPulling = false;
    if (!this.pullAgain) return;
    this.pullAgain = false;
    this.callPullIfNeeded();
  }

  callPullIfNeeded() {
    if (!this.shouldCallPull()) return;
    if (this.isPulling) {
      this.pullAgain = true;
      return;
    }
    this.isPulling = true;
    let result;
    try {
      result = this.source.pull(this);
    } catch (error) {
      result = PromiseReject(error);
    }
    react(result, this.onSettled, this.onFailed);
  }

  canCloseOrEnqueue() { return !this.closeRequested && this.stream.state === READABLE; }

  cancelSource(reason) {
    let result;
    try {
      result = this.source.cancel(reason);
    } catch (error) {
      result = PromiseReject(error);
    }
    this.clearAlgorithms();
    return promiseOf(result);
  }
}
defineRecord(ReadableController);

class DefaultController extends ReadableController {
  constructor(stream, source, highWaterMark, sizeAlgorithm) {
    super(stream, source, highWaterMark);
    this.sizeAlgorithm = sizeAlgorithm;
    this.queue = new Queue();
  }

  desiredSize() {
    const state = this.stream.state;
    if (state === ERRORED) return null;
    return state === CLOSED ? 0 : this.highWaterMark - this.queue.totalSize;
  }

  shouldCallPull() {
    if (!this.isStarted || !this.canCloseOrEnqueue()) return false;
    return this.stream.hasDefaultRequest() || this.highWaterMark > this.queue.totalSize;
  }

  clearAlgorithms() {
    this.source = undefined;
    this.sizeAlgorithm = undefined;
  }

  close() {
    if (!this.canCloseOrEnqueue()) return;
    this.closeRequested = true;
    if (!this.queue.isEmpty()) return;
    this.clearAlgorithms();
    this.stream.close();
  }

  /** What a source of the runtime's own calls, because a byte stream has more to do. */
  finish() { this.close(); }

  enqueue(chunk) {
    if (!this.canCloseOrEnqueue()) return;
    const stream = this.stream;
    if (stream.hasDefaultRequest()) {
      stream.reader.requests.shift().chunkSteps(chunk);
    } else {
      try {
        this.queue.enqueue(chunk, sizeOf(chunk, this.sizeAlgorithm), undefined);
      } catch (error) {
        this.error(error);
        throw error;
      }
    }
    this.callPullIfNeeded();
  }

  error(reason) {
    if (this.stream.state !== READABLE) return;
    this.queue.reset();
    this.clearAlgorithms();
    this.stream.error(reason);
  }

  hasChunk() { return !this.queue.isEmpty(); }

  /** Takes the first of the queue's chunks. */
  takeChunk() {
    const chunk = this.queue.dequeue();
    if (this.closeRequested && this.queue.isEmpty()) {
      this.clearAlgorithms();
      this.stream.close();
    } else {
      this.callPullIfNeeded();
    }
    return chunk;
  }

  /** [[PullSteps]] */
  pullSteps(request) {
    if (this.hasChunk()) {
      request.chunkSteps(this.takeChunk());
      return;
    }
    this.stream.reader.requests.append(request);
    this.callPullIfNeeded();
  }

  /** [[CancelSteps]] */
  cancelSteps(reason) {
    this.queue.reset();
    return this.cancelSource(reason);
  }

  /** [[ReleaseSteps]] */
  releaseSteps() {}
}

/** "CreateReadableStream". A source without a size algorithm counts chunks. */
function createReadable(source, highWaterMark, sizeAlgorithm) {
  const stream = new Readable();
  new DefaultController(stream, source, highWaterMark, sizeAlgorithm).setUp();
  return stream;
}

const releasedError = () => new TypeError("This ReadableStream reader has been released.");

provide({
  CLOSED, DefaultController, ERRORED, READABLE, Readable, ReadableController, RequestList, createReadable,
  releasedError,
});
