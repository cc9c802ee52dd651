// Streams Standard, sections 5.2 to 5.5: writable streams, their controllers and writers, as records. The objects that
// tenants see (writableObjects) each hold one of these.
//
// A sink has start(controller), write(chunk, controller), close() and abort(reason). A write request has resolve() and
// reject(reason); it waits in the controller's queue beside its chunk.
const { PromiseReject, PromiseResolve, TypeError } = primordials;
const { createSignal, signalAbort } = use("DOM/abort");
const { defineRecord } = use("Core/records");
const { Deferred, LazyPromise, promiseOf, react } = use("Streams/promises");
const { Queue } = use("Streams/queue");
const { sizeOf } = use("Streams/strategies");

const WRITABLE = 0, ERRORING = 1, CLOSED = 2, ERRORED = 3;
const closeSentinel = { __proto__: null };

class AbortRequest extends Deferred {
  constructor(reason, wasAlreadyErroring) {
    super();
    this.reason = reason;
    this.wasAlreadyErroring = wasAlreadyErroring;
  }
}

class Writable {
  constructor() {
    this.state = WRITABLE;
    this.backpressure = false;
    this.isWriteInFlight = false;
    this.inFlightWriteRequest = undefined;
    this.inFlightCloseRequest = undefined;
    this.closeRequest = undefined;
    this.pendingAbort = undefined;
    this.storedError = undefined;
    this.controller = undefined;
    this.writer = undefined;
    // The WritableStream, if there is one.
    this.object = undefined;
  }

  isLocked() { return this.writer !== undefined; }

  isCloseQueuedOrInFlight() { return this.closeRequest !== undefined || this.inFlightCloseRequest !== undefined; }

  isSettled() { return this.state === CLOSED || this.state === ERRORED; }

  /** "WritableStreamAbort". */
  abort(reason) {
    if (this.isSettled()) return PromiseResolve(undefined);
    this.controller.signalAbort(reason);
    if (this.isSettled()) return PromiseResolve(undefined);
    if (this.pendingAbort !== undefined) return this.pendingAbort.promise;
    const wasAlreadyErroring = this.state === ERRORING;
    const request = new AbortRequest(wasAlreadyErroring ? undefined : reason, wasAlreadyErroring);
    this.pendingAbort = request;
    if (!wasAlreadyErroring) this.startErroring(reason);
    return request.promise;
  }

  /** "WritableStreamClose". */
  close() {
    if (this.isSettled()) {
      const state = this.state === CLOSED ? "closed" : "errored";
      return PromiseReject(new TypeError(`Cannot close a WritableStream that is already ${state}.`));
    }
    const request = new Deferred();
    this.closeRequest = request;
    if (this.writer !== undefined && this.backpressure && this.state === WRITABLE) this.writer.ready.resolve();
    this.controller.close();
    return request.promise;
  }

  /** "WritableStreamStartErroring". */
  startErroring(reason) {
    this.state = ERRORING;
    this.storedError = reason;
    if (this.writer !== undefined) this.writer.ready.replaceByRejection(reason);
    const isInFlight = this.isWriteInFlight || this.inFlightCloseRequest !== undefined;
    if (!isInFlight && this.controller.isStarted) this.finishErroring();
  }

  /** "WritableStreamDealWithRejection". */
  dealWithRejection(error) {
    if (this.state === WRITABLE) this.startErroring(error);
    else this.finishErroring();
  }

  /** "WritableStreamFinishErroring". */
  finishErroring() {
    this.state = ERRORED;
    this.controller.rejectQueue(this.storedError);
    const request = this.pendingAbort;
    if (request === undefined) {
      this.rejectCloseAndClosedPromiseIfNeeded();
      return;
    }
    this.pendingAbort = undefined;
    if (request.wasAlreadyErroring) {
      request.reject(this.storedError);
      this.rejectCloseAndClosedPromiseIfNeeded();
      return;
    }
    react(this.controller.abortSteps(request.reason), () => {
      request.resolve(undefined);
      this.rejectCloseAndClosedPromiseIfNeeded();
    }, (reason) => {
      request.reject(reason);
      this.rejectCloseAndClosedPromiseIfNeeded();
    });
  }

  rejectCloseAndClosedPromiseIfNeeded() {
    if (this.closeRequest !== undefined) {
      this.closeRequest.reject(this.storedError);
      this.closeRequest = undefined;
    }
    if (this.writer !== undefined) this.writer.closed.reject(this.storedError);
  }

  /** "WritableStreamMarkFirstWriteRequestInFlight", for the first entry of the queue. */
  markWriteInFlight(entry) {
    this.isWriteInFlight = true;
    this.inFlightWriteRequest = entry.request;
    entry.request = undefined;
  }

