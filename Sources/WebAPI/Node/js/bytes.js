// node:buffer: what kind of bytes a value is, asked without a look at its properties.
const { ArrayBufferIsView, TypedArrayPrototypeGetSymbolToStringTag } = primordials;

/** Buffers too. */
const isUint8Array = (value) => TypedArrayPrototypeGetSymbolToStringTag(value) === "Uint8Array";

function isArrayBuffer(value) {
  const type = engine.typeOf(value);
  return type === "ArrayBuffer" || type === "SharedArrayBuffer";
}

const isView = ArrayBufferIsView;

provide({ isArrayBuffer, isUint8Array, isView });
