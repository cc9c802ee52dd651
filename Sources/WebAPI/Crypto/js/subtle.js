// Web Cryptography API, section 14: SubtleCrypto, with Workers' timingSafeEqual. Needs the op
//   timingSafeEqual(a, b) -> boolean, for bytes of equal length
const {
  ArrayBufferIsView, PromisePrototypeThen, PromiseReject, PromiseResolve, TypeError, TypedArrayPrototypeGetBuffer,
  TypedArrayPrototypeGetByteLength,
} = primordials;
const { refuseInGlobalScope } = use("Core/scope");
const { ticketPromise } = use("Core/tickets");
const {
  converters, defineInterface, enumeration, illegalInvocation, isArrayBuffer, requireArguments, typeOf,
} = use("WebIDL/webidl");
const { bytesOf, copyBytes } = use("WebIDL/bufferSource");
const { DOMException } = use("DOM/exception");
const { keyFrom, requireUse, usagesFrom } = use("Crypto/keys");
const { jsonWebKey, parseJwk, serializeJwk } = use("Crypto/jwk");
const { algorithmIdentifier, algorithmNamed, normalizeAlgorithm, supports } = use("Crypto/algorithms");

const convertFormat = enumeration("KeyFormat", ["raw", "spki", "pkcs8", "jwk"]);

/** The promise that a method returns, of what its steps return or throw. */
function promiseOf(steps) {
  try {
    return PromiseResolve(steps());
  } catch (error) {
    return PromiseReject(error);
  }
}

/** What follows an operation, whose result may be a ticket. No secret passes through a promise that a tenant sees. */
function after(result, finish) {
  return typeof result === "number" ? PromisePrototypeThen(ticketPromise(result), finish) : finish(result);
}

const identity = (value) => value;

const prefixes = { __proto__: null };

let requireSubtle;
const internal = { __proto__: null };

// What each method begins with: checks of its receiver and the number of its arguments. Gives the messages' prefix.
function begin(receiver, method, length, required) {
  requireSubtle(receiver);
  const prefix = prefixes[method] ??= `Failed to execute '${method}' on 'SubtleCrypto'`;
  requireArguments(length, required, prefix);
  return prefix;
}

// A getter of the algorithm, an object, could still change the data, which are copied therefore.
function bytesFrom(data, identifier, prefix, context) {
  converters.BufferSource(data, prefix, context);
  return typeof identifier === "string" ? bytesOf(data) : copyBytes(data);
}

// The steps of encrypt, decrypt and sign.
function transform(prefix, method, algorithm, key, data) {
  const identifier = algorithmIdentifier(algorithm, prefix, "parameter 1");
  const slots = keyFrom(key, prefix, "parameter 2");
  const bytes = bytesFrom(data, identifier, prefix, "parameter 3");
  const normalized = normalizeAlgorithm(identifier, method, prefix);
  requireUse(slots, normalized.name, method);
  return after(normalized.definition[method](normalized, slots, bytes), TypedArrayPrototypeGetBuffer);
}

const isBufferSource = (keyData) => ArrayBufferIsView(keyData) || isArrayBuffer(keyData);

// The conversion of (BufferSource or JsonWebKey).
function keyDataFrom(V, prefix) {
  if (isBufferSource(V)) return V;
  if (typeOf(V) === "object" || V === null || V === undefined) return jsonWebKey(V, prefix, "parameter 2");
  throw new TypeError(`${prefix}: parameter 2 is neither a BufferSource nor a JsonWebKey.`);
}

/** The bytes of a key in a format, or its JsonWebKey. */
function exportSlots(format, slots) {
  const { name } = slots.algorithm;
  const definition = algorithmNamed(name, "exportKey");
  if (definition.parameters.exportKey === undefined) {
    throw new DOMException(`Keys for ${name} cannot be exported.`, "NotSupportedError");
  }
  if (!slots.extractable) throw new DOMException("The key is not extractable.", "InvalidAccessError");
  return definition.exportKey(format, slots);
}

// wrapKey and unwrapKey fall back to encrypting and decrypting.
function normalizeWrapping(identifier, method, fallback, prefix) {
  const operation = supports(identifier, method, prefix) ? method : fallback;
  const normalized = normalizeAlgorithm(identifier, operation, prefix);
  normalized.run = normalized.definition[operation];
  return normalized;
}

