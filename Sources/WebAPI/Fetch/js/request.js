// Fetch Standard, section 5.4: the Request class, with Workers' `cf`. Of an incoming request nothing is fetched from
// the host before it is asked for. Needs the ops, whose argument x is the number of the exchange,
//   requestMethod(x) -> string
//   requestURL(x) -> string, an absolute URL
//   requestHeaders(x) -> [name, value, name, value ...], names in lower case
//   requestBody(x) -> the number of the body, 0 if there is none
//   requestCF(x) -> string, JSON; or null if there is no `cf`
const { ArrayPrototypePush, JSONParse, StringPrototypeStartsWith, TypeError } = primordials;
const {
  converters, defineInterface, exposeGlobals, interfaceConverter, requireArguments, typeOf,
} = use("WebIDL/webidl");
const { isURL, parseURL, urlRecordOf: recordOfURL } = use("URL/url");
const { createDependentSignal } = use("DOM/abort");
const { resolveBlobURL } = use("FileAPI/blobURL");
const { copyList, hasHeader, headerListFrom, makeHeaders } = use("Fetch/headers");
const { cloneBody, extractBody, hostBody, isBodyUsed, moveBody, typeOfBody, usedError } = use("Fetch/body");
const { defineBodyMixin } = use("Fetch/bodyMixin");
const { parseAgainstBase } = use("Fetch/settings");
const {
  cacheMember, contextOf, defaultOptions, incomingOptions, methodMember, redirectMember, referrerMember, referrerPolicy,
  requestCredentials, requestDuplex, requestMode, requestPriority, requireSimpleMethod,
} = use("Fetch/requestInit");

const internal = {};
let innerOf, isRequest;

/**
 * Section 2.2.5: a request. All fields are there from the start, so that no lookup reaches a prototype.
 * Of an incoming one, `exchange` is its number, and what was not asked for yet is null (`body`: undefined; `cf`: the
 * exchange's number). `body` is null, a string or a Body. `signal` and `headers` are made when somebody asks for them;
 * until then `signalSource` tells what the signal follows: null, an AbortSignal or the number of an exchange.
 * `blob` is what a blob: URL meant when the request was made.
 */
function makeInner(exchange, method, url, urlRecord, headerList, body, options) {
  return {
    exchange, method, url, urlRecord, headerList, body, options, headers: null, hasImmutableHeaders: false,
    signal: null, signalSource: null, cf: undefined, blob: null,
  };
}

function incomingInner(exchange) {
  const inner = makeInner(exchange, null, null, null, null, undefined, incomingOptions);
  inner.hasImmutableHeaders = true;
  inner.cf = exchange;
  return inner;
}

const methodOf = (inner) => inner.method ??= ops.requestMethod(inner.exchange);
const urlOf = (inner) => inner.url ??= ops.requestURL(inner.exchange);
const headerListOf = (inner) => inner.headerList ??= ops.requestHeaders(inner.exchange);

/** The URL's record, for fetch(). */
const urlRecordOf = (inner) => inner.urlRecord ??= parseURL(urlOf(inner));

/** The inner of a request as one that has a body: with the field `body` filled in. */
function bodyHolder(inner) {
  if (inner.body === undefined) inner.body = hostBody(ops.requestBody(inner.exchange));
  return inner;
}

function cfOf(inner) {
  if (typeof inner.cf !== "number") return inner.cf;
  const json = ops.requestCF(inner.cf);
  return inner.cf = json === null ? undefined : JSONParse(json);
}

function signalOf(inner) {
  if (inner.signal !== null) return inner.signal;
  const { exchange, signalSource } = inner;
  if (exchange !== 0) return inner.signal = use("Fetch/hostRequest").signalOfExchange(exchange);
  const source = typeof signalSource !== "number" ? signalSource
    : use("Fetch/hostRequest").signalOfExchange(signalSource);
  return inner.signal = createDependentSignal(source === null ? [] : [source]);
}

/** Whether a request's signal may ever be aborted. */
function hasSignal(inner) {
  return inner.exchange !== 0 || inner.signalSource !== null;
}

