// What ECDH and X25519 have in common when they derive bits (Web Cryptography API, sections 24.4 and 26.4).
const { MathCeil, TypedArrayPrototypeGetByteLength } = primordials;
const { DOMException } = use("DOM/exception");
const { requireType } = use("Crypto/keys");
const { slice } = use("Crypto/der");

/** Throws unless `publicKey` may be the other side's key for the private `key`. */
function requirePublicKey(key, publicKey) {
  requireType(key, "private");
  requireType(publicKey, "public");
  const { name, namedCurve } = key.algorithm;
  if (publicKey.algorithm.name !== name || publicKey.algorithm.namedCurve !== namedCurve) {
    throw new DOMException("The public key is of another algorithm or curve.", "InvalidAccessError");
  }
}

/** The first `length` bits of a shared secret, or all of it if `length` is null. */
function truncateSecret(secret, length) {
  if (length === null) return secret;
  if (length > TypedArrayPrototypeGetByteLength(secret) * 8) {
    throw new DOMException("The length is longer than the shared secret.", "OperationError");
  }
  const bits = slice(secret, 0, MathCeil(length / 8));
  if (length % 8 !== 0) bits[MathCeil(length / 8) - 1] &= 0xff << (8 - length % 8);
  return bits;
}

provide({ requirePublicKey, truncateSecret });
