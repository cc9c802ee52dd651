// Fetch Standard, section 5.5: the Response class, with what Workers add: cf, encodeBody and webSocket.
const { ArrayPrototypePush, JSONStringify, RangeError, RegExpPrototypeExec, TypeError } = primordials;
const {
  converters, defineInterface, exposeGlobals, interfaceConverter, requireArguments, typeOf,
} = use("WebIDL/webidl");
const { serializeURL } = use("URL/url");
const { parseAgainstBase } = use("Fetch/settings");
const { copyList, hasHeader, headerListFrom, makeHeaders } = use("Fetch/headers");
const { cloneBody, extractBody, hostBody, isBodyUsed, isEmptyBuffer, typeOfBody, usedError } = use("Fetch/body");
const { defineBodyMixin } = use("Fetch/bodyMixin");

const internal = {};
let innerOf, isResponse;

/**
 * Section 2.2.6: a response. All fields are there from the start, so that no lookup reaches a prototype.
 * `body` is null, a string or a Body; `headers` is made when somebody asks for it, over the same list; `extras`, of the
 * init dictionary, is null if there are none.
 */
function makeInner(status, statusText, headerList, body) {
  return {
    status, statusText, headerList, body, headers: null, hasImmutableHeaders: false,
    type: "default", url: "", isRedirected: false, extras: null,
  };
}

class Response {
  #inner;

  constructor(body = null, init = undefined) {
    if (body === internal) {
      this.#inner = init;
      return;
    }
    const prefix = "Failed to construct 'Response'";
    const extracted = body === null || body === undefined ? null : extractBody(body, prefix, "parameter 1");
    if (init === undefined || init === null) {
      this.#inner = makeInner(200, "", headerListFor(extracted), extracted);
    } else {
      this.#inner = initialize(extracted, typeOfExtracted(extracted), init, prefix);
    }
  }

  static error() {
    const inner = makeInner(0, "", [], null);
    inner.type = "error";
    inner.hasImmutableHeaders = true;
    return new Response(internal, inner);
  }

  static redirect(url, status = 302) {
    const prefix = "Failed to execute 'redirect' on 'Response'";
    requireArguments(arguments.length, 1, prefix);
    const record = parseAgainstBase(converters.USVString(url, prefix, "parameter 1"));
    const code = status === 302 ? 302 : converters["unsigned short"](status, prefix, "parameter 2");
    if (record === null) throw new TypeError(`Unable to parse URL: ${url}`);
    if (code !== 301 && code !== 302 && code !== 303 && code !== 307 && code !== 308) {
      throw new RangeError(`${code} is not a redirect status code.`);
    }
    const inner = makeInner(code, "", ["location", record.href], null);
    inner.hasImmutableHeaders = true;
    return new Response(internal, inner);
  }

  static json(data, init = undefined) {
    const prefix = "Failed to execute 'json' on 'Response'";
    requireArguments(arguments.length, 1, prefix);
    const text = JSONStringify(data);
    if (text === undefined) throw new TypeError("The data is not JSON serializable.");
    if (init === undefined || init === null) {
      return new Response(internal, makeInner(200, "", ["content-type", "application/json"], text));
    }
    return new Response(internal, initialize(text, "application/json", init, prefix));
  }