class Request {
  // The inner, or the number of an exchange that nobody has looked at yet.
  #inner;

  constructor(input, requestInit = undefined) {
    if (input === internal) {
      this.#inner = requestInit;
      return;
    }
    const prefix = "Failed to construct 'Request'";
    requireArguments(arguments.length, 1, prefix);
    this.#inner = initialize(input, requestInit, prefix);
  }

  get method() { return methodOf(innerOf(this)); }
  get url() { return urlOf(innerOf(this)); }

  get headers() {
    const inner = innerOf(this);
    return inner.headers ??= makeHeaders(headerListOf(inner), inner.hasImmutableHeaders);
  }

  get destination() { return innerOf(this) && ""; }
  get referrer() { return innerOf(this).options.referrer; }
  get referrerPolicy() { return innerOf(this).options.referrerPolicy; }
  get mode() { return innerOf(this).options.mode; }
  get credentials() { return innerOf(this).options.credentials; }
  get cache() { return innerOf(this).options.cache; }
  get redirect() { return innerOf(this).options.redirect; }
  get integrity() { return innerOf(this).options.integrity; }
  get keepalive() { return innerOf(this).options.keepalive; }
  get isReloadNavigation() { return innerOf(this) && false; }
  get isHistoryNavigation() { return innerOf(this) && false; }
  get signal() { return signalOf(innerOf(this)); }
  get duplex() { return innerOf(this) && "half"; }
  get cf() { return cfOf(innerOf(this)); }

  clone() {
    const inner = bodyHolder(innerOf(this));
    if (isBodyUsed(inner)) throw usedError();
    const clone = copyInner(inner);
    clone.hasImmutableHeaders = inner.hasImmutableHeaders;
    clone.body = cloneBody(inner);
    return new Request(internal, clone);
  }

  static {
    isRequest = (value) => typeof value === "object" && value !== null && #inner in value;
    innerOf = (request) => {
      const inner = request.#inner;
      return typeof inner === "number" ? request.#inner = incomingInner(inner) : inner;
    };
  }
}
defineBodyMixin(Request, (request) => bodyHolder(innerOf(request)), headerListOf);
defineInterface(Request);
converters.Request = interfaceConverter("Request", isRequest);

/** What another request takes over from one, its body apart. */
function copyInner(inner) {
  const copy = makeInner(0, methodOf(inner), urlOf(inner), inner.urlRecord, copyList(headerListOf(inner)), null,
    inner.options);
  copy.signalSource = inner.signal ?? (inner.exchange !== 0 ? inner.exchange : inner.signalSource);
  copy.cf = inner.cf;
  copy.blob = inner.blob;
  return copy;
}

// The constructor's steps.
function initialize(input, requestInit, prefix) {
  const inputInner = isRequest(input) ? bodyHolder(innerOf(input)) : null;
  const inner = inputInner === null ? innerFromURL(input, prefix) : copyInner(inputInner);
  let body;
  if (requestInit !== undefined && requestInit !== null) {
    if (typeOf(requestInit) !== "object") {
      throw new TypeError(`${prefix}: parameter 2 cannot be converted to the dictionary RequestInit.`);
    }
    body = isRequest(requestInit) ? applyRequest(inner, bodyHolder(innerOf(requestInit)))
      : applyInit(inner, requestInit, prefix);
  }
  // A null body in the dictionary replaces the input's.
  const isMoved = body === undefined && inputInner !== null;
  if ((isMoved ? inputInner.body : body ?? null) === null) return inner;
  if (inner.method === "GET" || inner.method === "HEAD") {
    throw new TypeError("Request with a GET or HEAD method cannot have a body.");
  }
  inner.body = isMoved ? moveBody(inputInner) : body;
  if (isMoved) return inner;
  if (inner.options.keepalive && typeof body !== "string" && body.source === null) {
    throw new TypeError(`${prefix}: a request with a stream as its body cannot be kept alive.`);
  }
  const type = typeOfBody(body);
  if (type !== null && !hasHeader(inner.headerList, "content-type")) {
    ArrayPrototypePush(inner.headerList, "content-type", type);
  }
  return inner;
}

