// Streams Standard, section 4.5: BYOB readers as records, and the views that they fill.
const {
  BigInt64Array, BigUint64Array, DataView, DataViewPrototypeGetBuffer,
  DataViewPrototypeGetByteLength, DataViewPrototypeGetByteOffset, Float32Array, Float64Array, Int16Array, Int32Array,
  Int8Array, TypeError, TypedArrayPrototypeGetBuffer, TypedArrayPrototypeGetByteLength,
  TypedArrayPrototypeGetByteOffset, TypedArrayPrototypeGetSymbolToStringTag, Uint16Array, Uint32Array, Uint8Array,
  Uint8ClampedArray,
} = primordials;
const { isDetachedBuffer } = use("ECMAScript/buffers");
const { isArrayBuffer } = use("WebIDL/webidl");
const { ERRORED } = use("Streams/readable");
const { Reader } = use("Streams/readers");

const viewConstructors = {
  __proto__: null, BigInt64Array, BigUint64Array, Float32Array, Float64Array, Int16Array, Int32Array, Int8Array,
  Uint16Array, Uint32Array, Uint8Array, Uint8ClampedArray,
};

/** What there is to know of a view; a TypeError if its buffer is shared or detached. */
function describeView(view, prefix) {
  const tag = TypedArrayPrototypeGetSymbolToStringTag(view);
  const isDataView = tag === undefined;
  const View = isDataView ? DataView : viewConstructors[tag];
  const buffer = isDataView ? DataViewPrototypeGetBuffer(view) : TypedArrayPrototypeGetBuffer(view);
  if (!isArrayBuffer(buffer)) throw new TypeError(`${prefix}: The view's buffer is shared.`);
  if (isDetachedBuffer(buffer)) throw new TypeError(`${prefix}: The view's buffer has been detached.`);
  return {
    __proto__: null, buffer, View,
    elementSize: isDataView ? 1 : View.BYTES_PER_ELEMENT,
    byteOffset: isDataView ? DataViewPrototypeGetByteOffset(view) : TypedArrayPrototypeGetByteOffset(view),
    byteLength: isDataView ? DataViewPrototypeGetByteLength(view) : TypedArrayPrototypeGetByteLength(view),
  };
}

/** The same for a view that must have bytes. */
function describeFilledView(view, prefix) {
  const description = describeView(view, prefix);
  if (description.byteLength === 0) throw new TypeError(`${prefix}: The view must have a length greater than 0.`);
  return description;
}

class BYOBReader extends Reader {
  constructor(stream) { super(stream, true); }

  /** "ReadableStreamBYOBReaderRead", with a view as described, of which `minimum` elements are wanted. */
  read(view, minimum, request) {
    const stream = this.stream;
    stream.isDisturbed = true;
    if (stream.state === ERRORED) request.errorSteps(stream.storedError);
    else stream.controller.pullInto(view, minimum, request);
  }
}

/** "AcquireReadableStreamBYOBReader". */
function acquireBYOBReader(stream) {
  if (stream.isLocked()) throw new TypeError("This ReadableStream is currently locked to a reader.");
  stream.ensureController();
  if (!stream.controller.isByteController) {
    throw new TypeError("A BYOB reader can only be had of a ReadableStream whose source is of type 'bytes'.");
  }
  return new BYOBReader(stream);
}

provide({ acquireBYOBReader, describeFilledView, describeView });
