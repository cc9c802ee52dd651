// ArrayBuffer transfer (ECMA-262, section 25.1.6): detached, transfer and transferToFixedLength.
const {
  ArrayBuffer, ArrayBufferPrototype, ArrayBufferPrototypeGetByteLength, RangeError, TypeError, TypedArrayPrototypeSet,
  Uint8Array,
} = primordials;
const { defineBuiltins, incompatibleReceiver, maxSafeInteger, toIntegerOrInfinity } = use("ECMAScript/abstract");

function byteLengthOf(O, method) {
  try {
    return ArrayBufferPrototypeGetByteLength(O);
  } catch {
    throw incompatibleReceiver(`ArrayBuffer.prototype.${method}`);
  }
}

// A detached buffer looks like an empty one, but no view can be made on it.
function isDetachedBuffer(buffer) {
  if (ArrayBufferPrototypeGetByteLength(buffer) > 0) return false;
  try {
    new Uint8Array(buffer);
    return false;
  } catch {
    return true;
  }
}

// ArrayBufferCopyAndDetach. No buffer of this engine is resizable, so both methods are the same.
function arrayBufferCopyAndDetach(O, newLength, method) {
  const byteLength = byteLengthOf(O, method);
  const newByteLength = newLength === undefined ? byteLength : toIntegerOrInfinity(newLength);
  if (newByteLength < 0 || newByteLength > maxSafeInteger) {
    throw new RangeError(`ArrayBuffer.prototype.${method}: the length is invalid`);
  }
  if (isDetachedBuffer(O)) throw new TypeError(`ArrayBuffer.prototype.${method} called on a detached ArrayBuffer`);
  // Converting the new length may have run tenant code, yet the length of a buffer that is not detached never changes.
  if (newByteLength === byteLength) return engine.transferArrayBuffer(O);
  const newBuffer = new ArrayBuffer(newByteLength);
  const copied = newByteLength < byteLength ? newByteLength : byteLength;
  TypedArrayPrototypeSet(new Uint8Array(newBuffer), new Uint8Array(O, 0, copied));
  engine.transferArrayBuffer(O);
  return newBuffer;
}

defineBuiltins(ArrayBufferPrototype, {
  get detached() {
    byteLengthOf(this, "detached");
    return isDetachedBuffer(this);
  },
  transfer(newLength = undefined) {
    return arrayBufferCopyAndDetach(this, newLength, "transfer");
  },
  transferToFixedLength(newLength = undefined) {
    return arrayBufferCopyAndDetach(this, newLength, "transferToFixedLength");
  },
});

provide({ isDetachedBuffer });