function innerFromURL(input, prefix) {
  const text = isURL(input) ? recordOfURL(input).href : converters.USVString(input, prefix, "parameter 1");
  const record = isURL(input) ? recordOfURL(input) : parseAgainstBase(text);
  if (record === null) throw new TypeError(`Invalid URL: ${text}`);
  if (record.includesCredentials) throw new TypeError(`${prefix}: a URL with credentials is not allowed: ${text}`);
  const inner = makeInner(0, "GET", record.href, record, [], null, defaultOptions);
  if (StringPrototypeStartsWith(record.href, "blob:")) inner.blob = resolveBlobURL(record);
  return inner;
}

// A Request as the init dictionary gives all its members.
function applyRequest(inner, other) {
  inner.method = methodOf(other);
  inner.headerList = copyList(headerListOf(other));
  inner.options = other.options;
  inner.signalSource = other.signal ?? (other.exchange !== 0 ? other.exchange : other.signalSource);
  inner.cf = other.cf;
  return moveBody(other);
}

// The RequestInit dictionary, its members in order. Gives the body: undefined if the dictionary has none.
function applyInit(inner, dictionary, prefix) {
  const bodyInit = dictionary.body;
  const body = bodyInit === undefined || bodyInit === null ? bodyInit
    : extractBody(bodyInit, prefix, contextOf("body"));
  applyOption(inner, "cache", dictionary.cache, cacheMember, prefix);
  const { cf } = dictionary;
  if (cf !== undefined) inner.cf = cf === null ? undefined : converters.object(cf, prefix, contextOf("cf"));
  applyOption(inner, "credentials", dictionary.credentials, requestCredentials, prefix);
  const { duplex } = dictionary;
  if (duplex !== undefined) requestDuplex(duplex, prefix, contextOf("duplex"));
  const { headers } = dictionary;
  if (headers !== undefined) inner.headerList = headerListFrom(headers, prefix, contextOf("headers"));
  applyOption(inner, "integrity", dictionary.integrity, converters.DOMString, prefix);
  applyOption(inner, "keepalive", dictionary.keepalive, converters.boolean, prefix);
  const { method } = dictionary;
  if (method !== undefined) inner.method = methodMember(method, prefix);
  applyOption(inner, "mode", dictionary.mode, requestMode, prefix);
  applyOption(inner, "priority", dictionary.priority, requestPriority, prefix);
  applyOption(inner, "redirect", dictionary.redirect, redirectMember, prefix);
  applyOption(inner, "referrer", dictionary.referrer, referrerMember, prefix);
  applyOption(inner, "referrerPolicy", dictionary.referrerPolicy, referrerPolicy, prefix);
  const { signal } = dictionary;
  if (signal !== undefined) {
    inner.signalSource = signal === null ? null : converters.AbortSignal(signal, prefix, contextOf("signal"));
  }
  const { window } = dictionary;
  if (window !== undefined && window !== null) {
    throw new TypeError(`${prefix}: ${contextOf("window")} can only be null.`);
  }
  if (inner.options.mode === "no-cors") requireSimpleMethod(inner.method);
  return body;
}

function applyOption(inner, key, value, convert, prefix) {
  if (value === undefined) return;
  const options = { ...inner.options };
  options[key] = convert(value, prefix, contextOf(key));
  inner.options = options;
}

/** A Request for an exchange. It is made for every request, and few look at all of it. */
function makeIncomingRequest(exchange) {
  return new Request(internal, exchange);
}

exposeGlobals({ Request });

/**
 * For fetch(): requestInnerOf(request) gives the inner, whose method, URL and headers methodOf, urlRecordOf,
 * headerListOf and signalOf tell; bodyHolder(inner).body is its body.
 */
provide({
  Request, bodyHolder, cfOf, hasSignal, headerListOf, isRequest, makeIncomingRequest, methodOf, requestInnerOf: innerOf,
  signalOf, urlOf, urlRecordOf,
});