  takeInFlightWriteRequest() {
    const request = this.inFlightWriteRequest;
    this.inFlightWriteRequest = undefined;
    this.isWriteInFlight = false;
    return request;
  }

  /** "WritableStreamFinishInFlightWriteWithError". */
  finishInFlightWriteWithError(error) {
    this.takeInFlightWriteRequest().reject(error);
    this.dealWithRejection(error);
  }

  /** "WritableStreamFinishInFlightClose". */
  finishInFlightClose() {
    this.inFlightCloseRequest.resolve(undefined);
    this.inFlightCloseRequest = undefined;
    if (this.state === ERRORING) {
      this.storedError = undefined;
      if (this.pendingAbort !== undefined) {
        this.pendingAbort.resolve(undefined);
        this.pendingAbort = undefined;
      }
    }
    this.state = CLOSED;
    if (this.writer !== undefined) this.writer.closed.resolve();
  }

  /** "WritableStreamFinishInFlightCloseWithError". */
  finishInFlightCloseWithError(error) {
    this.inFlightCloseRequest.reject(error);
    this.inFlightCloseRequest = undefined;
    if (this.pendingAbort !== undefined) {
      this.pendingAbort.reject(error);
      this.pendingAbort = undefined;
    }
    this.dealWithRejection(error);
  }

  /** "WritableStreamUpdateBackpressure". */
  updateBackpressure(backpressure) {
    if (this.backpressure === backpressure) return;
    this.backpressure = backpressure;
    if (this.writer === undefined) return;
    if (backpressure) this.writer.ready.renew();
    else this.writer.ready.resolve();
  }
}
defineRecord(Writable);

class WritableController {
  constructor(stream, sink, highWaterMark, sizeAlgorithm) {
    this.stream = stream;
    this.sink = sink;
    this.highWaterMark = highWaterMark;
    this.sizeAlgorithm = sizeAlgorithm;
    this.queue = new Queue();
    this.isStarted = false;
    // The signal of [[abortController]] is made when the tenant asks for it, after the abort if need be.
    this.signal = undefined;
    this.isAborted = false;
    this.abortReason = undefined;
    // The object that the tenant sees.
    this.object = undefined;
    this.onSettled = () => { this.settle(); };
    this.onFailed = (reason) => { this.fail(reason); };
  }

  /** "SetUpWritableStreamDefaultController". */
  setUp() {
    const stream = this.stream;
    stream.controller = this;
    stream.updateBackpressure(this.hasBackpressure());
    react(this.sink.start(this), this.onSettled, this.onFailed);
  }

  /** The start algorithm is done, or the write algorithm for the first chunk of the queue. */
  settle() {
    if (this.isStarted) this.finishWrite();
    this.isStarted = true;
    this.advanceQueueIfNeeded();
  }

  fail(reason) {
    const stream = this.stream;
    if (!this.isStarted) {
      this.isStarted = true;
      stream.dealWithRejection(reason);
      return;
    }
    if (stream.state === WRITABLE) this.clearAlgorithms();
    stream.finishInFlightWriteWithError(reason);
  }

  finishWrite() {
    const stream = this.stream;
    stream.takeInFlightWriteRequest().resolve(undefined);
    this.queue.dequeue();
    if (stream.state === WRITABLE && !stream.isCloseQueuedOrInFlight()) {
      stream.updateBackpressure(this.hasBackpressure());
    }
  }

  desiredSize() { return this.highWaterMark - this.queue.totalSize; }
  hasBackpressure() { return this.desiredSize() <= 0; }

  getSignal() {
    if (this.signal === undefined) {
      this.signal = createSignal();
      if (this.isAborted) signalAbort(this.signal, this.abortReason);
    }
    return this.signal;
  }

  signalAbort(reason) {
    if (this.isAborted) return;
    this.isAborted = true;
    this.abortReason = reason;
    if (this.signal !== undefined) signalAbort(this.signal, reason);
  }

  clearAlgorithms() {
    this.sink = undefined;
    this.sizeAlgorithm = undefined;
  }

  /** "WritableStreamDefaultControllerGetChunkSize". */
  getChunkSize(chunk) {
    try {
      return sizeOf(chunk, this.sizeAlgorithm);
    } catch (error) {
      this.errorIfNeeded(error);
      return 1;
    }
  }

  write(chunk, size, request) {
    try {
      this.queue.enqueue(chunk, size, request);
    } catch (error) {
      this.queue.append(chunk, 0, request);
      this.errorIfNeeded(error);
      return;
    }
    const stream = this.stream;
    if (stream.state === WRITABLE && !stream.isCloseQueuedOrInFlight()) {
      stream.updateBackpressure(this.hasBackpressure());
    }
    this.advanceQueueIfNeeded();
  }

  close() {
    this.queue.append(closeSentinel, 0, undefined);
    this.advanceQueueIfNeeded();
  }

