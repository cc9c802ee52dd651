// Web IDL, section 3.2.26: the bytes that a buffer source holds.
const {
  ArrayBufferIsView, DataViewPrototypeGetBuffer, DataViewPrototypeGetByteLength, DataViewPrototypeGetByteOffset,
  TypedArrayPrototypeGetBuffer, TypedArrayPrototypeGetByteLength, TypedArrayPrototypeGetByteOffset,
  TypedArrayPrototypeGetSymbolToStringTag, TypedArrayPrototypeSet, Uint8Array,
} = primordials;

/** A view on the bytes of an ArrayBuffer or of a view on one; of a detached one, no bytes. */
function bytesOf(source) {
  try {
    if (!ArrayBufferIsView(source)) return new Uint8Array(source);
    if (TypedArrayPrototypeGetSymbolToStringTag(source) === undefined) {
      return new Uint8Array(DataViewPrototypeGetBuffer(source), DataViewPrototypeGetByteOffset(source),
        DataViewPrototypeGetByteLength(source));
    }
    return new Uint8Array(TypedArrayPrototypeGetBuffer(source), TypedArrayPrototypeGetByteOffset(source),
      TypedArrayPrototypeGetByteLength(source));
  } catch {
    return new Uint8Array(0);
  }
}

/** "Get a copy of the bytes held by the buffer source". */
function copyBytes(source) {
  return new Uint8Array(bytesOf(source));
}

/** One Uint8Array with the bytes of several, whose lengths add up to `length`. */
function concatBytes(chunks, length) {
  const result = new Uint8Array(length);
  for (let i = 0, offset = 0; i < chunks.length; i++) {
    TypedArrayPrototypeSet(result, chunks[i], offset);
    offset += TypedArrayPrototypeGetByteLength(chunks[i]);
  }
  return result;
}

/** A view on part of a Uint8Array. Unlike %TypedArray%.prototype.subarray this asks no property of the array. */
function viewOf(bytes, start, end = TypedArrayPrototypeGetByteLength(bytes)) {
  const offset = TypedArrayPrototypeGetByteOffset(bytes) + start;
  return new Uint8Array(TypedArrayPrototypeGetBuffer(bytes), offset, end - start);
}

provide({ bytesOf, concatBytes, copyBytes, viewOf });
