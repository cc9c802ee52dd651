// Workers' Cache API: caches.default, caches.open(name), and put(), match() and delete() of a Cache. The host stores,
// and answers like an origin; each operation is a subrequest. Needs, besides those of fetch() (see Fetch/fetch), the op
//   fetchStart(operation, url, headers, body, length, false, cache), where the operation is MATCH, PUT or DELETE and
//     `cache` a list of strings: what opens the cache ("default", or "named" and the name), then, for PUT, the
//     response's status and reason, and the names in its Vary with the request's values. The reason of the answer says
//     how it went: "hit" and the stored reason, "miss", "stored", "refused" or "deleted".
const {
  ArrayPrototypePush, StringPrototypeIndexOf, StringPrototypeSlice, StringPrototypeStartsWith,
  StringPrototypeToLowerCase, StringPrototypeTrim, TypeError,
} = primordials;
const { converters, defineInterface, illegalInvocation, requireArguments } = use("WebIDL/webidl");
const { expectTicket, rejectTicket } = use("Core/tickets");
const { defineRecord } = use("Core/records");
const { refuseInGlobalScope } = use("Core/scope");
const { serializeURL } = use("URL/url");
const { Deferred } = use("Streams/promises");
const { getHeader } = use("Fetch/headers");
const { bytesOfSource, requireUsable, takeBodyId } = use("Fetch/body");
const { Uploader } = use("Fetch/fetch");
const { Request, headerListOf, isRequest, methodOf, requestInnerOf, urlRecordOf } = use("Fetch/request");
const { isResponse, makeHostResponse, responseInnerOf } = use("Fetch/response");

const secret = {};

/** One operation under way. */
class Operation {
  constructor() {
    this.deferred = new Deferred();
    this.ticket = 0;
    this.uploader = null;
  }

  start(name, url, headerList, source, stream, details) {
    let headers = "";
    for (let i = 0; i < headerList.length; i += 2) headers += `${headerList[i]}: ${headerList[i + 1]}\r\n`;
    const length = stream === null ? -1 : stream.byteLength ?? -1;
    this.ticket = ops.fetchStart(name, url, headers, stream === null ? source : true, length, false, details);
    expectTicket(this.ticket, this);
    if (stream === null) return this.deferred.promise;
    this.uploader = new Uploader(this, stream);
    use("Fetch/bodyReader").readChunks(stream, this.uploader);
    return this.deferred.promise;
  }

  resolve(answer) { this.deferred.resolve(answer); }

  reject(error) {
    if (this.uploader !== null) this.uploader.stop(error);
    this.deferred.reject(error);
  }

  /** The body that was to be stored has failed. */
  terminate(reason) {
    const waiting = ops.fetchAbort(this.ticket);
    if (waiting !== 0) rejectTicket(waiting, reason);
  }
}
defineRecord(Operation);

function requestOf(input, prefix) {
  const inner = requestInnerOf(isRequest(input) ? input : new Request(input));
  const { scheme } = urlRecordOf(inner);
  if (scheme !== "http" && scheme !== "https") {
    throw new TypeError(`${prefix}: The URL's scheme is '${scheme}:'; only HTTP has caches.`);
  }
  return inner;
}

const urlOf = (inner) => serializeURL(urlRecordOf(inner), true);

function ignoresMethod(options, prefix) {
  if (options === undefined || options === null) return false;
  const dictionary = converters.object(options, prefix, "parameter 2");
  return dictionary.ignoreMethod !== undefined && !!dictionary.ignoreMethod;
}

// The names in a response's Vary, in lower case, each followed by what the request has there.
function appendVary(details, vary, headerList) {
  for (let start = 0, end = 0; end < vary.length; start = end + 1) {
    end = StringPrototypeIndexOf(vary, ",", start);
    if (end < 0) end = vary.length;
    const name = StringPrototypeToLowerCase(StringPrototypeTrim(StringPrototypeSlice(vary, start, end)));
    if (name === "*") throw new TypeError("Cannot cache response with 'Vary: *' header.");
    if (name !== "") ArrayPrototypePush(details, name, getHeader(headerList, name) ?? "");
  }
}

// Section "Cache.put": what Workers refuse by an exception. Null if there is nothing to store.
function responseDetails(opened, request, response) {
  if (methodOf(request) !== "GET") throw new TypeError("Cannot cache response to non-GET request.");
  const { status, statusText, headerList } = response;
  if (response.type === "error") throw new TypeError("Cache is unable to store an error response");
  if (status === 101) throw new TypeError("Cannot cache WebSocket upgrade response.");
  if (status === 206) throw new TypeError("Cannot cache response to a range request (206 Partial Content).");
  if (status === 304) {
    ops.log("warn", "Ignoring attempt to Cache.put() a 304 status response. 304 responses are not meaningful to cache, "
      + "and a potential source of bugs. Consider validating that the response status is meaningful to cache before "
      + "calling Cache.put().");
    return null;
  }
  const details = [opened[0], opened[1], `${status}`, statusText];
  const vary = getHeader(headerList, "vary");
  if (vary !== null) appendVary(details, vary, headerListOf(request));
  return details;
}

