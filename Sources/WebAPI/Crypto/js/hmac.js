// Web Cryptography API, section 31: HMAC. Needs the ops
//   hmac(hash, key, bytes) -> Uint8Array or ticket
//   hmacVerify(hash, key, signature, bytes) -> boolean or ticket, in constant time
const { MathCeil, TypeError, TypedArrayPrototypeGetByteLength } = primordials;
const { DOMException } = use("DOM/exception");
const { createUsableKey, requireUsages, usageBits } = use("Crypto/keys");
const { dataError } = use("Crypto/jwk");
const { nameOnly, parameters } = use("Crypto/algorithms");
const { exportSecret, importSecret, randomBytes } = use("Crypto/secret");

const keyGenParams = parameters("HmacKeyGenParams", [["hash", "hash", true], ["length", "unsigned long"]]);
const importParams = parameters("HmacImportParams", [["hash", "hash", true], ["length", "unsigned long"]]);

const allowedUsages = usageBits.sign | usageBits.verify;

// Generating a key takes as many random bytes at once; longer keys than a block are hashed anyway.
const maxGeneratedBits = 8 * 65536;

const algs = { __proto__: null, "SHA-1": "HS1", "SHA-256": "HS256", "SHA-384": "HS384", "SHA-512": "HS512" };
const blockBits = (hash) => (hash === "SHA-384" || hash === "SHA-512" ? 1024 : 512);

// A length need not be one of whole bytes: the last byte is then cleared from its end.
function clearBitsAfter(bytes, bits) {
  if (bits % 8 !== 0) bytes[MathCeil(bits / 8) - 1] &= 0xff << (8 - bits % 8);
  return bytes;
}

function generateKey({ name, hash, length = blockBits(hash) }, extractable, usages) {
  requireUsages(usages, allowedUsages);
  if (length === 0 || length > maxGeneratedBits) {
    throw new DOMException(`The length of the key must be 1 to ${maxGeneratedBits} bits.`, "OperationError");
  }
  const bytes = clearBitsAfter(randomBytes(MathCeil(length / 8)), length);
  return createUsableKey("secret", extractable, { name, hash, length }, usages, bytes);
}

function importKey(format, data, { name, hash, length }, extractable, usages) {
  requireUsages(usages, allowedUsages);
  const bytes = importSecret(format, data, "sig", extractable, usages, () => algs[hash]);
  const bits = TypedArrayPrototypeGetByteLength(bytes) * 8;
  if (bits === 0) throw dataError("The key is empty.");
  if (length !== undefined && (length > bits || length <= bits - 8)) {
    throw dataError("The key does not have the given length.");
  }
  const usedLength = length ?? bits;
  return createUsableKey("secret", extractable, { name, hash, length: usedLength }, usages,
    clearBitsAfter(bytes, usedLength));
}

function getKeyLength({ hash, length = blockBits(hash) }) {
  if (length === 0) throw new TypeError("The length of an HMAC key cannot be 0.");
  return length;
}

provide({
  __proto__: null,
  "HMAC": {
    __proto__: null, name: "HMAC", generateKey, importKey, getKeyLength,
    exportKey: (format, key) => exportSecret(format, key, algs[key.algorithm.hash]),
    sign: (algorithm, key, data) => ops.hmac(key.algorithm.hash, key.material, data),
    verify: (algorithm, key, signature, data) => ops.hmacVerify(key.algorithm.hash, key.material, signature, data),
    parameters: {
      __proto__: null, generateKey: keyGenParams, importKey: importParams, exportKey: nameOnly,
      getKeyLength: importParams, sign: nameOnly, verify: nameOnly,
    },
  },
});
