// URL Standard, section 6.1: the URL class, and the parser's entry with its shortcut for what most URLs look like.
const { StringPrototypeCharCodeAt, StringPrototypeSlice, StringPrototypeStartsWith, TypeError } = primordials;
const { converters, defineInterface, exposeGlobals, exposeLazyGlobals, illegalInvocation, requireArguments } =
  use("WebIDL/webidl");
const { ASCII_SETS, FRAGMENT, PATH_ATTENTION, SPECIAL_QUERY } = use("URL/percentEncoding");
const { URLComponents, URLRecord } = use("URL/record");
const {
  basicURLParse, parseFragment, parseQuery, setHost, setHostname, setPassword, setPathname, setPort, setProtocol,
  setUsername,
} = use("URL/parser");
const { makeLinked, replaceList, setUpdateSteps } = use("URL/urlSearchParams");

const SLASH = 0x2F, COLON = 0x3A, QUESTION = 0x3F, HASH = 0x23, DOT = 0x2E, PERCENT = 0x25;

// The shortcut: a URL in ASCII that is its own serialization, or lacks only the slash after the host. Each function
// gives undefined (or -1) when it meets anything else, and the parser of section 4.4 takes over.
function parsePlainURL(input) {
  const length = input.length;
  const hostStart = plainHostStart(input, length);
  if (hostStart < 0) return undefined;
  const hostEnd = plainHostEnd(input, hostStart, length);
  if (hostEnd < 0) return undefined;
  let pathStart = hostEnd;
  if (hostEnd < length && StringPrototypeCharCodeAt(input, hostEnd) === COLON) {
    pathStart = plainPortEnd(input, hostEnd + 1, length, hostStart === 8 ? 443 : 80);
    if (pathStart < 0) return undefined;
  }
  const schemeEnd = hostStart - 3;
  if (pathStart === length) {
    return new URLRecord(input + "/", schemeEnd, hostStart, hostStart, hostEnd, pathStart, length + 1, length + 1);
  }
  if (!scanPlainPath(input, pathStart, length)) return undefined;
  return new URLRecord(input, schemeEnd, hostStart, hostStart, hostEnd, pathStart, plainPathEnd, plainQueryEnd);
}

/** Where the host starts after "http://" or "https://". */
function plainHostStart(input, length) {
  if (length < 9 || StringPrototypeCharCodeAt(input, 0) !== 0x68 || StringPrototypeCharCodeAt(input, 1) !== 0x74
    || StringPrototypeCharCodeAt(input, 2) !== 0x74 || StringPrototypeCharCodeAt(input, 3) !== 0x70) return -1;
  const colon = StringPrototypeCharCodeAt(input, 4) === 0x73 ? 5 : 4;
  return StringPrototypeCharCodeAt(input, colon) === COLON && StringPrototypeCharCodeAt(input, colon + 1) === SLASH
    && StringPrototypeCharCodeAt(input, colon + 2) === SLASH ? colon + 3 : -1;
}

/** Where a domain of lower-case letters, digits, hyphens and underscores ends that is neither IDNA's nor a number's. */
function plainHostEnd(input, start, length) {
  let i = start, labelStart = start;
  for (; i < length; i++) {
    const c = StringPrototypeCharCodeAt(input, i);
    if ((c >= 0x61 && c <= 0x7A) || (c >= 0x30 && c <= 0x39) || c === 0x5F) continue;
    if (c === 0x2D) {
      if (i === labelStart + 2 && StringPrototypeCharCodeAt(input, labelStart) === 0x78) return -1;
    } else if (c === DOT) {
      labelStart = i + 1;
    } else if (c === SLASH || c === COLON) {
      break;
    } else {
      return -1;
    }
  }
  if (i === labelStart) return -1;
  const first = StringPrototypeCharCodeAt(input, labelStart);
  return first >= 0x30 && first <= 0x39 ? -1 : i;
}

/** Where a port ends that is written as it is serialized. */
function plainPortEnd(input, start, length, defaultPort) {
  let i = start, port = 0;
  for (; i < length; i++) {
    const c = StringPrototypeCharCodeAt(input, i);
    if (c === SLASH) break;
    if (c < 0x30 || c > 0x39 || i > start + 4 || (c === 0x30 && i === start)) return -1;
    port = port * 10 + c - 0x30;
  }
  return i === start || port > 65535 || port === defaultPort ? -1 : i;
}

let plainPathEnd = 0, plainQueryEnd = 0;

