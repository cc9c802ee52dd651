// Streams Standard, section 4.9.1: "ReadableStreamPipeTo".
const { PromisePrototypeThen, PromiseResolve, TypeError } = primordials;
const { abortReason, addAbortAlgorithm, isAborted, removeAbortAlgorithm } = use("DOM/abort");
const { defineRecord } = use("Core/records");
const { Deferred, soon } = use("Streams/promises");
const readable = use("Streams/readable");
const writable = use("Streams/writable");
const { acquireDefaultReader } = use("Streams/readers");

function waitForBoth(first, second) {
  const both = new Deferred();
  let pending = 2;
  const done = () => {
    pending -= 1;
    if (pending === 0) both.resolve(undefined);
  };
  PromisePrototypeThen(first, done, both.reject);
  PromisePrototypeThen(second, done, both.reject);
  return both.promise;
}

/**
 * A pipe is the read request of its reads and the write request of its writes. A chunk that comes while read() runs is
 * written when that returns; one that comes later, from the hands of who enqueues it, in a microtask.
 */
class Pipe {
  constructor(source, destination, options) {
    this.source = source;
    this.destination = destination;
    this.options = options;
    this.completion = new Deferred();
    this.reader = acquireDefaultReader(source);
    this.writer = writable.acquireWriter(destination);
    this.isShuttingDown = false;
    this.abortAlgorithm = undefined;
    this.isReading = false;
    this.hasChunk = false;
    this.chunk = undefined;
    this.writesInFlight = 0;
    this.afterWrites = undefined;
    this.next = undefined;
    this.onStep = () => { this.step(); };
  }

  start() {
    this.source.isDisturbed = true;
    const { signal } = this.options;
    if (signal !== undefined) {
      const abortAlgorithm = () => { this.abort(abortReason(signal)); };
      if (isAborted(signal)) {
        abortAlgorithm();
        return;
      }
      this.abortAlgorithm = abortAlgorithm;
      addAbortAlgorithm(signal, abortAlgorithm);
    }
    this.watch();
    this.step();
  }

  abort(reason) {
    const { source, destination, options } = this;
    this.shutdown(() => waitForBoth(
      options.preventAbort || destination.state !== writable.WRITABLE
        ? PromiseResolve(undefined) : destination.abort(reason),
      options.preventCancel || source.state !== readable.READABLE
        ? PromiseResolve(undefined) : source.cancel(reason),
    ), true, reason);
  }

  /** Propagates what has happened to either side, or will. */
  watch() {
    const { source, destination } = this;
    const onSourceErrored = () => { this.forwardError(source.storedError); };
    const onDestinationErrored = () => { this.cancelSource(destination.storedError); };
    const onSourceClosed = () => { this.forwardClose(); };
    if (source.state === readable.ERRORED) onSourceErrored();
    if (destination.state === writable.ERRORED) onDestinationErrored();
    else PromisePrototypeThen(this.writer.closed.get(), undefined, onDestinationErrored);
    if (source.state === readable.CLOSED) onSourceClosed();
    else PromisePrototypeThen(this.reader.closed.get(), onSourceClosed, onSourceErrored);
    if (destination.isCloseQueuedOrInFlight() || destination.state === writable.CLOSED) {
      this.cancelSource(new TypeError("The destination of the pipe is closed or being closed."));
    }
  }

  forwardError(error) {
    const abort = () => this.destination.abort(error);
    this.shutdown(this.options.preventAbort ? undefined : abort, true, error);
  }

  forwardClose() {
    const close = () => this.writer.closeWithErrorPropagation();
    this.shutdown(this.options.preventClose ? undefined : close, false, undefined);
  }

  cancelSource(error) {
    const cancel = () => this.source.cancel(error);
    this.shutdown(this.options.preventCancel ? undefined : cancel, true, error);
  }

  /** Moves chunks until it has to wait for one, or for the destination to be ready. */
  step() {
    if (this.hasChunk) this.writeChunk();
    const ready = this.writer.ready;
    while (!this.isShuttingDown) {
      if (!ready.isFulfilled()) {
        if (ready.isPending()) ready.whenFulfilled(this.onStep);
        return;
      }
      this.isReading = true;
      this.reader.read(this);
      this.isReading = false;
      if (!this.hasChunk) return;
      this.writeChunk();
    }
  }

  chunkSteps(chunk) {
    this.hasChunk = true;
    this.chunk = chunk;
    if (!this.isReading) soon(this.onStep);
  }

  // The reader's closed promise tells of both.
  closeSteps() {}
  errorSteps() {}

  writeChunk() {
    const chunk = this.chunk;
    this.hasChunk = false;
    this.chunk = undefined;
    this.writesInFlight += 1;
    this.writer.write(chunk, this);
  }

  // What a write request has. What the write's failure means for the pipe is the destination's state.
  resolve() {
    this.writesInFlight -= 1;
    if (this.afterWrites !== undefined) this.continueShutdown();
  }

  reject() { this.resolve(); }

  /** "Shutdown with an action" if there is one, "shutdown" if not. */
  shutdown(action, isError, error) {
    if (this.isShuttingDown) return;
    this.isShuttingDown = true;
    const rest = () => {
      if (action === undefined) this.finalize(isError, error);
      else PromisePrototypeThen(action(), () => { this.finalize(isError, error); }, (e) => { this.finalize(true, e); });
    };
    const destination = this.destination;
    if (destination.state === writable.WRITABLE && !destination.isCloseQueuedOrInFlight()) {
      this.afterWrites = rest;
      this.continueShutdown();
    } else {
      rest();
    }
  }

  /** Goes on when every chunk that was read has been written, or has failed to be. */
  continueShutdown() {
    if (this.hasChunk || this.writesInFlight > 0) return;
    soon(this.afterWrites);
    this.afterWrites = undefined;
  }

  finalize(isError, error) {
    this.hasChunk = false;
    this.writer.release();
    this.reader.release();
    if (this.abortAlgorithm !== undefined) removeAbortAlgorithm(this.options.signal, this.abortAlgorithm);
    if (isError) this.completion.reject(error);
    else this.completion.resolve(undefined);
  }
}
defineRecord(Pipe);

const defaultOptions = {
  __proto__: null, preventAbort: false, preventCancel: false, preventClose: false, signal: undefined,
};

/** "ReadableStreamPipeTo", for two streams that are not locked; a promise of undefined. */
function pipe(source, destination, options = defaultOptions) {
  const work = new Pipe(source, destination, options);
  work.start();
  return work.completion.promise;
}

provide({ pipe });
