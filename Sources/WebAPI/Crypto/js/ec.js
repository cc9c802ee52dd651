// Web Cryptography API, sections 23 and 24: ECDSA and ECDH on P-256, P-384 and P-521. Points are uncompressed (SEC 1,
// section 2.3.3), scalars as long as the curve's coordinates; a key's material is { point, scalar (private) }. Needs
//   ecGenerate(curve) -> Uint8Array: the scalar and after it the point
//   ecPoint(curve, encoded point) -> Uint8Array: the point, or null if it is none of the curve
//   ecPublic(curve, scalar) -> Uint8Array: its point, or null if it is no private key
//   ecdsaSign(curve, hash, scalar, bytes) -> Uint8Array or ticket: r and s
//   ecdsaVerify(curve, hash, point, signature, bytes) -> boolean or ticket
//   ecdh(curve, scalar, point) -> Uint8Array: the x coordinate of the product
const { TypedArrayPrototypeGetByteLength, Uint8Array } = primordials;
const { DOMException } = use("DOM/exception");
const { concatBytes } = use("WebIDL/bufferSource");
const {
  createKey, createKeyPair, createUsableKey, requireType, requireUsages, usageBits,
} = use("Crypto/keys");
const { base64url, checkJwk, dataError, jwkBytes, makeJwk } = use("Crypto/jwk");
const {
  ecPrivateKey, equalBytes, privateKeyInfo, publicKeyInfo, readEcPrivateKey, readPrivateKeyInfo, readPublicKeyInfo,
  slice,
} = use("Crypto/der");
const { nameOnly, parameters } = use("Crypto/algorithms");
const { requirePublicKey, truncateSecret } = use("Crypto/agreement");
const { unsupportedFormat } = use("Crypto/secret");

const keyParams = parameters("EcKeyGenParams", [["namedCurve", "string", true]]);
const ecdsaParams = parameters("EcdsaParams", [["hash", "hash", true]]);
const ecdhParams = parameters("EcdhKeyDeriveParams", [["public", "key", true]]);

const ecPublicKey = "\x2a\x86\x48\xce\x3d\x02\x01";
const curves = {
  __proto__: null,
  "P-256": { __proto__: null, oid: "\x2a\x86\x48\xce\x3d\x03\x01\x07", size: 32, alg: "ES256" },
  "P-384": { __proto__: null, oid: "\x2b\x81\x04\x00\x22", size: 48, alg: "ES384" },
  "P-521": { __proto__: null, oid: "\x2b\x81\x04\x00\x23", size: 66, alg: "ES512" },
};

const derivingUsages = usageBits.deriveKey | usageBits.deriveBits;
const publicUsages = (name) => (name === "ECDSA" ? usageBits.verify : 0);
const privateUsages = (name) => (name === "ECDSA" ? usageBits.sign : derivingUsages);

function generateKey({ name, namedCurve }, extractable, usages) {
  const ofPublic = publicUsages(name), ofPrivate = privateUsages(name);
  requireUsages(usages, ofPublic | ofPrivate);
  const curve = curves[namedCurve];
  if (curve === undefined) throw new DOMException(`Unsupported curve '${namedCurve}'.`, "NotSupportedError");
  const bytes = ops.ecGenerate(namedCurve);
  const scalar = slice(bytes, 0, curve.size);
  const point = slice(bytes, curve.size, TypedArrayPrototypeGetByteLength(bytes));
  return createKeyPair({ name, namedCurve }, extractable, usages & ofPublic, publicMaterial(point), usages & ofPrivate,
    { __proto__: null, point, scalar });
}

const publicMaterial = (point) => ({ __proto__: null, point, scalar: undefined });

function publicKey(encodedPoint, { name, namedCurve }, extractable, usages) {
  const point = ops.ecPoint(namedCurve, encodedPoint);
  if (point === null) throw dataError(`The public key is no point of ${namedCurve}.`);
  return createKey("public", extractable, { name, namedCurve }, usages, publicMaterial(point));
}

// `expected` is the public key that came along, uncompressed, if any did.
function privateKey(scalar, expected, { name, namedCurve }, extractable, usages) {
  const point = TypedArrayPrototypeGetByteLength(scalar) === curves[namedCurve].size
    ? ops.ecPublic(namedCurve, scalar) : null;
  if (point === null || (expected !== undefined && (expected === null || !equalBytes(point, expected)))) {
    throw dataError(`The private key is invalid or does not match its public key.`);
  }
  const material = { __proto__: null, point, scalar };
  return createUsableKey("private", extractable, { name, namedCurve }, usages, material);
}