  error(reason) {
    this.clearAlgorithms();
    this.stream.startErroring(reason);
  }

  errorIfNeeded(reason) {
    if (this.stream.state === WRITABLE) this.error(reason);
  }

  advanceQueueIfNeeded() {
    const stream = this.stream;
    if (!this.isStarted || stream.isWriteInFlight) return;
    if (stream.state === ERRORING) {
      stream.finishErroring();
      return;
    }
    const entry = this.queue.first;
    if (entry === undefined) return;
    if (entry.value === closeSentinel) this.processClose();
    else this.processWrite(entry);
  }

  processClose() {
    const stream = this.stream;
    stream.inFlightCloseRequest = stream.closeRequest;
    stream.closeRequest = undefined;
    this.queue.dequeue();
    let result;
    try {
      result = this.sink.close();
    } catch (error) {
      result = PromiseReject(error);
    }
    this.clearAlgorithms();
    react(result, () => {
      stream.finishInFlightClose();
    }, (reason) => {
      stream.finishInFlightCloseWithError(reason);
    });
  }

  processWrite(entry) {
    this.stream.markWriteInFlight(entry);
    let result;
    try {
      result = this.sink.write(entry.value, this);
    } catch (error) {
      result = PromiseReject(error);
    }
    react(result, this.onSettled, this.onFailed);
  }

  /** [[AbortSteps]] */
  abortSteps(reason) {
    let result;
    try {
      result = this.sink.abort(reason);
    } catch (error) {
      result = PromiseReject(error);
    }
    this.clearAlgorithms();
    return promiseOf(result);
  }

  /** [[ErrorSteps]], and the rejection of the write requests that were in the queue. */
  rejectQueue(error) {
    let entry = this.queue.first;
    this.queue.reset();
    for (; entry !== undefined; entry = entry.next) {
      if (entry.request !== undefined) entry.request.reject(error);
    }
  }
}
defineRecord(WritableController);

class Writer {
  /** "SetUpWritableStreamDefaultWriter", for a stream that is not locked. */
  constructor(stream) {
    this.stream = stream;
    this.closed = new LazyPromise();
    this.ready = new LazyPromise();
    stream.writer = this;
    const state = stream.state;
    if (state === WRITABLE) {
      if (stream.isCloseQueuedOrInFlight() || !stream.backpressure) this.ready.resolve();
    } else if (state === CLOSED) {
      this.ready.resolve();
      this.closed.resolve();
    } else {
      this.ready.reject(stream.storedError);
      if (state === ERRORED) this.closed.reject(stream.storedError);
    }
  }

  /** "WritableStreamDefaultWriterGetDesiredSize". */
  desiredSize() {
    const stream = this.stream;
    if (stream.state === ERRORED || stream.state === ERRORING) return null;
    return stream.state === CLOSED ? 0 : stream.controller.desiredSize();
  }

  /** "WritableStreamDefaultWriterWrite". */
  write(chunk, request) {
    const stream = this.stream;
    const controller = stream.controller;
    const size = controller.getChunkSize(chunk);
    if (stream !== this.stream) {
      request.reject(releasedError());
    } else if (stream.state === ERRORED || stream.state === ERRORING && !stream.isCloseQueuedOrInFlight()) {
      request.reject(stream.storedError);
    } else if (stream.state === CLOSED || stream.isCloseQueuedOrInFlight()) {
      request.reject(new TypeError("Cannot write to a WritableStream that is closing or closed."));
    } else {
      controller.write(chunk, size, request);
    }
  }

  /** "WritableStreamDefaultWriterCloseWithErrorPropagation". */
  closeWithErrorPropagation() {
    const stream = this.stream;
    if (stream.isCloseQueuedOrInFlight() || stream.state === CLOSED) return PromiseResolve(undefined);
    return stream.state === ERRORED ? PromiseReject(stream.storedError) : stream.close();
  }

  /** "WritableStreamDefaultWriterRelease". */
  release() {
    const error = releasedError();
    this.ready.replaceByRejection(error);
    this.closed.replaceByRejection(error);
    this.stream.writer = undefined;
    this.stream = undefined;
  }
}
defineRecord(Writer);

const releasedError = () => new TypeError("This WritableStream writer has been released.");

/** "AcquireWritableStreamDefaultWriter". */
function acquireWriter(stream) {
  if (stream.isLocked()) throw new TypeError("This WritableStream is currently locked to a writer.");
  return new Writer(stream);
}

/** "CreateWritableStream". */
function createWritable(sink, highWaterMark, sizeAlgorithm) {
  const stream = new Writable();
  new WritableController(stream, sink, highWaterMark, sizeAlgorithm).setUp();
  return stream;
}

provide({
  CLOSED, ERRORED, ERRORING, WRITABLE, Writable, WritableController, Writer, acquireWriter, createWritable,
  releasedError,
});
