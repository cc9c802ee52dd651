// Web Cryptography API, section 18.4: the registry of algorithms and their normalization.
//
// An algorithm is { name, parameters: { operation: its dictionary }, operation: its steps ... }. The operations are
//   encrypt, decrypt, wrapKey, unwrapKey (algorithm, key, bytes) -> bytes or a ticket
//   sign (algorithm, key, bytes) -> bytes or a ticket
//   verify (algorithm, key, signature, bytes) -> a boolean or a ticket
//   digest (algorithm, bytes) -> bytes or a ticket
//   deriveBits (algorithm, key, length in bits or null) -> bytes or a ticket
//   generateKey (algorithm, extractable, usages) -> a CryptoKey, a pair of them, or a promise of either
//   importKey (format, bytes or JsonWebKey, algorithm, extractable, usages) -> a CryptoKey
//   exportKey (format, key) -> bytes or a JsonWebKey; getKeyLength (algorithm) -> bits or null
// where `key` is the slots of a CryptoKey, `algorithm` a normalized algorithm and `usages` bits.
const {
  ArrayPrototypePush, StringPrototypeCharCodeAt, StringPrototypeToUpperCase,
} = primordials;
const { converters, dictionary, typeOf } = use("WebIDL/webidl");
const { copyBytes } = use("WebIDL/bufferSource");
const { DOMException } = use("DOM/exception");

// The module of each algorithm, by its name in upper case.
const modules = {
  __proto__: null,
  "AES-CBC": "Crypto/aes", "AES-CTR": "Crypto/aes", "AES-GCM": "Crypto/aes", "AES-KW": "Crypto/aes",
  "ECDH": "Crypto/ec", "ECDSA": "Crypto/ec", "ED25519": "Crypto/okp", "X25519": "Crypto/okp",
  "HKDF": "Crypto/derivation", "PBKDF2": "Crypto/derivation",
  "HMAC": "Crypto/hmac",
  "MD5": "Crypto/digest", "SHA-1": "Crypto/digest", "SHA-256": "Crypto/digest", "SHA-384": "Crypto/digest",
  "SHA-512": "Crypto/digest",
  "RSA-OAEP": "Crypto/rsa", "RSA-PSS": "Crypto/rsa", "RSASSA-PKCS1-V1_5": "Crypto/rsa",
};

function notSupported(name, operation) {
  return new DOMException(`Unrecognized or unimplemented algorithm "${name}" for the operation '${operation}'.`,
    "NotSupportedError");
}

function algorithmNamed(name, operation) {
  const upperCase = isAscii(name) ? StringPrototypeToUpperCase(name) : "";
  const module = modules[upperCase];
  if (module === undefined) throw notSupported(name, operation);
  return use(module)[upperCase];
}

// Only ASCII letters are the same in both cases.
function isAscii(name) {
  for (let i = 0; i < name.length; i++) {
    if (StringPrototypeCharCodeAt(name, i) > 127) return false;
  }
  return true;
}

/** The conversion of an AlgorithmIdentifier: an object or a string. */
function algorithmIdentifier(V, prefix, context) {
  return typeOf(V) === "object" ? V : converters.DOMString(V, prefix, context);
}

const enforceRange = { __proto__: null, enforceRange: true };
const memberConverters = {
  __proto__: null,
  bytes: converters.BufferSource,
  bigInteger: converters.Uint8Array,
  hash: algorithmIdentifier,
  key: (V, prefix, context) => use("Crypto/keys").keyFrom(V, prefix, context),
  octet: (V, prefix, context) => converters.octet(V, prefix, context, enforceRange),
  string: converters.DOMString,
  "unsigned short": (V, prefix, context) => converters["unsigned short"](V, prefix, context, enforceRange),
  "unsigned long": (V, prefix, context) => converters["unsigned long"](V, prefix, context, enforceRange),
};

/**
 * A dictionary of parameters. `members`, in the standard's order: [key, kind, true if required]. After normalization
 * members of the kinds "bytes" and "bigInteger" are copies, "hash" is a name, "key" the slots of a CryptoKey.
 */
function parameters(name, members = []) {
  const list = [{ __proto__: null, key: "name", converter: converters.DOMString, required: true }];
  for (let i = 0; i < members.length; i++) {
    const member = members[i];
    ArrayPrototypePush(list, {
      __proto__: null, key: member[0], converter: memberConverters[member[1]], required: member.length > 2,
    });
  }
  return { __proto__: null, convert: dictionary(name, list), members };
}

const nameOnly = parameters("Algorithm");

function nameFrom(identifier, prefix) {
  return typeof identifier === "string" ? identifier : nameOnly.convert(identifier, prefix, "The algorithm").name;
}

/** The parameters of `identifier` for one operation: { name, definition, and the members of its dictionary }. */
function normalizeAlgorithm(identifier, operation, prefix) {
  const name = nameFrom(identifier, prefix);
  const definition = algorithmNamed(name, operation);
  const type = definition.parameters[operation];
  if (type === undefined) throw notSupported(name, operation);
  const source = typeof identifier === "string" ? { __proto__: null, name } : identifier;
  const normalized = type === nameOnly ? { __proto__: null } : type.convert(source, prefix, "The algorithm");
  normalized.name = definition.name;
  normalized.definition = definition;
  for (let i = 0; i < type.members.length; i++) {
    const key = type.members[i][0], kind = type.members[i][1];
    if (normalized[key] === undefined) continue;
    if (kind === "bytes" || kind === "bigInteger") normalized[key] = copyBytes(normalized[key]);
    else if (kind === "hash") normalized[key] = hashNamed(normalized[key], prefix);
  }
  return normalized;
}

/** Whether an algorithm knows an operation. */
function supports(identifier, operation, prefix) {
  return algorithmNamed(nameFrom(identifier, prefix), operation).parameters[operation] !== undefined;
}

// The hash functions that other algorithms build on; MD5 is for the operation digest only.
function hashNamed(identifier, prefix) {
  const { name } = normalizeAlgorithm(identifier, "digest", prefix);
  if (name === "MD5") throw notSupported(name, "digest");
  return name;
}

provide({ algorithmIdentifier, algorithmNamed, nameOnly, normalizeAlgorithm, parameters, supports });
