// Streams Standard, sections 4.3 and 4.4: default readers, and what they share with BYOB readers, as records.
const { TypeError } = primordials;
const { defineRecord } = use("Core/records");
const { LazyPromise } = use("Streams/promises");
const { CLOSED, ERRORED, READABLE, RequestList, releasedError } = use("Streams/readable");

class Reader {
  /** "ReadableStreamReaderGenericInitialize", for a stream that is not locked. */
  constructor(stream, isBYOB) {
    stream.ensureController();
    this.isBYOB = isBYOB;
    this.stream = stream;
    this.requests = new RequestList();
    this.closed = new LazyPromise();
    stream.reader = this;
    if (stream.state === CLOSED) this.closed.resolve();
    else if (stream.state === ERRORED) this.closed.reject(stream.storedError);
  }

  /** "ReadableStreamDefaultReaderRelease" and "ReadableStreamBYOBReaderRelease". */
  release() {
    const stream = this.stream;
    this.closed.replaceByRejection(releasedError());
    stream.controller.releaseSteps();
    stream.reader = undefined;
    this.stream = undefined;
    if (this.requests.first === undefined) return;
    const error = releasedError();
    this.requests.take((request) => request.errorSteps(error));
  }
}
defineRecord(Reader);

class DefaultReader extends Reader {
  constructor(stream) { super(stream, false); }

  /** "ReadableStreamDefaultReaderRead". */
  read(request) {
    const stream = this.stream;
    stream.isDisturbed = true;
    if (stream.state === READABLE) stream.controller.pullSteps(request);
    else if (stream.state === CLOSED) request.closeSteps();
    else request.errorSteps(stream.storedError);
  }
}

/** "AcquireReadableStreamDefaultReader". */
function acquireDefaultReader(stream) {
  if (stream.isLocked()) throw new TypeError("This ReadableStream is currently locked to a reader.");
  return new DefaultReader(stream);
}

provide({ DefaultReader, Reader, acquireDefaultReader });