/** Checks path, query and fragment from the path's first slash on, and leaves their ends in the two variables above. */
function scanPlainPath(input, start, length) {
  let i = start, c = 0;
  for (; i < length; i++) {
    c = StringPrototypeCharCodeAt(input, i);
    if (c > 0x7E) return false;
    if ((StringPrototypeCharCodeAt(ASCII_SETS, c) & PATH_ATTENTION) === 0) continue;
    if (c === QUESTION || c === HASH) break;
    if (c !== SLASH || (i + 1 < length && mayBeDotSegment(input, i + 1, length))) return false;
  }
  plainPathEnd = i;
  if (i < length && c === QUESTION) {
    i = plainEnd(input, i + 1, length, SPECIAL_QUERY);
    if (i < 0) return false;
  }
  plainQueryEnd = i;
  return i === length || plainEnd(input, i + 1, length, FRAGMENT) === length;
}

/** Whether a segment is, or begins like, a single or double dot. Names such as ".well-known" are told apart. */
function mayBeDotSegment(input, i, length) {
  const c = StringPrototypeCharCodeAt(input, i);
  if (c === PERCENT) return true;
  if (c !== DOT) return false;
  if (i + 1 === length) return true;
  const next = StringPrototypeCharCodeAt(input, i + 1) | 0x20;
  return next < 0x61 || next > 0x7A;
}

/** Where code points outside of `set` end: the length, or at a number sign; -1 at any other. */
function plainEnd(input, i, length, set) {
  for (; i < length; i++) {
    const c = StringPrototypeCharCodeAt(input, i);
    if (c > 0x7E) return -1;
    if ((StringPrototypeCharCodeAt(ASCII_SETS, c) & set) !== 0) return c === HASH ? i : -1;
  }
  return length;
}

/** A path-absolute string against a base that has a host. */
function parsePlainPath(input, base) {
  const length = input.length;
  if (length === 0 || StringPrototypeCharCodeAt(input, 0) !== SLASH || base.hostStart < 0
    || (length > 1 && StringPrototypeCharCodeAt(input, 1) === SLASH) || !StringPrototypeStartsWith(base.href, "http")) {
    return undefined;
  }
  if (!base.isSpecial || !scanPlainPath(input, 0, length)) return undefined;
  const { schemeEnd, usernameEnd, hostStart, hostEnd, pathStart } = base;
  const href = StringPrototypeSlice(base.href, 0, pathStart) + input;
  return new URLRecord(href, schemeEnd, usernameEnd, hostStart, hostEnd, pathStart, pathStart + plainPathEnd,
    pathStart + plainQueryEnd);
}

/** The URL parser: a string against a record, or null, gives a record, or null for failure. */
function parseURL(input, base = null) {
  const plain = parsePlainURL(input) ?? (base === null ? undefined : parsePlainPath(input, base));
  return plain !== undefined ? plain : basicURLParse(engine.toWellFormed(input), base);
}

/** The API URL parser, section 6.1: both arguments are strings or the base is undefined. Gives a record or null. */
function apiParseURL(url, base) {
  if (base === undefined) return parseURL(url);
  const baseRecord = parseURL(base);
  return baseRecord === null ? null : parseURL(url, baseRecord);
}

/** Section 4.5: the URL serializer. */
function serializeURL(record, excludeFragment = false) {
  return excludeFragment ? StringPrototypeSlice(record.href, 0, record.queryEnd) : record.href;
}

// Section 4.6: the origin of a URL, serialized; "null" for an opaque one.
function serializedOriginOf(record) {
  const scheme = record.scheme;
  if (scheme === "blob") {
    const inner = record.hasOpaquePath ? parseURL(record.path) : null;
    return inner !== null && (inner.scheme === "http" || inner.scheme === "https") ? serializedOriginOf(inner) : "null";
  }
  if (!record.isSpecial || scheme === "file") return "null";
  return `${scheme}://${record.hostAndPort}`;
}

const FROM_RECORD = { __proto__: null };
const CONSTRUCT = "Failed to construct 'URL'";
const { DOMString: toDOMString, USVString: toUSVString } = converters;
const toSetterValue = (value, attribute) =>
  toUSVString(value, `Failed to set the '${attribute}' property on 'URL'`, "The provided value");

// The parser makes its input well-formed when it is not plain ASCII, so that no conversion to USVString is due before.
function parseArguments(url, base, prefix) {
  const input = toDOMString(url, prefix, "parameter 1");
  return apiParseURL(input, base === undefined ? undefined : toDOMString(base, prefix, "parameter 2"));
}

let isURL, urlRecordOf;

class URL {
  #record;
  #searchParams = null;

  constructor(url, base = undefined) {
    if (url === FROM_RECORD) {
      this.#record = base;
      return;
    }
    requireArguments(arguments.length, 1, CONSTRUCT);
    const record = parseArguments(url, base, CONSTRUCT);
    if (record === null) throw new TypeError("Invalid URL string.");
    this.#record = record;
  }

