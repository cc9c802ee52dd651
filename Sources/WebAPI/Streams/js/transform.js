// Streams Standard, sections 6.2, 6.3 and 6.4: transform streams as records. One record is the stream, its controller,
// the sink of its writable side and the source of its readable side. The promise [[backpressureChangePromise]] would be
// awaited by one write and one pull at most: these are finished by name.
//
// A transformer has transform(chunk, controller), flush(controller) and cancel(reason).
const { PromiseReject, TypeError } = primordials;
const { defineRecord } = use("Core/records");
const { Deferred, later, react, soon } = use("Streams/promises");
const readable = use("Streams/readable");
const writable = use("Streams/writable");

class Transform {
  constructor(transformer) {
    this.transformer = transformer;
    this.writable = undefined;
    this.readable = undefined;
    this.backpressure = true;
    this.isPulling = false;
    this.isWriteWaiting = false;
    this.waitingChunk = undefined;
    this.wanted = undefined;
    // [[finishPromise]]
    this.finished = undefined;
    // The TransformStreamDefaultController, if there is one.
    this.object = undefined;
    this.onUnblocked = () => { this.resumeWrite(); };
    this.onTransformFailed = (reason) => { this.failTransform(reason); };
  }

  /** The start algorithm of both sides, which begin() ends. */
  start() { return later; }

  /**
   * Starts both sides once a start algorithm has given its result. Their own start promises follow that of the whole,
   * which takes two microtasks more, and what happens in these counts as before the start.
   */
  begin(result) {
    react(result, () => {
      soon(() => soon(() => {
        this.writable.controller.settle();
        this.readable.controller.settle();
      }));
    }, (reason) => {
      soon(() => soon(() => {
        this.writable.controller.fail(reason);
        this.readable.controller.error(reason);
      }));
    });
  }

  /** A promise of the readable side's wish for more, for a transformer whose output has no bound. */
  whenWanted() {
    this.wanted = new Deferred();
    return this.wanted.promise;
  }

  setBackpressure(backpressure) {
    this.backpressure = backpressure;
    if (!backpressure && this.wanted !== undefined) {
      this.wanted.resolve(undefined);
      this.wanted = undefined;
    }
    if (backpressure && this.isPulling) {
      this.isPulling = false;
      soon(this.readable.controller.onSettled);
    } else if (!backpressure && this.isWriteWaiting) {
      soon(this.onUnblocked);
    }
  }

  unblockWrite() {
    if (this.backpressure) this.setBackpressure(false);
  }

  /** "TransformStreamErrorWritableAndUnblockWrite". */
  errorWritableAndUnblockWrite(reason) {
    this.transformer = undefined;
    this.writable.controller.errorIfNeeded(reason);
    this.unblockWrite();
  }

  // Section 6.3.2: the controller's algorithms.

  desiredSize() { return this.readable.controller.desiredSize(); }

  enqueue(chunk) {
    const controller = this.readable.controller;
    if (!controller.canCloseOrEnqueue()) {
      throw new TypeError("The readable side of this TransformStream is closed or errored.");
    }
    try {
      controller.enqueue(chunk);
    } catch (error) {
      this.errorWritableAndUnblockWrite(error);
      throw this.readable.storedError;
    }
    if (!this.backpressure && !controller.shouldCallPull()) this.setBackpressure(true);
  }

  error(reason) {
    this.readable.controller.error(reason);
    this.errorWritableAndUnblockWrite(reason);
  }

  terminate() {
    this.readable.controller.close();
    this.errorWritableAndUnblockWrite(new TypeError("This TransformStream has been terminated."));
  }

  performTransform(chunk) {
    // The readable side is being cancelled.
    if (this.transformer === undefined) return this.finished === undefined ? undefined : this.finished.promise;
    let result;
    try {
      result = this.transformer.transform(chunk, this);
    } catch (error) {
      result = PromiseReject(error);
    }
    if (result === undefined) return undefined;
    react(result, this.writable.controller.onSettled, this.onTransformFailed);
    return later;
  }

  failTransform(reason) {
    this.error(reason);
    this.writable.controller.fail(reason);
  }

  // Section 6.4.1: the sink.

  write(chunk) {
    if (!this.backpressure) return this.performTransform(chunk);
    this.isWriteWaiting = true;
    this.waitingChunk = chunk;
    return later;
  }

  resumeWrite() {
    const chunk = this.waitingChunk;
    this.isWriteWaiting = false;
    this.waitingChunk = undefined;
    const stream = this.writable;
    const isErroring = stream.state === writable.ERRORING;
    const result = isErroring ? PromiseReject(stream.storedError) : this.performTransform(chunk);
    react(result, stream.controller.onSettled, stream.controller.onFailed);
  }

  abort(reason) {
    return this.finish((transformer) => transformer.cancel(reason), this.readable, () => {
      this.readable.controller.error(reason);
    }, (error) => {
      this.readable.controller.error(error);
    });
  }

  close() {
    return this.finish((transformer) => transformer.flush(this), this.readable, () => {
      this.readable.controller.finish();
    }, (error) => {
      this.readable.controller.error(error);
    });
  }

  // Section 6.4.2: the source.

  pull() {
    this.isPulling = true;
    this.setBackpressure(false);
    return later;
  }

  cancel(reason) {
    const endWritable = (error) => {
      this.writable.controller.errorIfNeeded(error);
      this.unblockWrite();
    };
    return this.finish((transformer) => transformer.cancel(reason), this.writable, () => {
      endWritable(reason);
    }, endWritable);
  }

  /** What the three ways to end have in common: run an algorithm once, then end the other side. */
  finish(run, otherSide, onFulfilled, onRejected) {
    if (this.finished !== undefined) return this.finished.promise;
    const finished = new Deferred();
    this.finished = finished;
    const transformer = this.transformer;
    let result;
    try {
      if (transformer !== undefined) result = run(transformer);
    } catch (error) {
      result = PromiseReject(error);
    }
    this.transformer = undefined;
    // A new promise even for a promise: what happens while it follows that one counts.
    if (result !== undefined) {
      const followed = new Deferred();
      followed.resolve(result);
      result = followed.promise;
    }
    const errored = otherSide === this.readable ? readable.ERRORED : writable.ERRORED;
    react(result, () => {
      if (otherSide.state === errored) {
        finished.reject(otherSide.storedError);
      } else {
        onFulfilled();
        finished.resolve(undefined);
      }
    }, (reason) => {
      onRejected(reason);
      finished.reject(reason);
    });
    return finished.promise;
  }
}
defineRecord(Transform);

/**
 * "InitializeTransformStream". `options` may have writableHighWaterMark, writableSize, readableHighWaterMark and
 * readableSize; or isByteStream, for a readable side that is a byte stream. The caller calls begin().
 */
function initializeTransform(transformer, options = defaultOptions) {
  const stream = new Transform(transformer);
  stream.writable = writable.createWritable(stream, options.writableHighWaterMark, options.writableSize);
  stream.readable = options.isByteStream
    ? use("Streams/byteController").createReadableByteStream(stream, 0)
    : readable.createReadable(stream, options.readableHighWaterMark, options.readableSize);
  return stream;
}

const defaultOptions = {
  __proto__: null, isByteStream: false, writableHighWaterMark: 1, writableSize: undefined, readableHighWaterMark: 0,
  readableSize: undefined,
};

/** A transform stream of the runtime's own. */
function createTransform(transformer, options) {
  const stream = initializeTransform(transformer, options);
  stream.begin(undefined);
  return stream;
}

provide({ createTransform, initializeTransform });