  get type() { return this.#inner.type; }
  get url() { return this.#inner.url; }
  get redirected() { return this.#inner.isRedirected; }
  get status() { return this.#inner.status; }

  get ok() {
    const { status } = this.#inner;
    return status >= 200 && status <= 299;
  }

  get statusText() { return this.#inner.statusText; }

  get headers() {
    const inner = this.#inner;
    return inner.headers ??= makeHeaders(inner.headerList, inner.hasImmutableHeaders);
  }

  get webSocket() { return this.#inner.extras?.webSocket ?? null; }
  get cf() { return this.#inner.extras?.cf; }

  clone() {
    const inner = this.#inner;
    if (isBodyUsed(inner)) throw usedError();
    if (inner.extras !== null && inner.extras.webSocket !== null) {
      throw new TypeError("Cannot clone a response to a WebSocket handshake.");
    }
    const copy = makeInner(inner.status, inner.statusText, copyList(inner.headerList), cloneBody(inner));
    copy.hasImmutableHeaders = inner.hasImmutableHeaders;
    copy.type = inner.type;
    copy.url = inner.url;
    copy.isRedirected = inner.isRedirected;
    copy.extras = inner.extras;
    return new Response(internal, copy);
  }

  static {
    isResponse = (value) => typeof value === "object" && value !== null && #inner in value;
    innerOf = (response) => response.#inner;
  }
}
defineBodyMixin(Response, innerOf, (inner) => inner.headerList);
defineInterface(Response);
converters.Response = interfaceConverter("Response", isResponse);

const typeOfExtracted = (body) => (body === null ? null : typeOfBody(body));

function headerListFor(body) {
  const type = typeOfExtracted(body);
  return type === null ? [] : ["content-type", type];
}

// The ResponseInit dictionary, its members in order, and "initialize a response".
function initialize(body, type, init, prefix) {
  if (typeOf(init) !== "object") {
    throw new TypeError(`${prefix}: parameter 2 cannot be converted to the dictionary ResponseInit.`);
  }
  if (isResponse(init)) return initializeFrom(body, type, innerOf(init));
  const cf = init.cf, encodeBody = encodeBodyMember(init.encodeBody, prefix), { headers } = init;
  const headerList = headers === undefined ? [] : headerListFrom(headers, prefix, "parameter 2, member 'headers'");
  const status = statusMember(init.status, prefix), statusText = statusTextMember(init.statusText, prefix);
  const webSocket = init.webSocket ?? null;
  const hasExtras = cf !== undefined || encodeBody !== undefined || webSocket !== null;
  const extras = hasExtras ? { cf, encodeBody, webSocket } : null;
  return checkedInner(status, statusText, headerList, body, type, extras);
}

// A Response as the init dictionary gives all its members.
function initializeFrom(body, type, { status, statusText, headerList, extras }) {
  return checkedInner(status, statusText, copyList(headerList), body, type, extras);
}

function checkedInner(status, statusText, headerList, body, type, extras) {
  const hasWebSocket = extras !== null && extras.webSocket !== null;
  if (hasWebSocket ? status !== 101 : status < 200 || status > 599) throw statusError(hasWebSocket);
  if (body !== null && (status === 204 || status === 205 || status === 304 || status === 101)) {
    if (!isEmptyBuffer(body)) {
      throw new TypeError("Response with null body status (101, 204, 205, or 304) cannot have a body.");
    }
    body = null;
    type = null;
  }
  if (type !== null && !hasHeader(headerList, "content-type")) ArrayPrototypePush(headerList, "content-type", type);
  const inner = makeInner(status, statusText, headerList, body);
  inner.extras = extras;
  return inner;
}

function statusError(hasWebSocket) {
  return new RangeError(hasWebSocket ? "Responses with a WebSocket must have status code 101."
    : "Responses may only be constructed with status codes in the range 200 to 599, inclusive.");
}

function statusMember(value, prefix) {
  if (value === undefined) return 200;
  return converters["unsigned short"](value, prefix, "parameter 2, member 'status'");
}

function statusTextMember(value, prefix) {
  if (value === undefined) return "";
  const text = converters.ByteString(value, prefix, "parameter 2, member 'statusText'");
  if (RegExpPrototypeExec(/[^\t\x20-\x7e\x80-\xff]/, text) !== null) throw new TypeError("Invalid statusText");
  return text;
}

function encodeBodyMember(value, prefix) {
  if (value === undefined) return undefined;
  const text = converters.DOMString(value, prefix, "parameter 2, member 'encodeBody'");
  if (text !== "automatic" && text !== "manual") throw new TypeError(`encodeBody: unexpected value: ${text}`);
  return text;
}

/**
 * A Response of the host's: the header list is a flat one in lower case, `bodyId` 0 for none. Headers are immutable.
 */
function makeHostResponse(status, statusText, headerList, url, isRedirected, bodyId) {
  const inner = makeInner(status, statusText, headerList, hostBody(bodyId));
  inner.hasImmutableHeaders = true;
  inner.url = url;
  inner.isRedirected = isRedirected;
  return new Response(internal, inner);
}

/** A Response for what is in memory, as "scheme fetch" makes it. */
function makeLocalResponse(headerList, body, urlRecord) {
  const inner = makeInner(200, "OK", headerList, body);
  inner.hasImmutableHeaders = true;
  inner.type = "basic";
  inner.url = serializeURL(urlRecord, true);
  return new Response(internal, inner);
}

exposeGlobals({ Response });

provide({ Response, isResponse, makeHostResponse, makeLocalResponse, responseInnerOf: innerOf });