  static {
    urlRecordOf = (url) => {
      if (!(#record in url)) throw illegalInvocation();
      return url.#record;
    };
    isURL = (value) => value !== null && typeof value === "object" && #record in value;
    setUpdateSteps((url, query) => { url.#record = url.#record.withQuery(query === "" ? null : query); });
  }

  static parse(url, base = undefined) {
    const prefix = "Failed to execute 'parse' on 'URL'";
    requireArguments(arguments.length, 1, prefix);
    const record = parseArguments(url, base, prefix);
    return record === null ? null : urlFromRecord(record);
  }

  static canParse(url, base = undefined) {
    const prefix = "Failed to execute 'canParse' on 'URL'";
    requireArguments(arguments.length, 1, prefix);
    return parseArguments(url, base, prefix) !== null;
  }

  /** Applies one of the parser's setters. */
  #change(set, attribute, value) {
    const url = URLComponents.of(urlRecordOf(this));
    set(url, toSetterValue(value, attribute));
    this.#record = url.toRecord();
  }

  get href() { return urlRecordOf(this).href; }
  set href(value) {
    urlRecordOf(this);
    const record = parseURL(toSetterValue(value, "href"));
    if (record === null) throw new TypeError("Invalid URL string.");
    this.#record = record;
    if (this.#searchParams !== null) replaceList(this.#searchParams, record.query ?? "");
  }

  get origin() { return serializedOriginOf(urlRecordOf(this)); }

  get protocol() {
    const { href, schemeEnd } = urlRecordOf(this);
    return StringPrototypeSlice(href, 0, schemeEnd + 1);
  }
  set protocol(value) { this.#change(setProtocol, "protocol", value); }

  get username() { return urlRecordOf(this).username; }
  set username(value) { this.#change(setUsername, "username", value); }

  get password() { return urlRecordOf(this).password; }
  set password(value) { this.#change(setPassword, "password", value); }

  get host() { return urlRecordOf(this).hostAndPort; }
  set host(value) { this.#change(setHost, "host", value); }

  get hostname() { return urlRecordOf(this).host ?? ""; }
  set hostname(value) { this.#change(setHostname, "hostname", value); }

  get port() {
    const { href, hostStart, hostEnd, pathStart } = urlRecordOf(this);
    return hostStart < 0 ? "" : StringPrototypeSlice(href, hostEnd + 1, pathStart);
  }
  set port(value) { this.#change(setPort, "port", value); }

  get pathname() { return urlRecordOf(this).path; }
  set pathname(value) { this.#change(setPathname, "pathname", value); }

  get search() {
    const { href, pathEnd, queryEnd } = urlRecordOf(this);
    return queryEnd - pathEnd < 2 ? "" : StringPrototypeSlice(href, pathEnd, queryEnd);
  }
  set search(value) {
    const record = urlRecordOf(this);
    let text = toSetterValue(value, "search");
    if (StringPrototypeStartsWith(text, "?")) text = StringPrototypeSlice(text, 1);
    else if (text === "") text = null;
    const query = text === null ? null : parseQuery(text, record.isSpecial);
    this.#record = record.withQuery(query);
    if (this.#searchParams !== null) replaceList(this.#searchParams, text ?? "");
  }

  get searchParams() {
    const record = urlRecordOf(this);
    return this.#searchParams ??= makeLinked(this, record.query ?? "");
  }

  get hash() {
    const { href, queryEnd } = urlRecordOf(this);
    return href.length - queryEnd < 2 ? "" : StringPrototypeSlice(href, queryEnd);
  }
  set hash(value) {
    const record = urlRecordOf(this);
    let text = toSetterValue(value, "hash");
    if (StringPrototypeStartsWith(text, "#")) text = StringPrototypeSlice(text, 1);
    else if (text === "") text = null;
    this.#record = record.withFragment(text === null ? null : parseFragment(text));
  }

  toString() { return urlRecordOf(this).href; }
  toJSON() { return urlRecordOf(this).href; }
}
defineInterface(URL);

/** A URL object of a record. */
const urlFromRecord = (record) => new URL(FROM_RECORD, record);

exposeGlobals({ URL });
exposeLazyGlobals("URLPattern/urlPattern", ["URLPattern"]);

/**
 * parseURL(string, baseRecord = null): a URLRecord of URL/record, or null for failure; any string will do.
 * apiParseURL(string, baseString or undefined): the same with the base as a string.
 * serializeURL(record, excludeFragment); serializedOriginOf(record); urlFromRecord(record): a URL object;
 * urlRecordOf(url): the record of a URL object, TypeError for any other object; isURL(value).
 */
provide({
  URL, apiParseURL, isURL, parseURL, serializeURL, serializedOriginOf, urlFromRecord, urlRecordOf,
});
