// Workers KV: a namespace as `env` has it. Needs the ops, in which b is the place of the binding
//   kvGet(b, key) -> ticket of null or [bytes, metadata or null]
//   kvGetMany(b, keys) -> ticket of [bytes or null, metadata or null, ...], in the order of the keys
//   kvPut(b, key, value, expiration or null, timeToLive or null, metadata or null) -> ticket; value: a string or bytes
//   kvDelete(b, key) -> ticket
//   kvList(b, prefix, limit, cursor) -> ticket of bytes: JSON, the result of list()
// Metadata is JSON text. What the ops throw names the operation: "KV GET failed: 414 ...".
const {
  ArrayBufferIsView, ArrayIsArray, Error, JSONParse, JSONStringify, Map, MapPrototypeSet, NumberIsInteger,
  PromiseReject, TypeError, TypedArrayPrototypeGetBuffer,
} = primordials;
const {
  converters, defineInterface, dictionary, illegalInvocation, isArrayBuffer, nullable, requireArguments, sequence,
} = use("WebIDL/webidl");
const { bytesOf } = use("WebIDL/bufferSource");
const { expectTicket } = use("Core/tickets");
const { refuseInGlobalScope } = use("Core/scope");
const { defineRecord } = use("Core/records");
const { Deferred } = use("Streams/promises");
const { isReadableStream, readableObject, readableOf } = use("Streams/readableObjects");

const secret = {};
const leastCacheTime = 30;

const text = (bytes) => engine.utf8DecodeOwn(bytes, false);
const json = (bytes) => JSONParse(text(bytes));

const forms = {
  __proto__: null,
  text,
  json,
  arrayBuffer: (bytes) => TypedArrayPrototypeGetBuffer(bytes),
  stream: (bytes) => readableObject(use("FileAPI/blobStream").streamOfChunks([bytes])),
};

const toGetOptions = dictionary("KVNamespaceGetOptions", [
  { key: "cacheTtl", converter: converters["unrestricted double"] },
  { key: "type", converter: converters.DOMString },
]);

const toListOptions = dictionary("KVNamespaceListOptions", [
  { key: "cursor", converter: nullable(converters.USVString) },
  { key: "limit", converter: nullable(converters["unrestricted double"]) },
  { key: "prefix", converter: nullable(converters.USVString) },
]);

const toPutOptions = dictionary("KVNamespacePutOptions", [
  { key: "expiration", converter: nullable(converters["unrestricted double"]) },
  { key: "expirationTtl", converter: nullable(converters["unrestricted double"]) },
  { key: "metadata", converter: converters.any },
]);

/** Settles a promise with what becomes of a ticket's result, which no tenant has seen yet. */
class Waiter {
  constructor(convert) {
    this.deferred = new Deferred();
    this.convert = convert;
  }

  resolve(result) {
    let value;
    try {
      value = this.convert(result);
    } catch (error) {
      this.reject(error);
      return;
    }
    this.deferred.resolve(value);
  }

  reject(error) { this.deferred.reject(error); }
}
defineRecord(Waiter);

function promiseFor(ticket, convert) {
  const waiter = new Waiter(convert);
  expectTicket(ticket, waiter);
  return waiter.deferred.promise;
}

const nothing = () => {};

/** The type and the cache time of a get's second argument, which may be the type alone. */
function formOf(options, prefix, forMany) {
  const { type = "text", cacheTtl } =
    typeof options === "string" ? { __proto__: null, type: options } : toGetOptions(options, prefix, "parameter 2");
  if (cacheTtl !== undefined && !(cacheTtl >= leastCacheTime)) {
    throw new Error(
      `KV GET failed: 400 Invalid cache_ttl of ${cacheTtl}. Cache TTL must be at least ${leastCacheTime}.`);
  }
  const form = forms[type];
  if (form === undefined) {
    throw new TypeError("Unknown response type. Possible types are \"text\", \"arrayBuffer\", \"json\", and "
      + "\"stream\".");
  }
  if (forMany && type !== "text" && type !== "json") {
    throw new Error(`KV GET_BULK failed: 400 "${type}" is not a valid type. Use "json" or "text"`);
  }
  return form;
}

const metadataOf = (metadata) => metadata === null ? null : JSONParse(metadata);

const toKeys = sequence(converters.USVString);

