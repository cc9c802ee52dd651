// Two transform streams that Workers have beside the standard's: IdentityTransformStream, whose readable side is a byte
// stream of what is written, and FixedLengthStream, which also sees to the number of bytes.
const { ArrayBufferIsView, Number, TypeError, TypedArrayPrototypeGetByteLength } = primordials;
const { converters, defineInterface, isArrayBuffer, requireArguments } = use("WebIDL/webidl");
const { bytesOf, copyBytes } = use("WebIDL/bufferSource");
const { defineRecord } = use("Core/records");
const { extractHighWaterMark, toQueuingStrategy } = use("Streams/strategies");
const { createTransform } = use("Streams/transform");
const { TransformStream, adopt } = use("Streams/transformObjects");

/** The transformer of both; no bound means any number of bytes. */
class ByteIdentity {
  constructor(byteLength) {
    this.byteLength = byteLength;
    this.count = 0;
  }

  transform(chunk, controller) {
    if (!ArrayBufferIsView(chunk) && !isArrayBuffer(chunk)) throw new TypeError(notBytes(chunk));
    const bytes = copyBytes(chunk);
    this.count += TypedArrayPrototypeGetByteLength(bytes);
    if (this.byteLength !== undefined && this.count > this.byteLength) {
      throw new TypeError("Attempt to write too many bytes through a FixedLengthStream.");
    }
    controller.enqueue(bytes);
  }

  flush() {
    if (this.byteLength !== undefined && this.count < this.byteLength) {
      throw new TypeError("FixedLengthStream did not see all expected bytes before close().");
    }
  }

  cancel() {}
}
defineRecord(ByteIdentity);

function notBytes(chunk) {
  const start = "This TransformStream is being used as a byte stream, but received";
  return typeof chunk === "string"
    ? `${start} a string on its writable side. If you wish to write a string, you'll probably want to explicitly `
      + "UTF-8-encode it with TextEncoder."
    : `${start} an object of non-ArrayBuffer/ArrayBufferView type on its writable side.`;
}

/** A high water mark counts bytes; without one there is room for one chunk. */
function createByteIdentity(strategy, prefix, context, byteLength) {
  strategy = toQueuingStrategy(strategy, prefix, context);
  const hasMark = strategy.highWaterMark !== undefined;
  const transform = createTransform(new ByteIdentity(byteLength), {
    __proto__: null,
    isByteStream: true,
    writableHighWaterMark: extractHighWaterMark(strategy, 1),
    writableSize: hasMark ? byteLengthOf : undefined,
  });
  transform.readable.byteLength = byteLength;
  return transform;
}

const byteLengthOf = (chunk) =>
  ArrayBufferIsView(chunk) || isArrayBuffer(chunk) ? TypedArrayPrototypeGetByteLength(bytesOf(chunk)) : 0;

class IdentityTransformStream extends TransformStream {
  constructor(strategy = undefined, transform = undefined) {
    super(adopt, strategy === adopt ? transform
      : createByteIdentity(strategy, "Failed to construct 'IdentityTransformStream'", "parameter 1", undefined));
  }
}
defineInterface(IdentityTransformStream);

class FixedLengthStream extends IdentityTransformStream {
  constructor(expectedLength, strategy = undefined) {
    const prefix = "Failed to construct 'FixedLengthStream'";
    requireArguments(arguments.length, 1, prefix);
    if (typeof expectedLength === "bigint") expectedLength = Number(expectedLength);
    const length = converters["unsigned long long"](expectedLength, prefix, "parameter 1", { enforceRange: true });
    super(adopt, createByteIdentity(strategy, prefix, "parameter 2", length));
  }
}
defineInterface(FixedLengthStream);

provide({ FixedLengthStream, IdentityTransformStream });
