// Web Cryptography API, section 10: Crypto. Needs the ops
//   randomFill(bytes): fills a Uint8Array of at most 65,536 bytes with random bytes.
//   randomUUID() -> string: a version 4 UUID.
const {
  TypeError, TypedArrayPrototypeGetBuffer, TypedArrayPrototypeGetByteLength, TypedArrayPrototypeGetByteOffset,
  TypedArrayPrototypeGetSymbolToStringTag, Uint8Array,
} = primordials;
const { converters, defineInterface, exposeGlobals, exposeLazyGlobals, requireArguments } = use("WebIDL/webidl");
const { DOMException, QuotaExceededError } = use("DOM/exception");
const { refuseInGlobalScope } = use("Core/scope");

const QUOTA = 65536;
const token = { __proto__: null };

function isIntegerArray(view) {
  switch (TypedArrayPrototypeGetSymbolToStringTag(view)) {
    case "Int8Array": case "Int16Array": case "Int32Array": case "BigInt64Array":
    case "Uint8Array": case "Uint8ClampedArray": case "Uint16Array": case "Uint32Array": case "BigUint64Array":
      return true;
    default:
      return false;
  }
}

class Crypto {
  #isCrypto = true;

  constructor(key = undefined) {
    if (key !== token) throw new TypeError("Illegal constructor");
  }

  get subtle() { return this.#isCrypto && use("Crypto/subtle").subtle; }

  // Workers' own.
  get DigestStream() { return this.#isCrypto && use("Crypto/digestStream").DigestStream; }

  getRandomValues(array) {
    const prefix = "Failed to execute 'getRandomValues' on 'Crypto'";
    this.#isCrypto;
    requireArguments(arguments.length, 1, prefix);
    converters.ArrayBufferView(array, prefix, "parameter 1");
    if (!isIntegerArray(array)) {
      throw new DOMException(`${prefix}: parameter 1 is no array of integers.`, "TypeMismatchError");
    }
    const byteLength = TypedArrayPrototypeGetByteLength(array);
    if (byteLength > QUOTA) {
      throw new QuotaExceededError(`${prefix}: ${byteLength} bytes are more than the quota of ${QUOTA}.`);
    }
    refuseInGlobalScope();
    if (byteLength === 0) return array;
    const offset = TypedArrayPrototypeGetByteOffset(array);
    ops.randomFill(new Uint8Array(TypedArrayPrototypeGetBuffer(array), offset, byteLength));
    return array;
  }

  randomUUID() {
    this.#isCrypto;
    refuseInGlobalScope();
    return ops.randomUUID();
  }
}
defineInterface(Crypto);

exposeLazyGlobals("Crypto/keys", ["CryptoKey"]);
exposeLazyGlobals("Crypto/subtle", ["SubtleCrypto"]);
exposeGlobals({ __proto__: null, Crypto, crypto: new Crypto(token) });

provide({ Crypto });
