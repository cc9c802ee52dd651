// Web Cryptography API, sections 27 to 30: AES-CTR, AES-CBC, AES-GCM and AES-KW. Needs the ops, which fail with an
// OperationError and give a Uint8Array or a ticket:
//   aesCtr(key, counter, length of the counter in bits, bytes)
//   aesCbc(isEncrypting, key, iv, bytes), with the padding of PKCS #7
//   aesGcm(isEncrypting, key, iv, additional data, length of the tag in bits, bytes); the tag follows the ciphertext
//   aesKeyWrap(isWrapping, key, bytes), of RFC 3394
const { StringPrototypeSlice, TypedArrayPrototypeGetByteLength, Uint8Array } = primordials;
const { DOMException } = use("DOM/exception");
const { createUsableKey, requireUsages, usageBits } = use("Crypto/keys");
const { dataError } = use("Crypto/jwk");
const { nameOnly, parameters } = use("Crypto/algorithms");
const { exportSecret, importSecret, randomBytes } = use("Crypto/secret");

const keyGenParams = parameters("AesKeyGenParams", [["length", "unsigned short", true]]);
const derivedKeyParams = parameters("AesDerivedKeyParams", [["length", "unsigned short", true]]);
const ctrParams = parameters("AesCtrParams", [["counter", "bytes", true], ["length", "octet", true]]);
const cbcParams = parameters("AesCbcParams", [["iv", "bytes", true]]);
const gcmParams = parameters("AesGcmParams", [
  ["additionalData", "bytes"], ["iv", "bytes", true], ["tagLength", "octet"],
]);

const wrappingUsages = usageBits.wrapKey | usageBits.unwrapKey;
const cipherUsages = usageBits.encrypt | usageBits.decrypt | wrappingUsages;
const noBytes = new Uint8Array(0);

function operationError(message) {
  return new DOMException(message, "OperationError");
}

const isKeyLength = (bits) => bits === 128 || bits === 192 || bits === 256;
const usagesFor = (name) => (name === "AES-KW" ? wrappingUsages : cipherUsages);

// "A128CBC" and so on.
const algFor = (name, bits) => `A${bits}${StringPrototypeSlice(name, 4)}`;

function getKeyLength({ length }) {
  if (!isKeyLength(length)) throw operationError("The length of an AES key must be 128, 192 or 256 bits.");
  return length;
}

function generateKey({ name, length }, extractable, usages) {
  requireUsages(usages, usagesFor(name));
  getKeyLength({ __proto__: null, length });
  return createUsableKey("secret", extractable, { name, length }, usages, randomBytes(length / 8));
}

function importKey(format, data, { name }, extractable, usages) {
  requireUsages(usages, usagesFor(name));
  const bytes = importSecret(format, data, "enc", extractable, usages, (bits) => algFor(name, bits));
  const length = TypedArrayPrototypeGetByteLength(bytes) * 8;
  if (!isKeyLength(length)) throw dataError("The length of an AES key must be 128, 192 or 256 bits.");
  return createUsableKey("secret", extractable, { name, length }, usages, bytes);
}

function exportKey(format, key) {
  const { name, length } = key.algorithm;
  return exportSecret(format, key, algFor(name, length));
}

function cipherCtr({ counter, length }, key, data) {
  if (TypedArrayPrototypeGetByteLength(counter) !== 16) throw operationError("The counter must have 16 bytes.");
  if (length === 0 || length > 128) throw operationError("The length of the counter must be 1 to 128 bits.");
  return ops.aesCtr(key.material, counter, length, data);
}

function cipherCbc(isEncrypting, { iv }, key, data) {
  if (TypedArrayPrototypeGetByteLength(iv) !== 16) throw operationError("The iv must have 16 bytes.");
  return ops.aesCbc(isEncrypting, key.material, iv, data);
}

function cipherGcm(isEncrypting, { iv, additionalData = noBytes, tagLength = 128 }, key, data) {
  if (tagLength !== 32 && tagLength !== 64 && (tagLength < 96 || tagLength > 128 || tagLength % 8 !== 0)) {
    throw operationError("The length of the tag must be 32, 64, 96, 104, 112, 120 or 128 bits.");
  }
  if (!isEncrypting && TypedArrayPrototypeGetByteLength(data) * 8 < tagLength) {
    throw operationError("The data is too small to contain a tag.");
  }
  return ops.aesGcm(isEncrypting, key.material, iv, additionalData, tagLength, data);
}

function aes(name, cipherParams, encrypt, decrypt) {
  return {
    __proto__: null, name, generateKey, importKey, exportKey, getKeyLength, encrypt, decrypt,
    parameters: {
      __proto__: null, generateKey: keyGenParams, importKey: nameOnly, exportKey: nameOnly,
      getKeyLength: derivedKeyParams, encrypt: cipherParams, decrypt: cipherParams,
    },
  };
}

provide({
  __proto__: null,
  "AES-CTR": aes("AES-CTR", ctrParams, cipherCtr, cipherCtr),
  "AES-CBC": aes("AES-CBC", cbcParams,
    (algorithm, key, data) => cipherCbc(true, algorithm, key, data),
    (algorithm, key, data) => cipherCbc(false, algorithm, key, data)),
  "AES-GCM": aes("AES-GCM", gcmParams,
    (algorithm, key, data) => cipherGcm(true, algorithm, key, data),
    (algorithm, key, data) => cipherGcm(false, algorithm, key, data)),
  "AES-KW": {
    __proto__: null, name: "AES-KW", generateKey, importKey, exportKey, getKeyLength,
    wrapKey: (algorithm, key, data) => ops.aesKeyWrap(true, key.material, data),
    unwrapKey: (algorithm, key, data) => ops.aesKeyWrap(false, key.material, data),
    parameters: {
      __proto__: null, generateKey: keyGenParams, importKey: nameOnly, exportKey: nameOnly,
      getKeyLength: derivedKeyParams, wrapKey: nameOnly, unwrapKey: nameOnly,
    },
  },
});
