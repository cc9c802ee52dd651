// Streams Standard, sections 4.5, 4.7 and 4.8: ReadableStreamBYOBReader, ReadableByteStreamController and
// ReadableStreamBYOBRequest.
const { PromiseReject, RangeError, TypeError } = primordials;
const { converters, defineInterface, dictionary, illegalInvocation, requireArguments } = use("WebIDL/webidl");
const { isDetachedBuffer } = use("ECMAScript/buffers");
const { Deferred } = use("Streams/promises");
const { releasedError } = use("Streams/readable");
const { adopt, readableOf } = use("Streams/readableObjects");
const { acquireBYOBReader, describeFilledView, describeView } = use("Streams/byobReader");

const toInteger = (V, prefix, context) => converters["unsigned long long"](V, prefix, context, { enforceRange: true });

const toReadOptions = dictionary("ReadableStreamBYOBReaderReadOptions", [
  { key: "min", converter: toInteger, defaultValue: () => 1 },
]);

class PromiseReadIntoRequest extends Deferred {
  constructor() {
    super();
    this.next = undefined;
  }
  chunkSteps(value) { this.resolve({ value, done: false }); }
  closeSteps(value) { this.resolve({ value, done: true }); }
  errorSteps(reason) { this.reject(reason); }
}

let isBYOBReader;

class ReadableStreamBYOBReader {
  #reader;

  constructor(stream, reader = undefined) {
    if (stream === adopt) {
      this.#reader = reader;
      return;
    }
    const prefix = "Failed to construct 'ReadableStreamBYOBReader'";
    requireArguments(arguments.length, 1, prefix);
    this.#reader = acquireBYOBReader(readableOf(converters.ReadableStream(stream, prefix, "parameter 1")));
  }

  get closed() {
    return isBYOBReader(this) ? this.#reader.closed.get() : PromiseReject(illegalInvocation());
  }

  cancel(reason = undefined) {
    if (!isBYOBReader(this)) return PromiseReject(illegalInvocation());
    const stream = this.#reader.stream;
    return stream === undefined ? PromiseReject(releasedError()) : stream.cancel(reason);
  }

  read(view, options = undefined) {
    if (!isBYOBReader(this)) return PromiseReject(illegalInvocation());
    try {
      const prefix = "Failed to execute 'read' on 'ReadableStreamBYOBReader'";
      requireArguments(arguments.length, 1, prefix);
      converters.ArrayBufferView(view, prefix, "parameter 1");
      const { min } = toReadOptions(options, prefix, "parameter 2");
      const description = describeFilledView(view, prefix);
      if (min === 0) throw new TypeError(`${prefix}: min must be greater than 0.`);
      if (min * description.elementSize > description.byteLength) {
        throw new RangeError(`${prefix}: min is greater than the view's length.`);
      }
      const reader = this.#reader;
      if (reader.stream === undefined) throw releasedError();
      const request = new PromiseReadIntoRequest();
      reader.read(description, min, request);
      return request.promise;
    } catch (error) {
      return PromiseReject(error);
    }
  }

  releaseLock() {
    const reader = this.#reader;
    if (reader.stream !== undefined) reader.release();
  }

  static {
    isBYOBReader = (value) => typeof value === "object" && value !== null && #reader in value;
  }
}
defineInterface(ReadableStreamBYOBReader);

class ReadableByteStreamController {
  #controller;

  constructor(token = undefined, controller = undefined) {
    if (token !== adopt) throw new TypeError("Illegal constructor");
    this.#controller = controller;
  }

  get byobRequest() {
    const request = this.#controller.getBYOBRequest();
    return request === undefined ? null : request.object ??= new ReadableStreamBYOBRequest(adopt, request);
  }

  get desiredSize() { return this.#controller.desiredSize(); }

  close() {
    const controller = this.#controller;
    requireOpen(controller, "Failed to execute 'close' on 'ReadableByteStreamController'");
    controller.close();
  }

  enqueue(chunk) {
    const controller = this.#controller;
    const prefix = "Failed to execute 'enqueue' on 'ReadableByteStreamController'";
    requireArguments(arguments.length, 1, prefix);
    converters.ArrayBufferView(chunk, prefix, "parameter 1");
    const { buffer, byteOffset, byteLength } = describeFilledView(chunk, prefix);
    requireOpen(controller, prefix);
    controller.enqueueView(buffer, byteOffset, byteLength);
  }

  error(reason = undefined) { this.#controller.error(reason); }
}
defineInterface(ReadableByteStreamController);

function requireOpen(controller, prefix) {
  if (!controller.canCloseOrEnqueue()) throw new TypeError(`${prefix}: The stream is closed, errored or being closed.`);
}

class ReadableStreamBYOBRequest {
  #request;

  constructor(token = undefined, request = undefined) {
    if (token !== adopt) throw new TypeError("Illegal constructor");
    this.#request = request;
  }

  get view() { return this.#request.view; }

  respond(bytesWritten) {
    const request = this.#request;
    const prefix = "Failed to execute 'respond' on 'ReadableStreamBYOBRequest'";
    requireArguments(arguments.length, 1, prefix);
    bytesWritten = toInteger(bytesWritten, prefix, "parameter 1");
    const controller = requireController(request, prefix);
    if (isDetachedBuffer(controller.pullIntos.first.buffer)) {
      throw new TypeError(`${prefix}: The request's buffer has been detached.`);
    }
    controller.respond(bytesWritten);
  }

  respondWithNewView(view) {
    const request = this.#request;
    const prefix = "Failed to execute 'respondWithNewView' on 'ReadableStreamBYOBRequest'";
    requireArguments(arguments.length, 1, prefix);
    converters.ArrayBufferView(view, prefix, "parameter 1");
    const controller = requireController(request, prefix);
    const { buffer, byteOffset, byteLength } = describeView(view, prefix);
    controller.respondWithNewView(buffer, byteOffset, byteLength);
  }
}
defineInterface(ReadableStreamBYOBRequest);

function requireController({ controller }, prefix) {
  if (controller === undefined) throw new TypeError(`${prefix}: This BYOB request has been invalidated.`);
  return controller;
}

const createControllerObject = (controller) => new ReadableByteStreamController(adopt, controller);
const createReaderObject = (stream) => new ReadableStreamBYOBReader(adopt, acquireBYOBReader(stream));

provide({
  ReadableByteStreamController, ReadableStreamBYOBReader, ReadableStreamBYOBRequest, createControllerObject,
  createReaderObject,
});
