// Streams Standard, sections 6.2 and 6.3: TransformStream and its controller.
const { FunctionPrototypeCall, RangeError, TypeError } = primordials;
const {
  converters, defineInterface, dictionary, exposeGlobals, exposeLazyGlobals, interfaceConverter,
} = use("WebIDL/webidl");
const { bindMethod } = use("Core/asyncContext");
const { registerTransferable } = use("HTML/serializable");
const { defineRecord } = use("Core/records");
const { extractHighWaterMark, extractSizeAlgorithm, toQueuingStrategy } = use("Streams/strategies");
const { initializeTransform } = use("Streams/transform");
const { readableObject } = use("Streams/readableObjects");
const { writableObject } = use("Streams/writableObjects");

const toTransformer = dictionary("Transformer", [
  { key: "cancel", converter: converters.Function },
  { key: "flush", converter: converters.Function },
  { key: "readableType", converter: converters.any },
  { key: "start", converter: converters.Function },
  { key: "transform", converter: converters.Function },
  { key: "writableType", converter: converters.any },
]);

/** The transformer that a tenant gave to the constructor. */
class TenantTransformer {
  constructor(receiver, methods) {
    this.receiver = receiver;
    this.transformMethod = bindMethod(methods.transform);
    this.flushMethod = bindMethod(methods.flush);
    this.cancelMethod = bindMethod(methods.cancel);
  }

  transform(chunk, controller) {
    if (this.transformMethod === undefined) return controller.enqueue(chunk);
    return FunctionPrototypeCall(this.transformMethod, this.receiver, chunk, controllerObject(controller));
  }

  flush(controller) {
    if (this.flushMethod === undefined) return undefined;
    return FunctionPrototypeCall(this.flushMethod, this.receiver, controllerObject(controller));
  }

  cancel(reason) {
    if (this.cancelMethod === undefined) return undefined;
    return FunctionPrototypeCall(this.cancelMethod, this.receiver, reason);
  }
}
defineRecord(TenantTransformer);

const controllerObject = (transform) =>
  transform.object ??= new TransformStreamDefaultController(adopt, transform);

// The first argument with which the runtime constructs the object of a record that it has.
const adopt = { __proto__: null };

let isTransformStream, transformOf;

class TransformStream {
  #transform;

  constructor(transformer = undefined, writableStrategy = undefined, readableStrategy = undefined) {
    if (transformer === adopt) {
      this.#transform = writableStrategy;
      return;
    }
    const prefix = "Failed to construct 'TransformStream'";
    if (transformer !== undefined) converters.object(transformer, prefix, "parameter 1");
    writableStrategy = toQueuingStrategy(writableStrategy, prefix, "parameter 2");
    readableStrategy = toQueuingStrategy(readableStrategy, prefix, "parameter 3");
    const methods = toTransformer(transformer, prefix, "The transformer");
    if (methods.readableType !== undefined) throw new RangeError(`${prefix}: The readableType must be undefined.`);
    if (methods.writableType !== undefined) throw new RangeError(`${prefix}: The writableType must be undefined.`);
    const stream = initializeTransform(new TenantTransformer(transformer, methods), {
      __proto__: null,
      isByteStream: false,
      readableHighWaterMark: extractHighWaterMark(readableStrategy, 0),
      readableSize: extractSizeAlgorithm(readableStrategy),
      writableHighWaterMark: extractHighWaterMark(writableStrategy, 1),
      writableSize: extractSizeAlgorithm(writableStrategy),
    });
    this.#transform = stream;
    stream.begin(methods.start === undefined
      ? undefined : FunctionPrototypeCall(methods.start, transformer, controllerObject(stream)));
  }

  get readable() { return readableObject(this.#transform.readable); }
  get writable() { return writableObject(this.#transform.writable); }

  static {
    isTransformStream = (value) => typeof value === "object" && value !== null && #transform in value;
    transformOf = (object) => object.#transform;
  }
}
defineInterface(TransformStream);
converters.TransformStream = interfaceConverter("TransformStream", isTransformStream);
registerTransferable(TransformStream, {
  __proto__: null,
  isInstance: isTransformStream,
  isDetached: (object) => use("Streams/transfer").isTransferred(object),
  transfer: (object) => use("Streams/transfer").transferTransform(object),
});

class TransformStreamDefaultController {
  #transform;

  constructor(token = undefined, transform = undefined) {
    if (token !== adopt) throw new TypeError("Illegal constructor");
    this.#transform = transform;
  }

  get desiredSize() { return this.#transform.desiredSize(); }
  enqueue(chunk = undefined) { this.#transform.enqueue(chunk); }
  error(reason = undefined) { this.#transform.error(reason); }
  terminate() { this.#transform.terminate(); }
}
defineInterface(TransformStreamDefaultController);

exposeGlobals({ __proto__: null, TransformStream, TransformStreamDefaultController });
exposeLazyGlobals("Streams/identity", ["FixedLengthStream", "IdentityTransformStream"]);
exposeLazyGlobals("Encoding/textStreams", ["TextDecoderStream", "TextEncoderStream"]);
exposeLazyGlobals("Compression/compression", ["CompressionStream", "DecompressionStream"]);

provide({ TransformStream, adopt, isTransformStream, transformOf });
