// Web Cryptography API, sections 25 and 26: Ed25519 and X25519. Keys are 32 bytes; the material of a key is
// { point, scalar (private) }. Needs the ops
//   okpPublic(name, scalar) -> Uint8Array: the public key of a private one; name is "Ed25519" or "X25519"
//   ed25519Sign(scalar, bytes) -> Uint8Array or ticket
//   ed25519Verify(point, signature, bytes) -> boolean or ticket
//   x25519(scalar, point) -> Uint8Array; fails with an OperationError if the product is zero
const { TypedArrayPrototypeGetByteLength, Uint8Array } = primordials;
const {
  createKey, createKeyPair, createUsableKey, requireType, requireUsages, usageBits,
} = use("Crypto/keys");
const { base64url, checkJwk, dataError, jwkBytes, makeJwk } = use("Crypto/jwk");
const {
  equalBytes, octetString, privateKeyInfo, publicKeyInfo, readOctets, readPrivateKeyInfo, readPublicKeyInfo, slice,
} = use("Crypto/der");
const { nameOnly, parameters } = use("Crypto/algorithms");
const { requirePublicKey, truncateSecret } = use("Crypto/agreement");
const { randomBytes, unsupportedFormat } = use("Crypto/secret");

const deriveParams = parameters("EcdhKeyDeriveParams", [["public", "key", true]]);

// RFC 8410, section 3.
const oids = { __proto__: null, Ed25519: "\x2b\x65\x70", X25519: "\x2b\x65\x6e" };
const keySize = 32;

const derivingUsages = usageBits.deriveKey | usageBits.deriveBits;
const publicUsages = (name) => (name === "Ed25519" ? usageBits.verify : 0);
const privateUsages = (name) => (name === "Ed25519" ? usageBits.sign : derivingUsages);
const publicMaterial = (point) => ({ __proto__: null, point, scalar: undefined });

// The y coordinates of the points of Ed25519 of order 1, 2, 4 and 8, canonical or not: with such a point a signature
// may be valid for many messages, so the standard has them refused.
const smallOrderPoints = {
  __proto__: null,
  "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA": true,
  "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA": true,
  "7P_______________________________________38": true,
  "7f_______________________________________38": true,
  "7v_______________________________________38": true,
  "JuiVj8KyJ7BFw_SJ8u-Y8NXfrAXTxjM5sTgCiG1T_AU": true,
  "xxdqcD1N2E-6PAt2DRBnDyogU_osOczGTsf9d5KsA3o": true,
};

function hasSmallOrder(bytes) {
  const point = slice(bytes, 0, keySize);
  // The sign of the x coordinate.
  point[keySize - 1] &= 0x7f;
  return smallOrderPoints[base64url(point)] === true;
}

function generateKey({ name }, extractable, usages) {
  const ofPublic = publicUsages(name), ofPrivate = privateUsages(name);
  requireUsages(usages, ofPublic | ofPrivate);
  const scalar = randomBytes(keySize);
  const point = ops.okpPublic(name, scalar);
  return createKeyPair({ name }, extractable, usages & ofPublic, publicMaterial(point), usages & ofPrivate,
    { __proto__: null, point, scalar });
}

function requireSize(bytes) {
  if (TypedArrayPrototypeGetByteLength(bytes) !== keySize) throw dataError(`The key does not have ${keySize} bytes.`);
  return bytes;
}

function publicKey(point, { name }, extractable, usages) {
  return createKey("public", extractable, { name }, usages, publicMaterial(requireSize(point)));
}

function privateKey(scalar, expected, { name }, extractable, usages) {
  const point = ops.okpPublic(name, requireSize(scalar));
  if (expected !== undefined && !equalBytes(point, expected)) {
    throw dataError("The private key does not match its public key.");
  }
  const material = { __proto__: null, point, scalar };
  return createUsableKey("private", extractable, { name }, usages, material);
}

function importKey(format, data, algorithm, extractable, usages) {
  const { name } = algorithm;
  const isPrivate = format === "jwk" ? data.d !== undefined : format === "pkcs8";
  requireUsages(usages, isPrivate ? privateUsages(name) : publicUsages(name));
  switch (format) {
    case "raw": return publicKey(data, algorithm, extractable, usages);
    case "jwk": return importJwk(data, algorithm, extractable, usages);
    case "spki": return publicKey(keyOf(readPublicKeyInfo(data), name), algorithm, extractable, usages);
    case "pkcs8": {
      const scalar = readOctets(keyOf(readPrivateKeyInfo(data), name));
      return privateKey(scalar, undefined, algorithm, extractable, usages);
    }
    default: throw unsupportedFormat(format);
  }
}

function keyOf({ oid, parameters: others, key }, name) {
  if (oid !== oids[name] || others !== undefined) throw dataError(`The key is not one for ${name}.`);
  return key;
}

function importJwk(jwk, algorithm, extractable, usages) {
  const { name } = algorithm;
  checkJwk(jwk, "OKP", name === "Ed25519" ? "sig" : "enc", extractable, usages);
  if (jwk.crv !== name) throw dataError(`The JWK's 'crv' is not '${name}'.`);
  if (name === "Ed25519" && jwk.alg !== undefined && jwk.alg !== "Ed25519" && jwk.alg !== "EdDSA") {
    throw dataError("The JWK's 'alg' is neither 'Ed25519' nor 'EdDSA'.");
  }
  const point = jwkBytes(jwk, "x");
  if (jwk.d === undefined) return publicKey(point, algorithm, extractable, usages);
  return privateKey(jwkBytes(jwk, "d"), requireSize(point), algorithm, extractable, usages);
}

function exportKey(format, key) {
  const { point, scalar } = key.material;
  const { name } = key.algorithm;
  switch (format) {
    case "raw":
      requireType(key, "public");
      return new Uint8Array(point);
    case "spki":
      requireType(key, "public");
      return publicKeyInfo(oids[name], undefined, point);
    case "pkcs8":
      requireType(key, "private");
      return privateKeyInfo(oids[name], undefined, octetString(scalar));
    case "jwk": {
      const jwk = { __proto__: null, kty: "OKP", crv: name, x: base64url(point) };
      if (name === "Ed25519") jwk.alg = name;
      if (scalar !== undefined) jwk.d = base64url(scalar);
      return makeJwk(key, jwk);
    }
    default: throw unsupportedFormat(format);
  }
}

provide({
  __proto__: null,
  "ED25519": {
    __proto__: null, name: "Ed25519", generateKey, importKey, exportKey,
    sign(algorithm, key, data) {
      requireType(key, "private");
      return ops.ed25519Sign(key.material.scalar, data);
    },
    verify(algorithm, key, signature, data) {
      requireType(key, "public");
      // A signature begins with a point, R.
      if (TypedArrayPrototypeGetByteLength(signature) !== 2 * keySize) return false;
      if (hasSmallOrder(key.material.point) || hasSmallOrder(signature)) return false;
      return ops.ed25519Verify(key.material.point, signature, data);
    },
    parameters: {
      __proto__: null, generateKey: nameOnly, importKey: nameOnly, exportKey: nameOnly, sign: nameOnly,
      verify: nameOnly,
    },
  },
  "X25519": {
    __proto__: null, name: "X25519", generateKey, importKey, exportKey,
    deriveBits(algorithm, key, length) {
      requirePublicKey(key, algorithm.public);
      return truncateSecret(ops.x25519(key.material.scalar, algorithm.public.material.point), length);
    },
    parameters: {
      __proto__: null, generateKey: nameOnly, importKey: nameOnly, exportKey: nameOnly, deriveBits: deriveParams,
    },
  },
});
