// The Distinguished Encoding Rules of ASN.1, as far as keys need them: SubjectPublicKeyInfo (RFC 5280),
// PrivateKeyInfo (RFC 5208 and 5958), RSA keys (RFC 8017, appendix A.1) and ECPrivateKey (RFC 5915).
const {
  ArrayPrototypePush, TypedArrayPrototypeGetBuffer, TypedArrayPrototypeGetByteLength, TypedArrayPrototypeGetByteOffset,
  TypedArrayPrototypeSet, Uint8Array,
} = primordials;
const { defineRecord } = use("Core/records");
const { dataError } = use("Crypto/jwk");

const INTEGER = 0x02, BIT_STRING = 0x03, OCTET_STRING = 0x04, NULL = 0x05, OBJECT_IDENTIFIER = 0x06, SEQUENCE = 0x30;
const context = (number) => 0xa0 + number;

function malformed() {
  return dataError("The key data is malformed.");
}

/** A copy of some of the bytes. */
function slice(bytes, start, end) {
  return new Uint8Array(new Uint8Array(TypedArrayPrototypeGetBuffer(bytes),
    TypedArrayPrototypeGetByteOffset(bytes) + start, end - start));
}

function equalBytes(a, b) {
  const length = TypedArrayPrototypeGetByteLength(a);
  if (length !== TypedArrayPrototypeGetByteLength(b)) return false;
  for (let i = 0; i < length; i++) {
    if (a[i] !== b[i]) return false;
  }
  return true;
}

// Reads the elements between `position` and `end`; what is not DER throws a DataError.
class Reader {
  constructor(bytes, position = 0, end = TypedArrayPrototypeGetByteLength(bytes)) {
    this.bytes = bytes;
    this.position = position;
    this.end = end;
  }
  /** Whether the next element has a tag. */
  nextIs(tag) {
    return this.position < this.end && this.bytes[this.position] === tag;
  }
  /** The contents of the next element, which must have this tag. */
  enter(tag) {
    if (!this.nextIs(tag)) throw malformed();
    this.position++;
    const length = this.length();
    const start = this.position;
    if (length > this.end - start) throw malformed();
    this.position = start + length;
    return new Reader(this.bytes, start, this.position);
  }
  length() {
    if (this.position >= this.end) throw malformed();
    const first = this.bytes[this.position++];
    if (first < 0x80) return first;
    const count = first - 0x80;
    if (count === 0 || count > 4 || count > this.end - this.position) throw malformed();
    let length = 0;
    for (let i = 0; i < count; i++) length = length * 256 + this.bytes[this.position++];
    if (length < 0x80 || length < 256 ** (count - 1)) throw malformed();
    return length;
  }
  finish() {
    if (this.position !== this.end) throw malformed();
  }
  rest() {
    return slice(this.bytes, this.position, this.end);
  }
  octets() {
    return this.enter(OCTET_STRING).rest();
  }
  /** A BIT STRING of whole bytes. */
  bits() {
    const contents = this.enter(BIT_STRING);
    if (contents.position === contents.end || contents.bytes[contents.position++] !== 0) throw malformed();
    return contents.rest();
  }
  /** An INTEGER that is not negative, big-endian without leading zeros. */
  unsigned() {
    const contents = this.enter(INTEGER);
    if (contents.position === contents.end || contents.bytes[contents.position] >= 0x80) throw malformed();
    return withoutLeadingZeros(contents.rest());
  }
  smallInteger() {
    const bytes = this.unsigned();
    return TypedArrayPrototypeGetByteLength(bytes) === 1 ? bytes[0] : -1;
  }
}
defineRecord(Reader);

/** An unsigned big-endian integer in its shortest form; zero has one byte. */
function withoutLeadingZeros(bytes) {
  const length = TypedArrayPrototypeGetByteLength(bytes);
  let start = 0;
  while (start < length - 1 && bytes[start] === 0) start++;
  return start === 0 ? bytes : slice(bytes, start, length);
}

function element(tag, parts) {
  let length = 0;
  for (let i = 0; i < parts.length; i++) length += TypedArrayPrototypeGetByteLength(parts[i]);
  const lengthBytes = length < 0x80 ? 0 : length < 0x100 ? 1 : length < 0x10000 ? 2 : 3;
  const result = new Uint8Array(2 + lengthBytes + length);
  result[0] = tag;
  result[1] = lengthBytes === 0 ? length : 0x80 + lengthBytes;
  for (let i = 0; i < lengthBytes; i++) result[2 + i] = length >> (8 * (lengthBytes - 1 - i));
  for (let i = 0, offset = 2 + lengthBytes; i < parts.length; i++) {
    TypedArrayPrototypeSet(result, parts[i], offset);
    offset += TypedArrayPrototypeGetByteLength(parts[i]);
  }
  return result;
}

const zero = new Uint8Array(1);
const noBytes = new Uint8Array(0);

function integer(bytes) {
  const unsigned = withoutLeadingZeros(bytes);
  return element(INTEGER, [unsigned[0] >= 0x80 ? zero : noBytes, unsigned]);
}

