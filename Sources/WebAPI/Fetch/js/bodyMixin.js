// Fetch Standard, section 5.3: the Body mixin. Bytes that are at hand are converted at once; only what has to be
// waited for goes through more than the one promise.
const {
  ArrayBufferPrototypeGetByteLength, JSONParse, ObjectDefineProperty, Promise, PromisePrototypeThen, PromiseReject,
  PromiseResolve, ReflectGetOwnPropertyDescriptor, ReflectOwnKeys, StringPrototypeSlice, TypeError,
  TypedArrayPrototypeGetBuffer, TypedArrayPrototypeGetByteLength, Uint8Array,
} = primordials;
const { copyBytes } = use("WebIDL/bufferSource");
const { ticketPromise } = use("Core/tickets");
const { isBlob, makeBlob, utf8Decode, utf8DecodeOwn } = use("FileAPI/blob");
const { makeFormData } = use("XHR/formdata");
const { parseFormURLEncodedBytes } = use("URL/formURLEncoded");
const { getHeader } = use("Fetch/headers");
const {
  bodyOf, bodyStreamObject, bytesOfSource, isBodyUsed, requireUsable, streamOf, takeBodyId, usedBody,
} = use("Fetch/body");

/**
 * "Consume body": a promise of what `convert(bytes, isOwner, holder)` makes of the bytes, where isOwner says that
 * nobody else has them. May throw.
 */
function consume(holder, convert) {
  if (holder.body === null) return PromiseResolve(convert(new Uint8Array(0), true, holder));
  const body = bodyOf(holder);
  requireUsable(body);
  const bodyId = takeBodyId(body);
  if (bodyId !== 0) return consumeHostBody(bodyId, holder, convert);
  if (body.stream !== null) return consumeStream(body.stream, holder, convert);
  body.isUsed = true;
  const { source, isShared } = body;
  body.source = null;
  return PromiseResolve(convert(bytesOfSource(source), !isShared && !isBlob(source), holder));
}

function consumeHostBody(bodyId, holder, convert) {
  const result = ops.bodyReadAll(bodyId);
  return typeof result === "number" ? convertLater(result, holder, convert)
    : PromiseResolve(convert(result, true, holder));
}

function convertLater(ticket, holder, convert) {
  return PromisePrototypeThen(ticketPromise(ticket), (bytes) => convert(bytes, true, holder));
}

function consumeStream(stream, holder, convert) {
  return new Promise((resolve, reject) => {
    use("Fetch/bodyReader").readAllBytes(stream, (bytes) => {
      try {
        resolve(convert(bytes, true, holder));
      } catch (error) {
        reject(error);
      }
    }, reject);
  });
}

// The text of a string body, as if it had been encoded and decoded: well-formed, without a byte order mark.
function takeText(holder) {
  const text = engine.toWellFormed(holder.body);
  holder.body = usedBody();
  return text !== "" && text[0] === "\uFEFF" ? StringPrototypeSlice(text, 1) : text;
}

const ownBytes = (bytes, isOwner) => (isOwner ? bytes : copyBytes(bytes));
const textOfBytes = (bytes, isOwner) => (isOwner ? utf8DecodeOwn(bytes) : utf8Decode(bytes));
const jsonOfBytes = (bytes, isOwner) => JSONParse(textOfBytes(bytes, isOwner));
const formOfBytes = (bytes) => makeFormData(parseFormURLEncodedBytes(bytes));

function failWithoutType() {
  throw new TypeError("Parsing a Body as FormData requires a Content-Type header.");
}

function failForType() {
  throw new TypeError("Unrecognized Content-Type header value. FormData can only parse the following MIME types: "
    + "multipart/form-data, application/x-www-form-urlencoded.");
}

function bufferOfBytes(bytes, isOwner) {
  const buffer = TypedArrayPrototypeGetBuffer(bytes);
  const isWhole = ArrayBufferPrototypeGetByteLength(buffer) === TypedArrayPrototypeGetByteLength(bytes);
  return isOwner && isWhole ? buffer : TypedArrayPrototypeGetBuffer(copyBytes(bytes));
}

/**
 * Gives the mixin's members to a class. `holderOf(object)` gives what has its body, `headerListOf(holder)` its
 * headers.
 */
function defineBodyMixin(Class, holderOf, headerListOf) {
  const mimeTypeOf = (holder) => use("Fetch/mime").extractMIMEType(getHeader(headerListOf(holder), "content-type"));

  function blobOfBytes(bytes, isOwner, holder) {
    const mimeType = mimeTypeOf(holder), size = TypedArrayPrototypeGetByteLength(bytes);
    return makeBlob([bytes], size, mimeType === null ? "" : use("Fetch/mime").serializeMIMEType(mimeType));
  }

  function formData(holder) {
    const mimeType = mimeTypeOf(holder);
    if (mimeType === null) return consume(holder, failWithoutType);
    if (mimeType.essence === "application/x-www-form-urlencoded") return consume(holder, formOfBytes);
    if (mimeType.essence === "multipart/form-data") return multipartForm(holder, mimeType);
    return consume(holder, failForType);
  }

  const members = {
    get body() { return bodyStreamObject(holderOf(this)); },
    get bodyUsed() { return isBodyUsed(holderOf(this)); },
    arrayBuffer() { return promised(consume, this, bufferOfBytes); },
    blob() { return promised(consume, this, blobOfBytes); },
    bytes() { return promised(consume, this, ownBytes); },
    formData() { return promised(formData, this, undefined); },
    json() { return promised(json, this, undefined); },
    text() { return promised(text, this, undefined); },
  };
  function promised(run, object, convert) {
    try {
      return run(holderOf(object), convert);
    } catch (error) {
      return PromiseReject(error);
    }
  }
  const names = ReflectOwnKeys(members);
  for (let i = 0; i < names.length; i++) {
    ObjectDefineProperty(Class.prototype, names[i], ReflectGetOwnPropertyDescriptor(members, names[i]));
  }
}

function text(holder) {
  return typeof holder.body === "string" ? PromiseResolve(takeText(holder)) : consume(holder, textOfBytes);
}

function json(holder) {
  return typeof holder.body === "string" ? PromiseResolve(JSONParse(takeText(holder))) : consume(holder, jsonOfBytes);
}

// The parser takes what is in memory at once, and a stream or what the host has in pieces, as they come in.
function multipartForm(holder, mimeType) {
  const boundary = use("Fetch/mime").mimeParameter(mimeType, "boundary");
  if (boundary === undefined) {
    throw new TypeError("No boundary string in Content-Type header. The multipart/form-data MIME type requires a "
      + "boundary parameter, e.g. 'Content-Type: multipart/form-data; boundary=\"abcd\"'. See RFC 7578, section 4.");
  }
  const parser = new (use("Fetch/multipart").MultipartParser)(boundary);
  const finish = () => makeFormData(parser.finish());
  const body = holder.body === null ? null : bodyOf(holder);
  if (body === null || (body.stream === null && body.bodyId === 0)) {
    return consume(holder, (bytes) => {
      parser.feed(bytes);
      return finish();
    });
  }
  requireUsable(body);
  return new Promise((resolve, reject) => {
    use("Fetch/bodyReader").readChunks(streamOf(body), {
      __proto__: null,
      chunk(bytes, isOwner) { parser.feed(ownBytes(bytes, isOwner)); },
      end() {
        try {
          resolve(finish());
        } catch (error) {
          reject(error);
        }
      },
      fail: reject,
    });
  });
}

provide({ defineBodyMixin });