/** One value or, of a list of keys, a Map. `convert` gets the bytes, or null, and the metadata. */
function get(binding, key, options, prefix, convert) {
  if (!ArrayIsArray(key)) {
    const form = formOf(options, prefix, false), name = converters.USVString(key, prefix, "parameter 1");
    return promiseFor(ops.kvGet(binding, name), (found) =>
      found === null ? convert(null, null) : convert(form(found[0]), metadataOf(found[1])));
  }
  const form = formOf(options, prefix, true), keys = toKeys(key, prefix, "parameter 1");
  return promiseFor(ops.kvGetMany(binding, keys), (found) => {
    const result = new Map();
    for (let i = 0; i < keys.length; i++) {
      const bytes = found[2 * i];
      MapPrototypeSet(result, keys[i], convert(bytes === null ? null : form(bytes), metadataOf(found[2 * i + 1])));
    }
    return result;
  });
}

const valueAlone = (value) => value;
const valueAndMetadata = (value, metadata) => ({ value, metadata, cacheStatus: null });

/** A value in the form that the op takes, or the record of a stream whose bytes are it. */
function valueOf(value, prefix) {
  if (typeof value === "string") return value;
  if (typeof value !== "object" || value === null) return converters.USVString(value, prefix, "parameter 2");
  if (ArrayBufferIsView(value) || isArrayBuffer(value)) return bytesOf(value);
  if (isReadableStream(value)) return value;
  throw new TypeError("KV put() accepts only strings, ArrayBuffers, ArrayBufferViews, and ReadableStreams as values.");
}

function requireInteger(value, name) {
  if (value === null || value === undefined) return null;
  if (!NumberIsInteger(value) || value <= 0) {
    throw new Error(`KV PUT failed: 400 Invalid ${name} of ${value}. Please specify integer greater than 0.`);
  }
  return value;
}

function put(binding, key, value, options, prefix) {
  const name = converters.USVString(key, prefix, "parameter 1"), data = valueOf(value, prefix);
  const given = toPutOptions(options, prefix, "parameter 3");
  const expiration = requireInteger(given.expiration, "expiration");
  const timeToLive = requireInteger(given.expirationTtl, "expiration_ttl");
  const metadata = given.metadata === undefined || given.metadata === null ? null : JSONStringify(given.metadata);
  const send = (bytes) => ops.kvPut(binding, name, bytes, expiration, timeToLive, metadata ?? null);
  if (!isReadableStream(data)) return promiseFor(send(data), nothing);
  const stream = readableOf(data), deferred = new Deferred();
  if (stream.isDisturbed || stream.isLocked()) {
    throw new TypeError("This ReadableStream was read from already, or is locked to a reader.");
  }
  use("Fetch/bodyReader").readAllBytes(
    stream,
    (bytes) => {
      try {
        expectTicket(send(bytes), deferred);
      } catch (error) {
        deferred.reject(error);
      }
    },
    (error) => deferred.reject(error),
  );
  return deferred.promise;
}

function list(binding, options, prefix) {
  const given = toListOptions(options, prefix, "parameter 1"), limit = given.limit ?? 1000;
  if (!NumberIsInteger(limit) || limit < 1) {
    throw new Error(
      `KV GET failed: 400 Invalid key_count_limit of ${limit}. Please specify an integer greater than 0.`);
  }
  return promiseFor(ops.kvList(binding, given.prefix ?? "", limit, given.cursor ?? ""), json);
}

class KvNamespace {
  #binding;

  constructor(key, binding) {
    if (key !== secret) throw new TypeError("Illegal constructor");
    this.#binding = binding;
  }

  static #call(object, method, count, required, operation) {
    try {
      if (typeof object !== "object" || object === null || !(#binding in object)) throw illegalInvocation();
      const prefix = `Failed to execute '${method}' on 'KvNamespace'`;
      requireArguments(count, required, prefix);
      refuseInGlobalScope();
      return operation(object.#binding, prefix);
    } catch (error) {
      return PromiseReject(error);
    }
  }

  get(key, options = undefined) {
    return KvNamespace.#call(this, "get", arguments.length, 1,
      (binding, prefix) => get(binding, key, options, prefix, valueAlone));
  }

  getWithMetadata(key, options = undefined) {
    return KvNamespace.#call(this, "getWithMetadata", arguments.length, 1,
      (binding, prefix) => get(binding, key, options, prefix, valueAndMetadata));
  }

  put(key, value, options = undefined) {
    return KvNamespace.#call(this, "put", arguments.length, 2,
      (binding, prefix) => put(binding, key, value, options, prefix));
  }

  delete(key) {
    return KvNamespace.#call(this, "delete", arguments.length, 1,
      (binding, prefix) =>
        promiseFor(ops.kvDelete(binding, converters.USVString(key, prefix, "parameter 1")), nothing));
  }

  list(options = undefined) {
    return KvNamespace.#call(this, "list", arguments.length, 0,
      (binding, prefix) => list(binding, options, prefix));
  }
}
defineInterface(KvNamespace);

const createNamespace = (binding) => new KvNamespace(secret, binding);

provide({ createNamespace });
