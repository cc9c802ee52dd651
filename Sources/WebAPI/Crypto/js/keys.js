// Web Cryptography API, section 13: CryptoKey, its usages and what guards its use.
const {
  ArrayPrototypePush, ObjectSetPrototypeOf, TypeError, Uint8Array,
} = primordials;
const { defineInterface, enumeration, illegalInvocation, interfaceConverter, sequence } = use("WebIDL/webidl");
const { DOMException } = use("DOM/exception");
const { registerSerializable } = use("HTML/serializable");

// Usages are kept as the bits of one number, in the standard's order, which is also the order they are shown in.
const usageNames = [
  "encrypt", "decrypt", "sign", "verify", "deriveKey", "deriveBits", "wrapKey", "unwrapKey",
];
const usageBits = { __proto__: null };
for (let i = 0; i < usageNames.length; i++) usageBits[usageNames[i]] = 1 << i;

const convertUsages = sequence(enumeration("KeyUsage", usageNames));

/** The conversion of a sequence<KeyUsage>, to bits. */
function usagesFrom(V, prefix, context) {
  return usagesOf(convertUsages(V, prefix, context));
}

/** The bits of usage names; names that are no usages count for nothing. */
function usagesOf(names) {
  let usages = 0;
  for (let i = 0; i < names.length; i++) usages |= usageBits[names[i]] ?? 0;
  return usages;
}

function namesOfUsages(usages) {
  const names = [];
  for (let i = 0; i < usageNames.length; i++) {
    if (usages & (1 << i)) ArrayPrototypePush(names, usageNames[i]);
  }
  return names;
}

let slotsOf, isCryptoKey, makeKey;
const internal = { __proto__: null };

// Its slots: { type, extractable, algorithm, usages (bits), material } and what its getters have shown already.
class CryptoKey {
  #slots;
  constructor(token = undefined, slots = undefined) {
    if (token !== internal) throw new TypeError("Illegal constructor");
    this.#slots = slots;
  }
  get type() { return slotsOf(this).type; }
  get extractable() { return slotsOf(this).extractable; }
  get algorithm() {
    const slots = slotsOf(this);
    return slots.shownAlgorithm ??= shownAlgorithm(slots.algorithm);
  }
  get usages() {
    const slots = slotsOf(this);
    return slots.shownUsages ??= namesOfUsages(slots.usages);
  }

  static {
    isCryptoKey = (value) => #slots in value;
    slotsOf = (key) => {
      if (typeof key !== "object" || key === null || !(#slots in key)) throw illegalInvocation();
      return key.#slots;
    };
    makeKey = (slots) => new CryptoKey(internal, slots);
  }
}
defineInterface(CryptoKey);

/**
 * A new key. `algorithm` is { name, and as the algorithm has it: length, hash (a name), namedCurve, modulusLength,
 * publicExponent }; `material` is what the algorithm's operations work on.
 */
function createKey(type, extractable, algorithm, usages, material) {
  ObjectSetPrototypeOf(algorithm, null);
  return makeKey({
    __proto__: null, type, extractable, algorithm, usages, material, shownAlgorithm: undefined, shownUsages: undefined,
  });
}

/** A key that may not lack usages, as secret and private keys may not. */
function createUsableKey(type, extractable, algorithm, usages, material) {
  if (usages === 0) throw new DOMException("Usages cannot be empty when creating a key.", "SyntaxError");
  return createKey(type, extractable, algorithm, usages, material);
}

function createKeyPair(algorithm, extractable, publicUsages, publicMaterial, privateUsages, privateMaterial) {
  const privateKey = createUsableKey("private", extractable, algorithm, privateUsages, privateMaterial);
  return { publicKey: createKey("public", true, algorithm, publicUsages, publicMaterial), privateKey };
}

// Section 14: the KeyAlgorithm dictionaries, as objects of the tenant's own.
function shownAlgorithm({ name, length, hash, namedCurve, modulusLength, publicExponent }) {
  const shown = { __proto__: null, name };
  if (modulusLength !== undefined) {
    shown.modulusLength = modulusLength;
    shown.publicExponent = new Uint8Array(publicExponent);
  }
  if (namedCurve !== undefined) shown.namedCurve = namedCurve;
  if (hash !== undefined) shown.hash = { name: hash };
  if (length !== undefined) shown.length = length;
  return { ...shown };
}

const convertKey = interfaceConverter("CryptoKey", isCryptoKey);

/** The conversion of a CryptoKey, to its slots. */
function keyFrom(V, prefix, context) {
  return slotsOf(convertKey(V, prefix, context));
}

/** Throws SyntaxError if there are usages beyond those that the kind of key allows. */
function requireUsages(usages, allowed) {
  if (usages & ~allowed) throw new DOMException("Unsupported key usage for this kind of key.", "SyntaxError");
}

function requireType(key, type) {
  if (key.type === type) return;
  throw new DOMException(`The operation needs a ${type} key, but this is a ${key.type} one.`, "InvalidAccessError");
}

/** Throws InvalidAccessError unless the key is of the algorithm and may be used in this way. */
function requireUse(key, algorithmName, usage) {
  if (key.algorithm.name !== algorithmName) {
    throw new DOMException(`The key is for ${key.algorithm.name}, not for ${algorithmName}.`, "InvalidAccessError");
  }
  if (!(key.usages & usageBits[usage])) {
    throw new DOMException(`The key's usages do not permit '${usage}'.`, "InvalidAccessError");
  }
}

registerSerializable(CryptoKey, {
  __proto__: null,
  isInstance: isCryptoKey,
  clone(key) {
    const { type, extractable, algorithm, usages, material } = slotsOf(key);
    return createKey(type, extractable, algorithm, usages, material);
  },
});

provide({
  CryptoKey, createKey, createKeyPair, createUsableKey, keyFrom, namesOfUsages, requireType, requireUsages, requireUse,
  slotsOf, usageBits, usagesFrom, usagesOf,
});