// The body goes into the cache without its coding.
function storedFields(inner) {
  const { headerList } = inner, result = [];
  for (let i = 0; i < headerList.length; i += 2) {
    if (headerList[i] === "content-encoding" && inner.extras?.encodeBody !== "manual") continue;
    ArrayPrototypePush(result, headerList[i], headerList[i + 1]);
  }
  return result;
}

// Code units of a cache's name, as in workerd.
const longestName = 1024;

let openCache;

class Cache {
  // What opens it: ["default", ""] or ["named", name].
  #opened;

  constructor(key, opened) {
    if (key !== secret) throw new TypeError("Illegal constructor");
    this.#opened = opened;
  }

  async match(request, options = undefined) {
    const prefix = "Failed to execute 'match' on 'Cache'";
    if (!(#opened in this)) throw illegalInvocation();
    requireArguments(arguments.length, 1, prefix);
    const opened = this.#opened, inner = requestOf(request, prefix);
    if (methodOf(inner) !== "GET" && !ignoresMethod(options, prefix)) return undefined;
    refuseInGlobalScope();
    const operation = new Operation(), url = urlOf(inner);
    const answer = await operation.start("MATCH", url, headerListOf(inner), null, null, opened);
    const reason = answer[1];
    if (!StringPrototypeStartsWith(reason, "hit")) return undefined;
    const headers = ops.fetchHeaders(operation.ticket);
    return makeHostResponse(answer[0], StringPrototypeSlice(reason, 4), headers, url, false, answer[2]);
  }

  async put(request, response) {
    const prefix = "Failed to execute 'put' on 'Cache'";
    if (!(#opened in this)) throw illegalInvocation();
    requireArguments(arguments.length, 2, prefix);
    const opened = this.#opened, inner = requestOf(request, prefix);
    if (!isResponse(response)) throw new TypeError(`${prefix}: parameter 2 is not of type 'Response'.`);
    const stored = responseInnerOf(response);
    const details = responseDetails(opened, inner, stored);
    if (details === null) return;
    refuseInGlobalScope();
    const { body } = stored, fields = storedFields(stored), url = urlOf(inner);
    let source = null, stream = null;
    if (typeof body === "string") {
      source = body;
      stored.body = use("Fetch/body").usedBody();
    } else if (body !== null) {
      requireUsable(body);
      const bodyId = takeBodyId(body);
      if (bodyId !== 0) source = bodyId;
      else if (body.stream !== null) stream = body.stream;
      else source = typeof body.source === "string" ? body.source : bytesOfSource(body.source);
      if (stream === null && bodyId === 0) {
        body.isUsed = true;
        body.source = null;
      }
    }
    await new Operation().start("PUT", url, fields, source, stream, details);
  }

  async delete(request, options = undefined) {
    const prefix = "Failed to execute 'delete' on 'Cache'";
    if (!(#opened in this)) throw illegalInvocation();
    requireArguments(arguments.length, 1, prefix);
    const opened = this.#opened, inner = requestOf(request, prefix);
    if (methodOf(inner) !== "GET" && !ignoresMethod(options, prefix)) return false;
    refuseInGlobalScope();
    const answer = await new Operation().start("DELETE", urlOf(inner), [], null, null, opened);
    return answer[1] === "deleted";
  }

  static { openCache = (opened) => new Cache(secret, opened); }
}
defineInterface(Cache);

class CacheStorage {
  #default = null;

  constructor(key) {
    if (key !== secret) throw new TypeError("Illegal constructor");
  }

  get default() {
    if (!(#default in this)) throw illegalInvocation();
    return this.#default ??= openCache(["default", ""]);
  }

  async open(cacheName) {
    const prefix = "Failed to execute 'open' on 'CacheStorage'";
    if (!(#default in this)) throw illegalInvocation();
    requireArguments(arguments.length, 1, prefix);
    const name = converters.DOMString(cacheName, prefix, "parameter 1");
    if (name.length >= longestName) throw new TypeError("Cache name is too long.");
    return openCache(["named", name]);
  }
}
defineInterface(CacheStorage);

provide({ Cache, CacheStorage, caches: new CacheStorage(secret) });