function importKey(format, data, algorithm, extractable, usages) {
  const { name, namedCurve } = algorithm;
  const isPrivate = format === "jwk" ? data.d !== undefined : format === "pkcs8";
  requireUsages(usages, isPrivate ? privateUsages(name) : publicUsages(name));
  const curve = curves[namedCurve];
  if (curve === undefined) throw dataError(`Unsupported curve '${namedCurve}'.`);
  switch (format) {
    case "raw": return publicKey(data, algorithm, extractable, usages);
    case "jwk": return importJwk(data, curve, algorithm, extractable, usages);
    case "spki": {
      const info = readPublicKeyInfo(data);
      requireCurve(info, curve);
      return publicKey(info.key, algorithm, extractable, usages);
    }
    case "pkcs8": {
      const info = readPrivateKeyInfo(data);
      requireCurve(info, curve);
      const key = readEcPrivateKey(info.key);
      if (key.curve !== undefined && key.curve !== curve.oid) throw dataError("The key is of another curve.");
      const expected = key.point === undefined ? undefined : ops.ecPoint(namedCurve, key.point);
      return privateKey(key.scalar, expected, algorithm, extractable, usages);
    }
    default: throw unsupportedFormat(format);
  }
}

function requireCurve({ oid, parameters: oidOfCurve }, curve) {
  if (oid !== ecPublicKey || oidOfCurve !== curve.oid) throw dataError("The key is of another algorithm or curve.");
}

function importJwk(jwk, curve, algorithm, extractable, usages) {
  const { name, namedCurve } = algorithm;
  checkJwk(jwk, "EC", name === "ECDSA" ? "sig" : "enc", extractable, usages);
  if (jwk.crv !== namedCurve) throw dataError(`The JWK's 'crv' is not '${namedCurve}'.`);
  if (name === "ECDSA" && jwk.alg !== undefined && jwk.alg !== curve.alg) {
    throw dataError("The JWK's 'alg' does not match the curve.");
  }
  const x = coordinate(jwk, "x", curve), y = coordinate(jwk, "y", curve);
  const point = concatBytes([uncompressed, x, y], 1 + 2 * curve.size);
  if (jwk.d === undefined) return publicKey(point, algorithm, extractable, usages);
  return privateKey(coordinate(jwk, "d", curve), point, algorithm, extractable, usages);
}

// The first byte of an uncompressed point.
const uncompressed = new Uint8Array(1);
uncompressed[0] = 4;

// RFC 7518, section 6.2: all have the length of the curve's coordinates.
function coordinate(jwk, member, { size }) {
  const bytes = jwkBytes(jwk, member);
  if (TypedArrayPrototypeGetByteLength(bytes) !== size) throw dataError(`The JWK's '${member}' has a wrong length.`);
  return bytes;
}

function exportKey(format, key) {
  const { point, scalar } = key.material;
  const { namedCurve } = key.algorithm;
  const { oid, size } = curves[namedCurve];
  switch (format) {
    case "raw":
      requireType(key, "public");
      return new Uint8Array(point);
    case "spki":
      requireType(key, "public");
      return publicKeyInfo(ecPublicKey, oid, point);
    case "pkcs8":
      requireType(key, "private");
      return privateKeyInfo(ecPublicKey, oid, ecPrivateKey(scalar, point));
    case "jwk": {
      const jwk = {
        __proto__: null, kty: "EC", crv: namedCurve, x: base64url(slice(point, 1, 1 + size)),
        y: base64url(slice(point, 1 + size, 1 + 2 * size)),
      };
      if (scalar !== undefined) jwk.d = base64url(scalar);
      return makeJwk(key, jwk);
    }
    default: throw unsupportedFormat(format);
  }
}

provide({
  __proto__: null,
  "ECDSA": {
    __proto__: null, name: "ECDSA", generateKey, importKey, exportKey,
    sign({ hash }, key, data) {
      requireType(key, "private");
      return ops.ecdsaSign(key.algorithm.namedCurve, hash, key.material.scalar, data);
    },
    verify({ hash }, key, signature, data) {
      requireType(key, "public");
      return ops.ecdsaVerify(key.algorithm.namedCurve, hash, key.material.point, signature, data);
    },
    parameters: {
      __proto__: null, generateKey: keyParams, importKey: keyParams, exportKey: nameOnly, sign: ecdsaParams,
      verify: ecdsaParams,
    },
  },
  "ECDH": {
    __proto__: null, name: "ECDH", generateKey, importKey, exportKey,
    deriveBits(algorithm, key, length) {
      const publicKeySlots = algorithm.public;
      requirePublicKey(key, publicKeySlots);
      const curve = key.algorithm.namedCurve;
      return truncateSecret(ops.ecdh(curve, key.material.scalar, publicKeySlots.material.point), length);
    },
    parameters: {
      __proto__: null, generateKey: keyParams, importKey: keyParams, exportKey: nameOnly, deriveBits: ecdhParams,
    },
  },
});
