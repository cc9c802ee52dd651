// Fetch Standard, section 2.2.4: bodies. Requests and responses hold theirs as null, as a string as long as that is all
// there is to it, or as a Body record.
const { ArrayBufferIsView, TypeError, TypedArrayPrototypeGetByteLength } = primordials;
const { converters, isArrayBuffer } = use("WebIDL/webidl");
const { copyBytes } = use("WebIDL/bufferSource");
const { isURLSearchParams, listOf } = use("URL/urlSearchParams");
const { serializeFormURLEncoded } = use("URL/formURLEncoded");
const { blobBytes, blobParts, blobSize, blobType, isBlob } = use("FileAPI/blob");
const { entryListOf, isFormData } = use("XHR/formdata");
const { defineRecord } = use("Core/records");
const { acquireDefaultReader } = use("Streams/readers");
const { isReadableStream, readableObject, readableOf } = use("Streams/readableObjects");

const textType = "text/plain;charset=UTF-8";
const formType = "application/x-www-form-urlencoded;charset=UTF-8";

class Body {
  constructor(source, stream, type) {
    // A string, a Uint8Array of the body's own, a Blob, or null for what only the stream or the host has.
    this.source = source;
    // The stream's record, made when somebody asks for it.
    this.stream = stream;
    // The Content-Type that goes with it, or null.
    this.type = type;
    // The number of a body that the host holds and nobody has asked for, or 0.
    this.bodyId = 0;
    this.isUsed = false;
    // Whether a clone has the same source.
    this.isShared = false;
  }
}
defineRecord(Body);

/** A body that the host holds; null for number 0. */
function hostBody(bodyId) {
  if (bodyId === 0) return null;
  const body = new Body(null, null, null);
  body.bodyId = bodyId;
  return body;
}

/** "Extract a body" from a BodyInit that is not null: a string or a Body. */
function extractBody(value, prefix, context) {
  if (typeof value === "string") return value;
  if (typeof value !== "object" || value === null) return converters.USVString(value, prefix, context);
  if (isReadableStream(value)) return streamBody(value);
  if (isBlob(value)) return new Body(value, null, blobType(value) || null);
  if (isURLSearchParams(value)) return new Body(serializeFormURLEncoded(listOf(value)), null, formType);
  if (isFormData(value)) {
    const { blob, type } = use("Fetch/multipart").serializeMultipart(entryListOf(value));
    return new Body(blob, null, type);
  }
  if (ArrayBufferIsView(value) || isArrayBuffer(value)) return new Body(copyBytes(value), null, null);
  return converters.USVString(value, prefix, context);
}

function streamBody(object) {
  const stream = readableOf(object);
  if (stream.isDisturbed) {
    throw new TypeError("This ReadableStream is disturbed (has already been read from), and cannot be used as a body.");
  }
  if (stream.isLocked()) throw new TypeError("This ReadableStream is currently locked to a reader.");
  return new Body(null, stream, null);
}

/** The Content-Type of what extractBody() gave, or null. */
function typeOfBody(body) {
  return typeof body === "string" ? textType : body.type;
}

/** Whether a body is known to have no bytes without being a stream, as a status without body allows. */
function isEmptyBuffer(body) {
  if (typeof body === "string") return body === "";
  const source = body.source;
  if (source === null || typeof source === "string" || isBlob(source)) return false;
  return TypedArrayPrototypeGetByteLength(source) === 0;
}

/** The Body record of a request or response that has a body. */
function bodyOf(holder) {
  const body = holder.body;
  return typeof body === "string" ? holder.body = new Body(body, null, null) : body;
}

function usedBody() {
  const body = new Body(null, null, null);
  body.isUsed = true;
  return body;
}

/** Whether the body of a request or response was read from. */
function isBodyUsed(holder) {
  const body = holder.body;
  if (body === null || typeof body === "string") return false;
  return body.isUsed || (body.stream !== null && body.stream.isDisturbed);
}

const usedError = () => new TypeError(
  "Body has already been used. It can only be used once. Use tee() first if you need to read it twice.");

/** Throws if a body is used or locked. */
function requireUsable(body) {
  const stream = body.stream;
  if (body.isUsed || (stream !== null && stream.isDisturbed)) throw usedError();
  if (stream !== null && stream.isLocked()) throw new TypeError("This ReadableStream is currently locked to a reader.");
}

