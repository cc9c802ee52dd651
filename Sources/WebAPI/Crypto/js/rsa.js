// Web Cryptography API, sections 20 to 22: RSASSA-PKCS1-v1_5, RSA-PSS and RSA-OAEP. Keys are DER (RFC 8017, A.1). Needs
//   rsaGenerate(bits, public exponent) -> ticket for the RSAPrivateKey
//   rsaCheck(isPrivate, key) -> boolean: whether the key can be used
//   rsaSign(padding, hash, length of the salt, key, bytes) -> Uint8Array or ticket; padding is "PKCS1" or "PSS"
//   rsaVerify(padding, hash, length of the salt, key, signature, bytes) -> boolean or ticket
//   rsaOaep(isEncrypting, hash, key, label, bytes) -> Uint8Array or ticket
// which fail with an OperationError.
const {
  ArrayPrototypePush, MathClz32, PromisePrototypeThen, TypedArrayPrototypeGetByteLength, Uint8Array,
} = primordials;
const { ticketPromise } = use("Core/tickets");
const { DOMException } = use("DOM/exception");
const {
  createKey, createKeyPair, createUsableKey, requireType, requireUsages, usageBits,
} = use("Crypto/keys");
const { base64url, checkJwk, dataError, jwkBytes, makeJwk } = use("Crypto/jwk");
const {
  privateKeyInfo, publicKeyInfo, readPrivateKeyInfo, readPublicKeyInfo, readRsaKey, rsaKey, withoutLeadingZeros,
} = use("Crypto/der");
const { nameOnly, parameters } = use("Crypto/algorithms");
const { unsupportedFormat } = use("Crypto/secret");

const keyGenParams = parameters("RsaHashedKeyGenParams", [
  ["modulusLength", "unsigned long", true], ["publicExponent", "bigInteger", true], ["hash", "hash", true],
]);
const importParams = parameters("RsaHashedImportParams", [["hash", "hash", true]]);
const pssParams = parameters("RsaPssParams", [["saltLength", "unsigned long", true]]);
const oaepParams = parameters("RsaOaepParams", [["label", "bytes"]]);

const rsaEncryption = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01";
const privateMembers = ["n", "e", "d", "p", "q", "dp", "dq", "qi"];
const noBytes = new Uint8Array(0);

// Generating a key cannot be stopped half-way, and its cost grows with the fourth power of its length.
const minModulusLength = 1024, maxModulusLength = 4096;

const isCipher = (name) => name === "RSA-OAEP";

function publicUsages(name) {
  return isCipher(name) ? usageBits.encrypt | usageBits.wrapKey : usageBits.verify;
}

function privateUsages(name) {
  return isCipher(name) ? usageBits.decrypt | usageBits.unwrapKey : usageBits.sign;
}

// A JWK's "alg": RS256, PS256, RSA-OAEP-256 and so on.
function algFor(name, hash) {
  const bits = hash === "SHA-1" ? "1" : hash === "SHA-256" ? "256" : hash === "SHA-384" ? "384" : "512";
  if (isCipher(name)) return bits === "1" ? "RSA-OAEP" : `RSA-OAEP-${bits}`;
  return (name === "RSA-PSS" ? "PS" : "RS") + bits;
}

function keyAlgorithm(name, hash, modulus, publicExponent) {
  const modulusLength = TypedArrayPrototypeGetByteLength(modulus) * 8 - (MathClz32(modulus[0]) - 24);
  return { name, modulusLength, publicExponent, hash };
}

function operationError(message) {
  return new DOMException(message, "OperationError");
}

function generateKey({ name, modulusLength, publicExponent, hash }, extractable, usages) {
  const ofPublic = publicUsages(name), ofPrivate = privateUsages(name);
  requireUsages(usages, ofPublic | ofPrivate);
  if (modulusLength < minModulusLength || modulusLength > maxModulusLength || modulusLength % 8 !== 0) {
    throw operationError(`modulusLength must be a multiple of 8 from ${minModulusLength} to ${maxModulusLength}.`);
  }
  const exponent = withoutLeadingZeros(publicExponent);
  const isThree = TypedArrayPrototypeGetByteLength(exponent) === 1 && exponent[0] === 3;
  const isF4 = TypedArrayPrototypeGetByteLength(exponent) === 3 && exponent[0] === 1 && exponent[1] === 0
    && exponent[2] === 1;
  if (!isThree && !isF4) throw operationError("publicExponent must be 3 or 65537.");
  if ((usages & ofPrivate) === 0) throw new DOMException("Usages cannot be empty when creating a key.", "SyntaxError");
  return PromisePrototypeThen(ticketPromise(ops.rsaGenerate(modulusLength, exponent)), (material) => {
    const integers = readRsaKey(material, true);
    const algorithm = { name, modulusLength, publicExponent, hash };
    return createKeyPair(algorithm, extractable, usages & ofPublic, rsaKey([integers[0], integers[1]]),
      usages & ofPrivate, material);
  });
}