function smallInteger(value) {
  const bytes = new Uint8Array(1);
  bytes[0] = value;
  return element(INTEGER, [bytes]);
}

const bitString = (bytes) => element(BIT_STRING, [zero, bytes]);

// Object identifiers are written as the one-byte characters of their contents.
const objectIdentifier = (oid) => element(OBJECT_IDENTIFIER, [engine.latin1Encode(oid)]);

// An AlgorithmIdentifier, { oid, parameters: the oid of a curve, null (NULL) or undefined (none) }.
function readAlgorithm(reader) {
  const contents = reader.enter(SEQUENCE);
  const oid = engine.latin1Decode(contents.enter(OBJECT_IDENTIFIER).rest());
  let parameters;
  if (contents.nextIs(NULL)) {
    contents.enter(NULL).finish();
    parameters = null;
  } else if (contents.position < contents.end) {
    parameters = engine.latin1Decode(contents.enter(OBJECT_IDENTIFIER).rest());
  }
  contents.finish();
  return { __proto__: null, oid, parameters };
}

function algorithm(oid, parameters) {
  const list = [objectIdentifier(oid)];
  if (parameters === null) ArrayPrototypePush(list, element(NULL, []));
  else if (parameters !== undefined) ArrayPrototypePush(list, objectIdentifier(parameters));
  return element(SEQUENCE, list);
}

/** { oid, parameters, key: the bytes of the BIT STRING } */
function readPublicKeyInfo(bytes) {
  const outer = new Reader(bytes);
  const info = outer.enter(SEQUENCE);
  outer.finish();
  const { oid, parameters } = readAlgorithm(info);
  const key = info.bits();
  info.finish();
  return { __proto__: null, oid, parameters, key };
}

function publicKeyInfo(oid, parameters, key) {
  return element(SEQUENCE, [algorithm(oid, parameters), bitString(key)]);
}

/** { oid, parameters, key: the bytes of the OCTET STRING } */
function readPrivateKeyInfo(bytes) {
  const outer = new Reader(bytes);
  const info = outer.enter(SEQUENCE);
  outer.finish();
  const version = info.smallInteger();
  if (version !== 0 && version !== 1) throw malformed();
  const { oid, parameters } = readAlgorithm(info);
  const key = info.octets();
  // Attributes and, in version 1, the public key.
  if (info.nextIs(context(0))) info.enter(context(0));
  if (version === 1 && info.nextIs(0x81)) info.enter(0x81);
  info.finish();
  return { __proto__: null, oid, parameters, key };
}

function privateKeyInfo(oid, parameters, key) {
  return element(SEQUENCE, [smallInteger(0), algorithm(oid, parameters), element(OCTET_STRING, [key])]);
}

/** The integers of an RSAPublicKey (n, e) or an RSAPrivateKey (n, e, d, p, q, dp, dq, qi). */
function readRsaKey(bytes, isPrivate) {
  const outer = new Reader(bytes);
  const contents = outer.enter(SEQUENCE);
  outer.finish();
  if (isPrivate && contents.smallInteger() !== 0) throw malformed();
  const integers = [];
  for (let i = 0; i < (isPrivate ? 8 : 2); i++) ArrayPrototypePush(integers, contents.unsigned());
  contents.finish();
  return integers;
}

function rsaKey(integers) {
  const list = integers.length === 2 ? [] : [smallInteger(0)];
  for (let i = 0; i < integers.length; i++) ArrayPrototypePush(list, integer(integers[i]));
  return element(SEQUENCE, list);
}

/** { scalar, curve: its oid or undefined, point: encoded, or undefined } */
function readEcPrivateKey(bytes) {
  const outer = new Reader(bytes);
  const contents = outer.enter(SEQUENCE);
  outer.finish();
  if (contents.smallInteger() !== 1) throw malformed();
  const scalar = contents.octets();
  let curve, point;
  if (contents.nextIs(context(0))) {
    const parameters = contents.enter(context(0));
    curve = engine.latin1Decode(parameters.enter(OBJECT_IDENTIFIER).rest());
    parameters.finish();
  }
  if (contents.nextIs(context(1))) {
    const publicKey = contents.enter(context(1));
    point = publicKey.bits();
    publicKey.finish();
  }
  contents.finish();
  return { __proto__: null, scalar, curve, point };
}

function ecPrivateKey(scalar, point) {
  return element(SEQUENCE, [
    smallInteger(1), element(OCTET_STRING, [scalar]), element(context(1), [bitString(point)]),
  ]);
}

/** An OCTET STRING and nothing else, as the private keys of RFC 8410 are. */
function readOctets(bytes) {
  const outer = new Reader(bytes);
  const octets = outer.octets();
  outer.finish();
  return octets;
}

const octetString = (bytes) => element(OCTET_STRING, [bytes]);

provide({
  ecPrivateKey, equalBytes, octetString, privateKeyInfo, publicKeyInfo, readEcPrivateKey, readOctets,
  readPrivateKeyInfo, readPublicKeyInfo, readRsaKey, rsaKey, slice, withoutLeadingZeros,
});
