// Streams Standard, sections 5.2 to 5.4: WritableStream, its writer and its controller.
const { FunctionPrototypeCall, PromiseReject, RangeError, TypeError } = primordials;
const {
  converters, defineInterface, dictionary, exposeGlobals, illegalInvocation, interfaceConverter, requireArguments,
} = use("WebIDL/webidl");
const { bindMethod } = use("Core/asyncContext");
const { registerTransferable } = use("HTML/serializable");
const { defineRecord } = use("Core/records");
const { Deferred } = use("Streams/promises");
const { extractHighWaterMark, extractSizeAlgorithm, toQueuingStrategy } = use("Streams/strategies");
const { WRITABLE, Writable, WritableController, acquireWriter, releasedError } = use("Streams/writable");

const toUnderlyingSink = dictionary("UnderlyingSink", [
  { key: "abort", converter: converters.Function },
  { key: "close", converter: converters.Function },
  { key: "start", converter: converters.Function },
  { key: "type", converter: converters.any },
  { key: "write", converter: converters.Function },
]);

const lockedError = (prefix) => new TypeError(`${prefix}: This WritableStream is currently locked to a writer.`);
const closingError = (prefix) => new TypeError(`${prefix}: This WritableStream is closed or being closed.`);

/** The sink that a tenant gave to the constructor. */
class TenantSink {
  constructor(receiver, methods) {
    this.receiver = receiver;
    this.startMethod = methods.start;
    this.writeMethod = bindMethod(methods.write);
    this.closeMethod = bindMethod(methods.close);
    this.abortMethod = bindMethod(methods.abort);
  }

  start(controller) {
    if (this.startMethod === undefined) return undefined;
    return FunctionPrototypeCall(this.startMethod, this.receiver, controllerObject(controller));
  }

  write(chunk, controller) {
    if (this.writeMethod === undefined) return undefined;
    return FunctionPrototypeCall(this.writeMethod, this.receiver, chunk, controllerObject(controller));
  }

  close() {
    if (this.closeMethod === undefined) return undefined;
    return FunctionPrototypeCall(this.closeMethod, this.receiver);
  }

  abort(reason) {
    if (this.abortMethod === undefined) return undefined;
    return FunctionPrototypeCall(this.abortMethod, this.receiver, reason);
  }
}
defineRecord(TenantSink);

const controllerObject = (controller) => controller.object ??= new WritableStreamDefaultController(adopt, controller);

// The first argument with which the runtime constructs the object of a record that it has.
const adopt = { __proto__: null };

let isWritableStream, isWriter, writableOf;

class WritableStream {
  #stream;

  constructor(underlyingSink = undefined, strategy = undefined) {
    if (underlyingSink === adopt) {
      this.#stream = strategy;
      return;
    }
    const prefix = "Failed to construct 'WritableStream'";
    if (underlyingSink !== undefined) converters.object(underlyingSink, prefix, "parameter 1");
    strategy = toQueuingStrategy(strategy, prefix, "parameter 2");
    const methods = toUnderlyingSink(underlyingSink, prefix, "The underlying sink");
    if (methods.type !== undefined) throw new RangeError(`${prefix}: The sink's type must be undefined.`);
    const stream = new Writable();
    stream.object = this;
    this.#stream = stream;
    const size = extractSizeAlgorithm(strategy);
    const sink = new TenantSink(underlyingSink, methods);
    new WritableController(stream, sink, extractHighWaterMark(strategy, 1), size).setUp();
  }

  get locked() { return this.#stream.isLocked(); }

  abort(reason = undefined) {
    if (!isWritableStream(this)) return PromiseReject(illegalInvocation());
    const stream = this.#stream;
    if (stream.isLocked()) return PromiseReject(lockedError("Failed to execute 'abort' on 'WritableStream'"));
    return stream.abort(reason);
  }

  close() {
    if (!isWritableStream(this)) return PromiseReject(illegalInvocation());
    const stream = this.#stream;
    const prefix = "Failed to execute 'close' on 'WritableStream'";
    if (stream.isLocked()) return PromiseReject(lockedError(prefix));
    if (stream.isCloseQueuedOrInFlight()) return PromiseReject(closingError(prefix));
    return stream.close();
  }

  getWriter() { return new WritableStreamDefaultWriter(adopt, acquireWriter(this.#stream)); }

  static {
    isWritableStream = (value) => typeof value === "object" && value !== null && #stream in value;
    writableOf = (object) => object.#stream;
  }
}
defineInterface(WritableStream);
converters.WritableStream = interfaceConverter("WritableStream", isWritableStream);
registerTransferable(WritableStream, {
  __proto__: null,
  isInstance: isWritableStream,
  isDetached: (object) => use("Streams/transfer").isTransferred(object),
  transfer: (object) => use("Streams/transfer").transferWritable(object),
});

/** The object that shows a record to the tenant. */
const writableObject = (stream) => stream.object ??= new WritableStream(adopt, stream);

class WritableStreamDefaultWriter {
  #writer;

  constructor(stream, writer = undefined) {
    if (stream === adopt) {
      this.#writer = writer;
      return;
    }
    const prefix = "Failed to construct 'WritableStreamDefaultWriter'";
    requireArguments(arguments.length, 1, prefix);
    this.#writer = acquireWriter(writableOf(converters.WritableStream(stream, prefix, "parameter 1")));
  }

  get closed() {
    return isWriter(this) ? this.#writer.closed.get() : PromiseReject(illegalInvocation());
  }

  get desiredSize() {
    const writer = this.#writer;
    if (writer.stream === undefined) throw releasedError();
    return writer.desiredSize();
  }

  get ready() {
    return isWriter(this) ? this.#writer.ready.get() : PromiseReject(illegalInvocation());
  }

  abort(reason = undefined) {
    if (!isWriter(this)) return PromiseReject(illegalInvocation());
    const stream = this.#writer.stream;
    return stream === undefined ? PromiseReject(releasedError()) : stream.abort(reason);
  }

  close() {
    if (!isWriter(this)) return PromiseReject(illegalInvocation());
    const stream = this.#writer.stream;
    if (stream === undefined) return PromiseReject(releasedError());
    if (stream.isCloseQueuedOrInFlight()) {
      return PromiseReject(closingError("Failed to execute 'close' on 'WritableStreamDefaultWriter'"));
    }
    return stream.close();
  }

  releaseLock() {
    const writer = this.#writer;
    if (writer.stream !== undefined) writer.release();
  }

  write(chunk = undefined) {
    if (!isWriter(this)) return PromiseReject(illegalInvocation());
    const writer = this.#writer;
    if (writer.stream === undefined) return PromiseReject(releasedError());
    const request = new Deferred();
    writer.write(chunk, request);
    return request.promise;
  }

  static {
    isWriter = (value) => typeof value === "object" && value !== null && #writer in value;
  }
}
defineInterface(WritableStreamDefaultWriter);

class WritableStreamDefaultController {
  #controller;

  constructor(token = undefined, controller = undefined) {
    if (token !== adopt) throw new TypeError("Illegal constructor");
    this.#controller = controller;
  }

  get signal() { return this.#controller.getSignal(); }

  error(reason = undefined) {
    const controller = this.#controller;
    if (controller.stream.state === WRITABLE) controller.error(reason);
  }
}
defineInterface(WritableStreamDefaultController);

exposeGlobals({ __proto__: null, WritableStream, WritableStreamDefaultController, WritableStreamDefaultWriter });

provide({ WritableStream, isWritableStream, writableObject, writableOf });
