// Streams Standard, sections 4.2, 4.4 and 4.6: ReadableStream, its default reader and its default controller.
const {
  FunctionPrototypeCall, ObjectDefineProperty, PromiseReject, PromiseResolve, RangeError, SymbolAsyncIterator,
  TypeError,
} = primordials;
const {
  converters, defineInterface, dictionary, enumeration, exposeGlobals, exposeLazyGlobals, illegalInvocation,
  interfaceConverter, requireArguments,
} = use("WebIDL/webidl");
const { bindMethod } = use("Core/asyncContext");
const { registerTransferable } = use("HTML/serializable");
const { defineRecord } = use("Core/records");
const { Deferred, markHandled } = use("Streams/promises");
const { extractHighWaterMark, extractSizeAlgorithm, toQueuingStrategy } = use("Streams/strategies");
const { DefaultController, ERRORED, READABLE, Readable, releasedError } = use("Streams/readable");
const { acquireDefaultReader } = use("Streams/readers");

const toUnderlyingSource = dictionary("UnderlyingSource", [
  {
    key: "autoAllocateChunkSize",
    converter: (V, prefix, context) => converters["unsigned long long"](V, prefix, context, { enforceRange: true }),
  },
  { key: "cancel", converter: converters.Function },
  { key: "pull", converter: converters.Function },
  { key: "start", converter: converters.Function },
  { key: "type", converter: enumeration("ReadableStreamType", ["bytes"]) },
]);

const toReaderOptions = dictionary("ReadableStreamGetReaderOptions", [
  { key: "mode", converter: enumeration("ReadableStreamReaderMode", ["byob"]) },
]);

const optionalFlag = (key) => ({ key, converter: converters.boolean, defaultValue: () => false });

const toIteratorOptions = dictionary("ReadableStreamIteratorOptions", [optionalFlag("preventCancel")]);

const toPipeOptions = dictionary("StreamPipeOptions", [
  optionalFlag("preventAbort"), optionalFlag("preventCancel"), optionalFlag("preventClose"),
  { key: "signal", converter: (V, prefix, context) => converters.AbortSignal(V, prefix, context) },
]);

const toReadableWritablePair = dictionary("ReadableWritablePair", [
  {
    key: "readable", required: true,
    converter: (V, prefix, context) => converters.ReadableStream(V, prefix, context),
  },
  {
    key: "writable", required: true,
    converter: (V, prefix, context) => converters.WritableStream(V, prefix, context),
  },
]);

const lockedError = (prefix) => new TypeError(`${prefix}: This ReadableStream is currently locked to a reader.`);

/** The source that a tenant gave to the constructor. */
class TenantSource {
  constructor(receiver, methods) {
    this.receiver = receiver;
    this.startMethod = methods.start;
    this.pullMethod = bindMethod(methods.pull);
    this.cancelMethod = bindMethod(methods.cancel);
  }

  start(controller) {
    if (this.startMethod === undefined) return undefined;
    return FunctionPrototypeCall(this.startMethod, this.receiver, controllerObject(controller));
  }

  pull(controller) {
    if (this.pullMethod === undefined) return undefined;
    return FunctionPrototypeCall(this.pullMethod, this.receiver, controllerObject(controller));
  }

  cancel(reason) {
    if (this.cancelMethod === undefined) return undefined;
    return FunctionPrototypeCall(this.cancelMethod, this.receiver, reason);
  }
}
defineRecord(TenantSource);

function controllerObject(controller) {
  if (controller.object === undefined) {
    controller.object = controller.isByteController
      ? use("Streams/byteObjects").createControllerObject(controller)
      : new ReadableStreamDefaultController(adopt, controller);
  }
  return controller.object;
}

function setUpFromUnderlyingSource(stream, underlyingSource, strategy) {
  const methods = toUnderlyingSource(underlyingSource, "Failed to construct 'ReadableStream'", "The underlying source");
  const source = new TenantSource(underlyingSource, methods);
  if (methods.type === undefined) {
    const size = extractSizeAlgorithm(strategy);
    new DefaultController(stream, source, extractHighWaterMark(strategy, 1), size).setUp();
    return;
  }
  if (strategy.size !== undefined) throw new RangeError("The strategy of a byte stream cannot have a size function.");
  const { ByteController } = use("Streams/byteController");
  const highWaterMark = extractHighWaterMark(strategy, 0);
  if (methods.autoAllocateChunkSize === 0) throw new TypeError("autoAllocateChunkSize must be greater than 0.");
  new ByteController(stream, source, highWaterMark, methods.autoAllocateChunkSize).setUp();
}

