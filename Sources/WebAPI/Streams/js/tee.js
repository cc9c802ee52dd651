// Streams Standard, section 4.9.1: "ReadableStreamTee", and the default kind of it.
const { PromisePrototypeThen } = primordials;
const { defineRecord } = use("Core/records");
const { Deferred, soon } = use("Streams/promises");
const { createReadable } = use("Streams/readable");
const { acquireDefaultReader } = use("Streams/readers");

/** The source of one of the two branches. */
class Branch {
  constructor(tee) {
    this.tee = tee;
    this.stream = undefined;
    this.isCanceled = false;
    this.reason = undefined;
    this.readAgain = false;
  }

  start() { return undefined; }
  pull() { this.tee.pull(this); }

  cancel(reason) {
    this.isCanceled = true;
    this.reason = reason;
    this.tee.cancelIfBothAre();
    return this.tee.cancellation.promise;
  }

  enqueue(chunk) {
    if (!this.isCanceled) this.stream.controller.enqueue(chunk);
  }

  error(reason) { this.stream.controller.error(reason); }
}
defineRecord(Branch);

/** What teeing default streams and byte streams have in common. A subclass reads in read(branch). */
class Tee {
  constructor(stream) {
    this.stream = stream;
    this.isReading = false;
    this.cancellation = new Deferred();
    this.first = new Branch(this);
    this.second = new Branch(this);
  }

  pull(branch) {
    if (this.isReading) {
      branch.readAgain = true;
      return;
    }
    this.isReading = true;
    this.read(branch);
  }

  /** The end of a read, which a branch may have asked to be followed by another. */
  finishRead(readAgainFor) {
    this.isReading = false;
    if (readAgainFor !== undefined) this.pull(readAgainFor);
  }

  cancelIfBothAre() {
    if (!this.first.isCanceled || !this.second.isCanceled) return;
    this.cancellation.resolve(this.stream.cancel([this.first.reason, this.second.reason]));
  }

  /** Nothing more comes: a branch that is cancelled alone need not wait for the other. */
  settleCancellation() {
    if (!this.first.isCanceled || !this.second.isCanceled) this.cancellation.resolve(undefined);
  }

  /** A chunk could not be copied for the other branch. */
  failToClone(error) {
    this.first.error(error);
    this.second.error(error);
    this.cancellation.resolve(this.stream.cancel(error));
  }

  errorBranches(reason) {
    this.first.error(reason);
    this.second.error(reason);
    this.settleCancellation();
  }
}
defineRecord(Tee);

/** "ReadableStreamDefaultTee", its own read request. */
class DefaultTee extends Tee {
  constructor(stream, clonesForSecond) {
    super(stream);
    this.clonesForSecond = clonesForSecond;
    this.reader = acquireDefaultReader(stream);
    this.chunk = undefined;
    this.next = undefined;
    this.onChunk = () => { this.deliver(); };
    this.first.stream = createReadable(this.first, 1, undefined);
    this.second.stream = createReadable(this.second, 1, undefined);
    PromisePrototypeThen(this.reader.closed.get(), undefined, (reason) => { this.errorBranches(reason); });
  }

  read() { this.reader.read(this); }

  // Errors of the stream show a microtask late; chunks must not overtake them.
  chunkSteps(chunk) {
    this.chunk = chunk;
    soon(this.onChunk);
  }

  deliver() {
    const { first, second, chunk } = this;
    this.chunk = undefined;
    first.readAgain = second.readAgain = false;
    let copy = chunk;
    if (this.clonesForSecond && !second.isCanceled) {
      try {
        copy = use("HTML/structuredClone").cloneWithTransfer(chunk, []).value;
      } catch (error) {
        this.failToClone(error);
        return;
      }
    }
    first.enqueue(chunk);
    second.enqueue(copy);
    this.finishRead(first.readAgain || second.readAgain ? first : undefined);
  }

  closeSteps() {
    this.isReading = false;
    if (!this.first.isCanceled) this.first.stream.controller.close();
    if (!this.second.isCanceled) this.second.stream.controller.close();
    this.settleCancellation();
  }

  errorSteps() { this.isReading = false; }
}

/** Locks the stream; the branches are the records .first.stream and .second.stream of what this gives. */
function tee(stream, clonesForSecond) {
  stream.ensureController();
  if (stream.controller.isByteController) return use("Streams/byteTee").teeBytes(stream);
  return new DefaultTee(stream, clonesForSecond);
}

provide({ Tee, tee });