/** The record of a body's stream. That of a used body is locked. */
function streamOf(body) {
  if (body.stream !== null) return body.stream;
  if (body.isUsed) {
    body.stream = use("FileAPI/blobStream").streamOfChunks([]);
    lock(body.stream);
  } else if (body.bodyId !== 0) {
    body.stream = use("Streams/hostBody").createHostBodyStream(body.bodyId);
    body.bodyId = 0;
  } else {
    body.stream = use("FileAPI/blobStream").streamOfChunks(chunksOf(body.source));
  }
  return body.stream;
}

function lock(stream) {
  acquireDefaultReader(stream);
  stream.isDisturbed = true;
}

/** The ReadableStream of a request or response, or null. */
function bodyStreamObject(holder) {
  return holder.body === null ? null : readableObject(streamOf(bodyOf(holder)));
}

function chunksOf(source) {
  if (typeof source === "string") return source === "" ? [] : [engine.utf8Encode(source)];
  return isBlob(source) ? blobParts(source) : [source];
}

/** All bytes of a source. They may be a Blob's or, if it is shared, those of a clone. */
function bytesOfSource(source) {
  if (typeof source === "string") return engine.utf8Encode(source);
  return isBlob(source) ? blobBytes(source) : source;
}

/** Bytes of a source, -1 if there is none. */
function lengthOfSource(source) {
  if (source === null) return -1;
  if (typeof source === "string") return engine.utf8Length(source);
  return isBlob(source) ? blobSize(source) : TypedArrayPrototypeGetByteLength(source);
}

/**
 * Takes the number of a body that the host has in full, which nobody can read here any more then. 0 if it is no such
 * body.
 */
function takeBodyId(body) {
  const { bodyId, stream } = body;
  if (stream !== null) return stream.bodyId === undefined ? 0 : use("Streams/hostBody").takeBodyId(stream);
  if (bodyId === 0) return 0;
  body.bodyId = 0;
  body.isUsed = true;
  return bodyId;
}

/** The number of a body that the host has in full, which stays where it is; 0 if it is no such body. */
function hostBodyIdOf(body) {
  if (body.bodyId !== 0) return body.bodyId;
  return body.stream === null ? 0 : body.stream.bodyId ?? 0;
}

/** Errors a body of the host's, whoever reads it. */
function failHostBody(body, reason) {
  if (body.bodyId === 0 && body.stream === null) return;
  use("Streams/hostBody").failHostBody(streamOf(body), reason);
}

/** "Clone a body": gives the body of the clone. What is in memory is shared, a stream is teed. */
function cloneBody(holder) {
  if (holder.body === null || typeof holder.body === "string") return holder.body;
  const body = holder.body;
  requireUsable(body);
  if (body.source !== null && body.stream === null) {
    const clone = new Body(body.source, null, body.type);
    body.isShared = clone.isShared = true;
    return clone;
  }
  const { first, second } = use("Streams/tee").tee(streamOf(body), true);
  body.stream = first.stream;
  return new Body(body.source, second.stream, body.type);
}

/** Section 5.4, "create a proxy": gives the body to another request, after which it counts as used here. */
function moveBody(holder) {
  const body = holder.body;
  if (body === null) return null;
  if (typeof body === "string") {
    holder.body = usedBody();
    return body;
  }
  if (isBodyUsed(holder)) throw new TypeError("Cannot reconstruct a Request with a used body.");
  requireUsable(body);
  const moved = new Body(body.source, null, body.type);
  moved.isShared = body.isShared;
  moved.bodyId = takeBodyId(body);
  if (body.stream !== null && moved.bodyId === 0) {
    if (body.source === null) moved.stream = use("Fetch/bodyReader").proxyStream(body.stream);
    else lock(body.stream);
  }
  body.isUsed = true;
  body.source = null;
  return moved;
}

provide({
  Body, bodyOf, bodyStreamObject, bytesOfSource, cloneBody, extractBody, failHostBody, hostBody, hostBodyIdOf,
  isBodyUsed, isEmptyBuffer, lengthOfSource, moveBody, requireUsable, streamOf, takeBodyId, typeOfBody, usedBody,
  usedError,
});