class SubtleCrypto {
  #brand;
  constructor(token = undefined) {
    if (token !== internal) throw new TypeError("Illegal constructor");
  }

  static {
    requireSubtle = (value) => {
      if (typeof value !== "object" || value === null || !(#brand in value)) throw illegalInvocation();
    };
  }

  encrypt(algorithm, key, data) {
    return promiseOf(() => {
      const prefix = begin(this, "encrypt", arguments.length, 3);
      return transform(prefix, "encrypt", algorithm, key, data);
    });
  }

  decrypt(algorithm, key, data) {
    return promiseOf(() => {
      const prefix = begin(this, "decrypt", arguments.length, 3);
      return transform(prefix, "decrypt", algorithm, key, data);
    });
  }

  sign(algorithm, key, data) {
    return promiseOf(() => {
      const prefix = begin(this, "sign", arguments.length, 3);
      return transform(prefix, "sign", algorithm, key, data);
    });
  }

  verify(algorithm, key, signature, data) {
    return promiseOf(() => {
      const prefix = begin(this, "verify", arguments.length, 4);
      const identifier = algorithmIdentifier(algorithm, prefix, "parameter 1");
      const slots = keyFrom(key, prefix, "parameter 2");
      const signatureBytes = bytesFrom(signature, identifier, prefix, "parameter 3");
      const bytes = bytesFrom(data, identifier, prefix, "parameter 4");
      const normalized = normalizeAlgorithm(identifier, "verify", prefix);
      requireUse(slots, normalized.name, "verify");
      return after(normalized.definition.verify(normalized, slots, signatureBytes, bytes), identity);
    });
  }

  digest(algorithm, data) {
    return promiseOf(() => {
      const prefix = begin(this, "digest", arguments.length, 2);
      const identifier = algorithmIdentifier(algorithm, prefix, "parameter 1");
      const bytes = bytesFrom(data, identifier, prefix, "parameter 2");
      const normalized = normalizeAlgorithm(identifier, "digest", prefix);
      return after(normalized.definition.digest(normalized, bytes), TypedArrayPrototypeGetBuffer);
    });
  }

  generateKey(algorithm, extractable, keyUsages) {
    return promiseOf(() => {
      const prefix = begin(this, "generateKey", arguments.length, 3);
      const identifier = algorithmIdentifier(algorithm, prefix, "parameter 1");
      const usages = usagesFrom(keyUsages, prefix, "parameter 3");
      const normalized = normalizeAlgorithm(identifier, "generateKey", prefix);
      refuseInGlobalScope();
      return normalized.definition.generateKey(normalized, !!extractable, usages);
    });
  }

  deriveKey(algorithm, baseKey, derivedKeyType, extractable, keyUsages) {
    return promiseOf(() => {
      const prefix = begin(this, "deriveKey", arguments.length, 5);
      const identifier = algorithmIdentifier(algorithm, prefix, "parameter 1");
      const slots = keyFrom(baseKey, prefix, "parameter 2");
      const derivedIdentifier = algorithmIdentifier(derivedKeyType, prefix, "parameter 3");
      const usages = usagesFrom(keyUsages, prefix, "parameter 5");
      const normalized = normalizeAlgorithm(identifier, "deriveBits", prefix);
      const derived = normalizeAlgorithm(derivedIdentifier, "importKey", prefix);
      const derivedLength = normalizeAlgorithm(derivedIdentifier, "getKeyLength", prefix);
      requireUse(slots, normalized.name, "deriveKey");
      const length = derivedLength.definition.getKeyLength(derivedLength);
      return after(normalized.definition.deriveBits(normalized, slots, length),
        (secret) => derived.definition.importKey("raw", secret, derived, !!extractable, usages));
    });
  }

  deriveBits(algorithm, baseKey, length = null) {
    return promiseOf(() => {
      const prefix = begin(this, "deriveBits", arguments.length, 2);
      const identifier = algorithmIdentifier(algorithm, prefix, "parameter 1");
      const slots = keyFrom(baseKey, prefix, "parameter 2");
      const bits = length === null ? null : converters["unsigned long"](length, prefix, "parameter 3");
      const normalized = normalizeAlgorithm(identifier, "deriveBits", prefix);
      requireUse(slots, normalized.name, "deriveBits");
      return after(normalized.definition.deriveBits(normalized, slots, bits), TypedArrayPrototypeGetBuffer);
    });
  }

  importKey(format, keyData, algorithm, extractable, keyUsages) {
    return promiseOf(() => {
      const prefix = begin(this, "importKey", arguments.length, 5);
      const keyFormat = convertFormat(format, prefix, "parameter 1");
      const data = keyDataFrom(keyData, prefix);
      const identifier = algorithmIdentifier(algorithm, prefix, "parameter 3");
      const usages = usagesFrom(keyUsages, prefix, "parameter 5");
      const normalized = normalizeAlgorithm(identifier, "importKey", prefix);
      if (isBufferSource(data) === (keyFormat === "jwk")) {
        throw new TypeError(`${prefix}: parameter 2 is not what the format '${keyFormat}' needs.`);
      }
      const source = keyFormat === "jwk" ? data : copyBytes(data);
      return normalized.definition.importKey(keyFormat, source, normalized, !!extractable, usages);
    });
  }

  exportKey(format, key) {
    return promiseOf(() => {
      const prefix = begin(this, "exportKey", arguments.length, 2);
      const keyFormat = convertFormat(format, prefix, "parameter 1");
      const exported = exportSlots(keyFormat, keyFrom(key, prefix, "parameter 2"));
      return keyFormat === "jwk" ? exported : TypedArrayPrototypeGetBuffer(exported);
    });
  }

  wrapKey(format, key, wrappingKey, wrapAlgorithm) {
    return promiseOf(() => {
      const prefix = begin(this, "wrapKey", arguments.length, 4);
      const keyFormat = convertFormat(format, prefix, "parameter 1");
      const slots = keyFrom(key, prefix, "parameter 2");
      const wrappingSlots = keyFrom(wrappingKey, prefix, "parameter 3");
      const identifier = algorithmIdentifier(wrapAlgorithm, prefix, "parameter 4");
      const normalized = normalizeWrapping(identifier, "wrapKey", "encrypt", prefix);
      requireUse(wrappingSlots, normalized.name, "wrapKey");
      const exported = exportSlots(keyFormat, slots);
      const bytes = keyFormat === "jwk" ? serializeJwk(exported) : exported;
      return after(normalized.run(normalized, wrappingSlots, bytes), TypedArrayPrototypeGetBuffer);
    });
  }

  unwrapKey(format, wrappedKey, unwrappingKey, unwrapAlgorithm, unwrappedKeyAlgorithm, extractable, keyUsages) {
    return promiseOf(() => {
      const prefix = begin(this, "unwrapKey", arguments.length, 7);
      const keyFormat = convertFormat(format, prefix, "parameter 1");
      const bytes = copyBytes(converters.BufferSource(wrappedKey, prefix, "parameter 2"));
      const unwrappingSlots = keyFrom(unwrappingKey, prefix, "parameter 3");
      const identifier = algorithmIdentifier(unwrapAlgorithm, prefix, "parameter 4");
      const keyIdentifier = algorithmIdentifier(unwrappedKeyAlgorithm, prefix, "parameter 5");
      const usages = usagesFrom(keyUsages, prefix, "parameter 7");
      const normalized = normalizeWrapping(identifier, "unwrapKey", "decrypt", prefix);
      const keyAlgorithm = normalizeAlgorithm(keyIdentifier, "importKey", prefix);
      requireUse(unwrappingSlots, normalized.name, "unwrapKey");
      return after(normalized.run(normalized, unwrappingSlots, bytes), (unwrapped) => {
        const data = keyFormat === "jwk" ? parseJwk(unwrapped) : unwrapped;
        return keyAlgorithm.definition.importKey(keyFormat, data, keyAlgorithm, !!extractable, usages);
      });
    });
  }

  timingSafeEqual(a, b) {
    const prefix = begin(this, "timingSafeEqual", arguments.length, 2);
    const first = bytesOf(converters.BufferSource(a, prefix, "parameter 1"));
    const second = bytesOf(converters.BufferSource(b, prefix, "parameter 2"));
    if (TypedArrayPrototypeGetByteLength(first) !== TypedArrayPrototypeGetByteLength(second)) {
      throw new TypeError("Input buffers must have the same byte length.");
    }
    return ops.timingSafeEqual(first, second);
  }
}
defineInterface(SubtleCrypto);

provide({ SubtleCrypto, subtle: new SubtleCrypto(internal) });