// `integers` are those of the key: two for a public one, eight for a private one.
function makeKey(integers, { name, hash }, extractable, usages) {
  const isPrivate = integers.length > 2;
  const material = rsaKey(integers);
  if (!ops.rsaCheck(isPrivate, material)) throw dataError("The RSA key is invalid.");
  const algorithm = keyAlgorithm(name, hash, integers[0], integers[1]);
  if (isPrivate) return createUsableKey("private", extractable, algorithm, usages, material);
  return createKey("public", extractable, algorithm, usages, material);
}

function importKey(format, data, algorithm, extractable, usages) {
  const { name } = algorithm;
  const isPrivate = format === "jwk" ? data.d !== undefined : format === "pkcs8";
  if (format !== "jwk" && format !== "pkcs8" && format !== "spki") throw unsupportedFormat(format);
  requireUsages(usages, isPrivate ? privateUsages(name) : publicUsages(name));
  if (format === "jwk") {
    return makeKey(integersFromJwk(data, algorithm, extractable, usages), algorithm, extractable, usages);
  }
  const info = isPrivate ? readPrivateKeyInfo(data) : readPublicKeyInfo(data);
  if (info.oid !== rsaEncryption) throw dataError("The key is not an RSA key.");
  return makeKey(readRsaKey(info.key, isPrivate), algorithm, extractable, usages);
}

function integersFromJwk(jwk, { name, hash }, extractable, usages) {
  checkJwk(jwk, "RSA", isCipher(name) ? "enc" : "sig", extractable, usages);
  if (jwk.alg !== undefined && jwk.alg !== algFor(name, hash)) {
    throw dataError("The JWK's 'alg' does not match the algorithm.");
  }
  if (jwk.oth !== undefined) throw dataError("RSA keys of more than two primes are not supported.");
  const integers = [];
  for (let i = 0; i < (jwk.d === undefined ? 2 : 8); i++) {
    const bytes = jwkBytes(jwk, privateMembers[i]);
    if (TypedArrayPrototypeGetByteLength(bytes) === 0) throw dataError(`The JWK's '${privateMembers[i]}' is empty.`);
    ArrayPrototypePush(integers, withoutLeadingZeros(bytes));
  }
  return integers;
}

function exportKey(format, key) {
  const isPrivate = key.type === "private";
  if (format === "jwk") return exportJwk(key, isPrivate);
  if (format === "pkcs8") {
    requireType(key, "private");
    return privateKeyInfo(rsaEncryption, null, key.material);
  }
  if (format !== "spki") throw unsupportedFormat(format);
  requireType(key, "public");
  return publicKeyInfo(rsaEncryption, null, key.material);
}

function exportJwk(key, isPrivate) {
  const { name, hash } = key.algorithm;
  const jwk = { __proto__: null, kty: "RSA", alg: algFor(name, hash) };
  const integers = readRsaKey(key.material, isPrivate);
  for (let i = 0; i < integers.length; i++) jwk[privateMembers[i]] = base64url(integers[i]);
  return makeJwk(key, jwk);
}

function signature(name, padding, type) {
  return {
    __proto__: null, name, generateKey, importKey, exportKey,
    sign({ saltLength = 0 }, key, data) {
      requireType(key, "private");
      return ops.rsaSign(padding, key.algorithm.hash, saltLength, key.material, data);
    },
    verify({ saltLength = 0 }, key, bytes, data) {
      requireType(key, "public");
      return ops.rsaVerify(padding, key.algorithm.hash, saltLength, key.material, bytes, data);
    },
    parameters: {
      __proto__: null, generateKey: keyGenParams, importKey: importParams, exportKey: nameOnly, sign: type,
      verify: type,
    },
  };
}

provide({
  __proto__: null,
  "RSASSA-PKCS1-V1_5": signature("RSASSA-PKCS1-v1_5", "PKCS1", nameOnly),
  "RSA-PSS": signature("RSA-PSS", "PSS", pssParams),
  "RSA-OAEP": {
    __proto__: null, name: "RSA-OAEP", generateKey, importKey, exportKey,
    encrypt({ label = noBytes }, key, data) {
      requireType(key, "public");
      return ops.rsaOaep(true, key.algorithm.hash, key.material, label, data);
    },
    decrypt({ label = noBytes }, key, data) {
      requireType(key, "private");
      return ops.rsaOaep(false, key.algorithm.hash, key.material, label, data);
    },
    parameters: {
      __proto__: null, generateKey: keyGenParams, importKey: importParams, exportKey: nameOnly, encrypt: oaepParams,
      decrypt: oaepParams,
    },
  },
});
