// What the algorithms with secret keys have in common: keys of random or given bytes, in the formats raw and jwk.
// Needs the op randomFill(bytes).
const { TypedArrayPrototypeGetByteLength, Uint8Array } = primordials;
const { DOMException } = use("DOM/exception");
const { base64url, checkJwk, dataError, jwkBytes, makeJwk } = use("Crypto/jwk");

function randomBytes(length) {
  const bytes = new Uint8Array(length);
  ops.randomFill(bytes);
  return bytes;
}

function unsupportedFormat(format) {
  return new DOMException(`The key format '${format}' is not supported for this kind of key.`, "NotSupportedError");
}

/** The bytes of a key to import; `algOf(bits)` is the "alg" that a JWK may have. */
function importSecret(format, data, use, extractable, usages, algOf) {
  if (format === "raw") return data;
  if (format !== "jwk") throw unsupportedFormat(format);
  checkJwk(data, "oct", use, extractable, usages);
  const bytes = jwkBytes(data, "k");
  if (data.alg !== undefined && data.alg !== algOf(TypedArrayPrototypeGetByteLength(bytes) * 8)) {
    throw dataError("The JWK's 'alg' does not match the algorithm.");
  }
  return bytes;
}

function exportSecret(format, key, alg) {
  if (format === "raw") return new Uint8Array(key.material);
  if (format !== "jwk") throw unsupportedFormat(format);
  return makeJwk(key, { kty: "oct", k: base64url(key.material), alg });
}

provide({ exportSecret, importSecret, randomBytes, unsupportedFormat });
