// JSON Web Keys (RFC 7517 and 7518) as the Web Cryptography API, sections 15 and 18.4, uses them.
const {
  JSONParse, JSONStringify, MathFloor, ObjectSetPrototypeOf, TypedArrayPrototypeGetByteLength,
} = primordials;
const { converters, dictionary, sequence } = use("WebIDL/webidl");
const { DOMException } = use("DOM/exception");
const { decodeBase64, encodeBase64 } = use("ECMAScript/base64");
const { namesOfUsages, usagesOf } = use("Crypto/keys");

function dataError(message) {
  return new DOMException(message, "DataError");
}

const text = (key) => ({ __proto__: null, key, converter: converters.DOMString });

const otherPrimes = dictionary("RsaOtherPrimesInfo", [text("d"), text("r"), text("t")]);

/** The conversion of a JsonWebKey. */
const jsonWebKey = dictionary("JsonWebKey", [
  text("alg"), text("crv"), text("d"), text("dp"), text("dq"), text("e"),
  { __proto__: null, key: "ext", converter: converters.boolean },
  text("k"),
  { __proto__: null, key: "key_ops", converter: sequence(converters.DOMString) },
  text("kty"), text("n"),
  { __proto__: null, key: "oth", converter: sequence(otherPrimes) },
  text("p"), text("q"), text("qi"), text("use"), text("x"), text("y"),
]);

/** "Parse a JWK", from UTF-8. The tenant's Object.prototype adds no members to what was parsed. */
function parseJwk(bytes) {
  let value;
  try {
    value = JSONParse(engine.utf8Decode(bytes, false));
    if (typeof value === "object" && value !== null) ObjectSetPrototypeOf(value, null);
    value = jsonWebKey(value, "Failed to execute 'unwrapKey' on 'SubtleCrypto'", "The key");
  } catch {
    throw dataError("The unwrapped key is not a JSON Web Key.");
  }
  if (value.kty === undefined) throw dataError("The unwrapped key is not a JSON Web Key: it has no 'kty'.");
  return value;
}

/** A JWK in UTF-8. Without prototypes there is no toJSON to call. */
function serializeJwk(jwk) {
  ObjectSetPrototypeOf(jwk, null);
  ObjectSetPrototypeOf(jwk.key_ops, null);
  return engine.utf8Encode(JSONStringify(jwk));
}

/**
 * The checks that importing a JWK has in common.
 * `kty` and `use` are what the algorithm demands of these members.
 */
function checkJwk(jwk, kty, use, extractable, usages) {
  if (jwk.kty !== kty) throw dataError(`The JWK's 'kty' is not '${kty}'.`);
  if (usages !== 0 && jwk.use !== undefined && jwk.use !== use) throw dataError(`The JWK's 'use' is not '${use}'.`);
  checkKeyOperations(jwk, usages);
  if (jwk.ext === false && extractable) throw dataError("The JWK's 'ext' forbids an extractable key.");
}

// RFC 7517, section 4.3: no duplicates, and consistent with "use"; and the standard: all requested usages are there.
function checkKeyOperations(jwk, usages) {
  const names = jwk.key_ops;
  if (names === undefined) return;
  const seen = { __proto__: null };
  for (let i = 0; i < names.length; i++) {
    if (seen[names[i]]) throw dataError("The JWK's 'key_ops' has duplicates.");
    seen[names[i]] = true;
  }
  if (usages & ~usagesOf(names)) throw dataError("The JWK's 'key_ops' lacks a requested usage.");
}

/** The bytes of a member in base64url without padding. */
function jwkBytes(jwk, member) {
  const string = jwk[member];
  if (string === undefined) throw dataError(`The JWK lacks the member '${member}'.`);
  const bytes = decodeBase64(string, "base64url");
  // The decoder skips white space and padding, which have no place here.
  const hasOnlyDigits = bytes !== undefined && string.length % 4 !== 1
    && TypedArrayPrototypeGetByteLength(bytes) === MathFloor(string.length * 3 / 4);
  if (!hasOnlyDigits) throw dataError(`The JWK's member '${member}' is not in base64url.`);
  return bytes;
}

function base64url(bytes) {
  return encodeBase64(bytes, "base64url", true);
}

/** The members of a JWK that all keys have; `members` come first. */
function makeJwk(key, members) {
  return { ...members, key_ops: namesOfUsages(key.usages), ext: key.extractable };
}

provide({ base64url, checkJwk, dataError, jsonWebKey, jwkBytes, makeJwk, parseJwk, serializeJwk });
