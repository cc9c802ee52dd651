// Web Cryptography API, sections 32 and 33: HKDF and PBKDF2. Needs the ops, which give a Uint8Array or a ticket:
//   hkdf(hash, key, salt, info, length in bytes); fails with an OperationError if the length is over 255 hashes
//   pbkdf2(hash, password, salt, iterations, length in bytes)
const { Uint8Array } = primordials;
const { DOMException } = use("DOM/exception");
const { createUsableKey, requireUsages, usageBits } = use("Crypto/keys");
const { nameOnly, parameters } = use("Crypto/algorithms");
const { unsupportedFormat } = use("Crypto/secret");

const hkdfParams = parameters("HkdfParams", [["hash", "hash", true], ["info", "bytes", true], ["salt", "bytes", true]]);
const pbkdf2Params = parameters("Pbkdf2Params", [
  ["hash", "hash", true], ["iterations", "unsigned long", true], ["salt", "bytes", true],
]);

const allowedUsages = usageBits.deriveKey | usageBits.deriveBits;

// As in Workers. A call cannot be stopped half-way, so what it may cost is bounded too: iterations times blocks.
const maxIterations = 100_000;
const maxCost = 32 * maxIterations;
// In bits; no use needs as many.
const maxLength = 8 * 2 ** 20;
const hashBits = { __proto__: null, "SHA-1": 160, "SHA-256": 256, "SHA-384": 384, "SHA-512": 512 };

function importKey(format, data, { name }, extractable, usages) {
  if (format !== "raw") throw unsupportedFormat(format);
  requireUsages(usages, allowedUsages);
  if (extractable) throw new DOMException(`A key for ${name} cannot be extractable.`, "SyntaxError");
  return createUsableKey("secret", false, { name }, usages, data);
}

function requireLength(length) {
  if (length === null || length % 8 !== 0 || length > maxLength) {
    throw new DOMException(`The length must be a multiple of 8 and at most ${maxLength}.`, "OperationError");
  }
}

function deriveHkdf({ hash, salt, info }, key, length) {
  requireLength(length);
  if (length === 0) return new Uint8Array(0);
  return ops.hkdf(hash, key.material, salt, info, length / 8);
}

function derivePbkdf2({ hash, salt, iterations }, key, length) {
  requireLength(length);
  if (iterations === 0) throw new DOMException("The number of iterations cannot be 0.", "OperationError");
  if (iterations > maxIterations) {
    throw new DOMException(`Pbkdf2 failed: iteration counts above ${maxIterations} are not supported (requested `
      + `${iterations}).`, "NotSupportedError");
  }
  if (iterations * (length / hashBits[hash]) > maxCost) {
    throw new DOMException("Pbkdf2 failed: too many iterations for this length.", "OperationError");
  }
  if (length === 0) return new Uint8Array(0);
  return ops.pbkdf2(hash, key.material, salt, iterations, length / 8);
}

function derivation(name, type, deriveBits) {
  return {
    __proto__: null, name, importKey, deriveBits,
    getKeyLength: () => null,
    parameters: { __proto__: null, importKey: nameOnly, getKeyLength: nameOnly, deriveBits: type },
  };
}

provide({
  __proto__: null,
  "HKDF": derivation("HKDF", hkdfParams, deriveHkdf),
  "PBKDF2": derivation("PBKDF2", pbkdf2Params, derivePbkdf2),
});