// The first argument with which the runtime constructs the object of a record that it has.
const adopt = { __proto__: null };

let isDefaultReader, isReadableStream, readableOf;

class ReadableStream {
  #stream;

  constructor(underlyingSource = undefined, strategy = undefined) {
    if (underlyingSource === adopt) {
      this.#stream = strategy;
      return;
    }
    const prefix = "Failed to construct 'ReadableStream'";
    if (underlyingSource !== undefined) converters.object(underlyingSource, prefix, "parameter 1");
    strategy = toQueuingStrategy(strategy, prefix, "parameter 2");
    const stream = new Readable();
    stream.object = this;
    this.#stream = stream;
    setUpFromUnderlyingSource(stream, underlyingSource, strategy);
  }

  static from(asyncIterable) {
    requireArguments(arguments.length, 1, "Failed to execute 'from' on 'ReadableStream'");
    return readableObject(use("Streams/from").fromIterable(asyncIterable));
  }

  get locked() { return this.#stream.isLocked(); }

  cancel(reason = undefined) {
    if (!isReadableStream(this)) return PromiseReject(illegalInvocation());
    const stream = this.#stream;
    if (stream.isLocked()) return PromiseReject(lockedError("Failed to execute 'cancel' on 'ReadableStream'"));
    return stream.cancel(reason);
  }

  getReader(options = undefined) {
    const stream = this.#stream;
    if (options !== undefined) {
      options = toReaderOptions(options, "Failed to execute 'getReader' on 'ReadableStream'", "parameter 1");
      if (options.mode !== undefined) return use("Streams/byteObjects").createReaderObject(stream);
    }
    return new ReadableStreamDefaultReader(adopt, acquireDefaultReader(stream));
  }

  pipeThrough(transform, options = undefined) {
    const source = this.#stream;
    const prefix = "Failed to execute 'pipeThrough' on 'ReadableStream'";
    requireArguments(arguments.length, 1, prefix);
    transform = toReadableWritablePair(transform, prefix, "parameter 1");
    options = toPipeOptions(options, prefix, "parameter 2");
    if (source.isLocked()) throw lockedError(prefix);
    const destination = use("Streams/writableObjects").writableOf(transform.writable);
    if (destination.isLocked()) throw new TypeError(`${prefix}: The writable side of parameter 1 is locked.`);
    markHandled(use("Streams/pipe").pipe(source, destination, options));
    return transform.readable;
  }

  pipeTo(destination, options = undefined) {
    try {
      const source = this.#stream;
      const prefix = "Failed to execute 'pipeTo' on 'ReadableStream'";
      requireArguments(arguments.length, 1, prefix);
      destination = converters.WritableStream(destination, prefix, "parameter 1");
      destination = use("Streams/writableObjects").writableOf(destination);
      options = toPipeOptions(options, prefix, "parameter 2");
      if (source.isLocked()) throw lockedError(prefix);
      if (destination.isLocked()) throw new TypeError(`${prefix}: parameter 1 is locked to a writer.`);
      return use("Streams/pipe").pipe(source, destination, options);
    } catch (error) {
      return PromiseReject(error);
    }
  }

  tee() {
    const stream = this.#stream;
    if (stream.isLocked()) throw lockedError("Failed to execute 'tee' on 'ReadableStream'");
    const { first, second } = use("Streams/tee").tee(stream, false);
    return [readableObject(first.stream), readableObject(second.stream)];
  }

  values(options = undefined) {
    const stream = this.#stream;
    options = toIteratorOptions(options, "Failed to execute 'values' on 'ReadableStream'", "parameter 1");
    return use("Streams/iterator").createIterator(acquireDefaultReader(stream), options.preventCancel);
  }

  static {
    isReadableStream = (value) => typeof value === "object" && value !== null && #stream in value;
    readableOf = (object) => object.#stream;
  }
}
defineInterface(ReadableStream);
ObjectDefineProperty(ReadableStream.prototype, SymbolAsyncIterator, {
  __proto__: null, value: ReadableStream.prototype.values, writable: true, enumerable: false, configurable: true,
});
converters.ReadableStream = interfaceConverter("ReadableStream", isReadableStream);
registerTransferable(ReadableStream, {
  __proto__: null,
  isInstance: isReadableStream,
  isDetached: (object) => use("Streams/transfer").isTransferred(object),
  transfer: (object) => use("Streams/transfer").transferReadable(object),
});

/** The object that shows a record to the tenant. */
function readableObject(stream) {
  return stream.object ??= new ReadableStream(adopt, stream);
}

/** The read request of read() when no chunk is waiting. */
class PromiseReadRequest extends Deferred {
  constructor() {
    super();
    this.next = undefined;
  }
  chunkSteps(value) { this.resolve({ value, done: false }); }
  closeSteps() { this.resolve({ value: undefined, done: true }); }
  errorSteps(reason) { this.reject(reason); }
}

class ReadableStreamDefaultReader {
  #reader;

