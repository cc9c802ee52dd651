// Streams Standard, section 4.9.1: "ReadableByteStreamTee".
const {
  PromisePrototypeThen, TypedArrayPrototypeGetBuffer, TypedArrayPrototypeGetByteLength,
  TypedArrayPrototypeGetByteOffset, Uint8Array,
} = primordials;
const { defineRecord } = use("Core/records");
const { soon } = use("Streams/promises");
const { acquireDefaultReader } = use("Streams/readers");
const { createReadableByteStream } = use("Streams/byteController");
const { acquireBYOBReader } = use("Streams/byobReader");
const { Tee } = use("Streams/tee");

/** Reads for whichever branch asks: a chunk as it comes, or bytes into the view of a branch's BYOB request. */
class ByteTee extends Tee {
  constructor(stream) {
    super(stream);
    this.reader = undefined;
    this.first.stream = createReadableByteStream(this.first, 0);
    this.second.stream = createReadableByteStream(this.second, 0);
    this.useReader(acquireDefaultReader(stream));
  }

  /** "forwardReaderError" */
  useReader(reader) {
    this.reader = reader;
    PromisePrototypeThen(reader.closed.get(), undefined, (reason) => {
      if (reader === this.reader) this.errorBranches(reason);
    });
  }

  read(branch) {
    const request = branch.stream.controller.getBYOBRequest();
    if (request === undefined) this.readWithDefaultReader();
    else this.readWithBYOBReader(request.view, branch);
  }

  readWithDefaultReader() {
    if (this.reader.isBYOB) {
      this.reader.release();
      this.useReader(acquireDefaultReader(this.stream));
    }
    this.reader.read(new TeeReadRequest(this));
  }

  readWithBYOBReader(view, branch) {
    if (!this.reader.isBYOB) {
      this.reader.release();
      this.useReader(acquireBYOBReader(this.stream));
    }
    this.reader.read({
      __proto__: null,
      buffer: TypedArrayPrototypeGetBuffer(view),
      byteOffset: TypedArrayPrototypeGetByteOffset(view),
      byteLength: TypedArrayPrototypeGetByteLength(view),
      elementSize: 1,
      View: Uint8Array,
    }, 1, new TeeReadIntoRequest(this, branch));
  }

  other(branch) { return branch === this.first ? this.second : this.first; }

  /** "CloneAsUint8Array"; undefined after a failure, which ends both branches. */
  clone(chunk) {
    try {
      return new Uint8Array(chunk);
    } catch (error) {
      this.failToClone(error);
      return undefined;
    }
  }

  beginDelivery() { this.first.readAgain = this.second.readAgain = false; }

  endDelivery() {
    const { first, second } = this;
    this.finishRead(first.readAgain ? first : second.readAgain ? second : undefined);
  }
}

class TeeReadRequest {
  constructor(tee) {
    this.tee = tee;
    this.next = undefined;
  }

  chunkSteps(chunk) { soon(() => { this.deliver(chunk); }); }

  deliver(chunk) {
    const { tee, tee: { first, second } } = this;
    tee.beginDelivery();
    let copy = chunk;
    if (!first.isCanceled && !second.isCanceled) {
      copy = tee.clone(chunk);
      if (copy === undefined) return;
    }
    first.enqueue(chunk);
    second.enqueue(copy);
    tee.endDelivery();
  }

  closeSteps() {
    const { tee, tee: { first, second } } = this;
    tee.isReading = false;
    if (!first.isCanceled) first.stream.controller.close();
    if (!second.isCanceled) second.stream.controller.close();
    respondToNothing(first);
    respondToNothing(second);
    tee.settleCancellation();
  }

  errorSteps() { this.tee.isReading = false; }
}
defineRecord(TeeReadRequest);

function respondToNothing({ stream: { controller } }) {
  if (controller.pullIntos.first !== undefined) controller.respond(0);
}

class TeeReadIntoRequest {
  constructor(tee, branch) {
    this.tee = tee;
    this.branch = branch;
    this.next = undefined;
  }

  respond(view) {
    if (this.branch.isCanceled) return;
    this.branch.stream.controller.respondWithNewView(TypedArrayPrototypeGetBuffer(view),
      TypedArrayPrototypeGetByteOffset(view), TypedArrayPrototypeGetByteLength(view));
  }

  chunkSteps(chunk) { soon(() => { this.deliver(chunk); }); }

  deliver(chunk) {
    const { tee, branch } = this;
    const other = tee.other(branch);
    tee.beginDelivery();
    if (other.isCanceled) {
      this.respond(chunk);
    } else {
      const copy = tee.clone(chunk);
      if (copy === undefined) return;
      this.respond(chunk);
      other.enqueue(copy);
    }
    tee.endDelivery();
  }

  closeSteps(chunk) {
    const { tee, branch } = this;
    const other = tee.other(branch);
    tee.isReading = false;
    if (!branch.isCanceled) branch.stream.controller.close();
    if (!other.isCanceled) other.stream.controller.close();
    if (chunk !== undefined) {
      this.respond(chunk);
      if (!other.isCanceled) respondToNothing(other);
    }
    tee.settleCancellation();
  }

  errorSteps() { this.tee.isReading = false; }
}
defineRecord(TeeReadIntoRequest);

const teeBytes = (stream) => new ByteTee(stream);

provide({ teeBytes });