  constructor(stream, reader = undefined) {
    if (stream === adopt) {
      this.#reader = reader;
      return;
    }
    const prefix = "Failed to construct 'ReadableStreamDefaultReader'";
    requireArguments(arguments.length, 1, prefix);
    this.#reader = acquireDefaultReader(readableOf(converters.ReadableStream(stream, prefix, "parameter 1")));
  }

  get closed() {
    if (!isDefaultReader(this)) return PromiseReject(illegalInvocation());
    return this.#reader.closed.get();
  }

  cancel(reason = undefined) {
    if (!isDefaultReader(this)) return PromiseReject(illegalInvocation());
    const stream = this.#reader.stream;
    return stream === undefined ? PromiseReject(releasedError()) : stream.cancel(reason);
  }

  read() {
    if (!isDefaultReader(this)) return PromiseReject(illegalInvocation());
    const reader = this.#reader;
    const stream = reader.stream;
    if (stream === undefined) return PromiseReject(releasedError());
    if (stream.state === READABLE && stream.controller.hasChunk()) {
      stream.isDisturbed = true;
      return PromiseResolve({ value: stream.controller.takeChunk(), done: false });
    }
    const request = new PromiseReadRequest();
    reader.read(request);
    return request.promise;
  }

  releaseLock() {
    const reader = this.#reader;
    if (reader.stream !== undefined) reader.release();
  }

  static {
    isDefaultReader = (value) => typeof value === "object" && value !== null && #reader in value;
  }
}
defineInterface(ReadableStreamDefaultReader);

class ReadableStreamDefaultController {
  #controller;

  constructor(token = undefined, controller = undefined) {
    if (token !== adopt) throw new TypeError("Illegal constructor");
    this.#controller = controller;
  }

  get desiredSize() { return this.#controller.desiredSize(); }

  close() {
    const controller = this.#controller;
    if (!controller.canCloseOrEnqueue()) throw cannotError("close", controller);
    controller.close();
  }

  enqueue(chunk = undefined) {
    const controller = this.#controller;
    if (!controller.canCloseOrEnqueue()) throw cannotError("enqueue", controller);
    controller.enqueue(chunk);
  }

  error(reason = undefined) { this.#controller.error(reason); }
}
defineInterface(ReadableStreamDefaultController);

function cannotError(method, { closeRequested, stream: { state } }) {
  const why = state === ERRORED ? "is errored" : closeRequested ? "has been requested to be closed" : "is closed";
  return new TypeError(`Failed to execute '${method}' on 'ReadableStreamDefaultController': The stream ${why}.`);
}

exposeGlobals({ __proto__: null, ReadableStream, ReadableStreamDefaultController, ReadableStreamDefaultReader });
exposeLazyGlobals("Streams/byteObjects", [
  "ReadableByteStreamController", "ReadableStreamBYOBReader", "ReadableStreamBYOBRequest",
]);

provide({
  ReadableStream, adopt, controllerObject, isReadableStream, readableObject, readableOf,
});
