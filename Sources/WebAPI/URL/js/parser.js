// URL Standard, section 4.4: the basic URL parser. Each state is a function that consumes what belongs to it and calls
// the next; `pointer` is the index of the first code unit that is not consumed. They return false for failure.
// What the standard does with a state override is at the end: one function for each setter of the API.
const {
  StringPrototypeCharCodeAt, StringPrototypeIndexOf, StringPrototypeLastIndexOf,
  StringPrototypeSlice, StringPrototypeStartsWith, StringPrototypeToLowerCase,
} = primordials;
const { C0_CONTROL, FRAGMENT, PATH, QUERY, SPECIAL_QUERY, USERINFO, utf8PercentEncode } = use("URL/percentEncoding");
const { parseHost } = use("URL/host");
const { DEFAULT_PORTS, URLComponents, isSpecialScheme } = use("URL/record");

const HASH = 0x23, SLASH = 0x2F, COLON = 0x3A, QUESTION = 0x3F, AT = 0x40, BACKSLASH = 0x5C, PIPE = 0x7C;

/** The code unit at an index, -1 at the end. */
const codeAt = (input, i) => (i < input.length ? StringPrototypeCharCodeAt(input, i) : -1);
const isASCIIAlpha = (c) => (c | 0x20) >= 0x61 && (c | 0x20) <= 0x7A;
const isDigit = (c) => c >= 0x30 && c <= 0x39;
const isSlash = (c, isSpecial) => c === SLASH || (c === BACKSLASH && isSpecial);

function withoutTabsAndNewlines(input) {
  let output = "", from = 0;
  for (let i = 0; i < input.length; i++) {
    const c = StringPrototypeCharCodeAt(input, i);
    if (c !== 0x09 && c !== 0x0A && c !== 0x0D) continue;
    output += StringPrototypeSlice(input, from, i);
    from = i + 1;
  }
  return from === 0 ? input : output + StringPrototypeSlice(input, from);
}

function strip(input) {
  let start = 0, end = input.length;
  while (start < end && StringPrototypeCharCodeAt(input, start) <= 0x20) start++;
  while (end > start && StringPrototypeCharCodeAt(input, end - 1) <= 0x20) end--;
  return withoutTabsAndNewlines(StringPrototypeSlice(input, start, end));
}

/** Parses a well-formed string against a record or null; gives a record, or null for failure. */
function basicURLParse(rawInput, base) {
  const input = strip(rawInput);
  const url = new URLComponents();
  const schemeEnd = findSchemeEnd(input);
  const isParsed = schemeEnd > 0 ? schemeState(url, input, schemeEnd, base) : noSchemeState(url, input, base);
  return isParsed ? url.toRecord() : null;
}

// Scheme start state and the first half of scheme state: the index of the colon, or -1.
function findSchemeEnd(input) {
  if (!isASCIIAlpha(codeAt(input, 0))) return -1;
  for (let i = 1; i < input.length; i++) {
    const c = StringPrototypeCharCodeAt(input, i);
    if (c === COLON) return i;
    if (!isASCIIAlpha(c) && !isDigit(c) && c !== 0x2B && c !== 0x2D && c !== 0x2E) return -1;
  }
  return -1;
}

function schemeState(url, input, schemeEnd, base) {
  const scheme = url.scheme = StringPrototypeToLowerCase(StringPrototypeSlice(input, 0, schemeEnd));
  const pointer = schemeEnd + 1;
  if (scheme === "file") return fileState(url, input, pointer, base);
  if (isSpecialScheme(scheme)) {
    // Special relative or authority state.
    const isRelative = base !== null && base.scheme === scheme && !StringPrototypeStartsWith(input, "//", pointer);
    return isRelative ? relativeState(url, input, pointer, base) : specialAuthorityState(url, input, pointer);
  }
  if (codeAt(input, pointer) !== SLASH) return opaquePathState(url, input, pointer);
  // Path or authority state.
  if (codeAt(input, pointer + 1) === SLASH) return authorityState(url, input, pointer + 2);
  return pathState(url, input, pointer + 1);
}

function noSchemeState(url, input, base) {
  if (base === null) return false;
  if (base.hasOpaquePath) {
    if (codeAt(input, 0) !== HASH) return false;
    url.scheme = base.scheme;
    url.path = base.path;
    url.hasOpaquePath = true;
    url.query = base.query;
    return fragmentState(url, input, 1);
  }
  return base.scheme === "file" ? fileState(url, input, 0, base) : relativeState(url, input, 0, base);
}

// Relative state and relative slash state.
function relativeState(url, input, pointer, base) {
  url.scheme = base.scheme;
  const isSpecial = base.isSpecial;
  const c = codeAt(input, pointer);
  if (isSlash(c, isSpecial)) {
    const next = codeAt(input, pointer + 1);
    if (isSlash(next, isSpecial)) {
      return isSpecial ? specialAuthorityState(url, input, pointer + 2) : authorityState(url, input, pointer + 2);
    }
    copyAuthority(url, base);
    return pathState(url, input, pointer + 1);
  }
  copyAuthority(url, base);
  url.path = base.path;
  if (c === -1 || c === QUESTION || c === HASH) {
    url.query = base.query;
  } else {
    shortenPath(url);
    return pathState(url, input, pointer);
  }
  return afterPath(url, input, pointer);
}

function copyAuthority(url, base) {
  url.username = base.username;
  url.password = base.password;
  url.host = base.host;
  url.port = base.port;
}

// Special authority slashes state and special authority ignore slashes state.
function specialAuthorityState(url, input, pointer) {
  while (isSlash(codeAt(input, pointer), true)) pointer++;
  return authorityState(url, input, pointer);
}

function authorityState(url, input, pointer) {
  const isSpecial = isSpecialScheme(url.scheme);
  let end = pointer, at = -1;
  for (; end < input.length; end++) {
    const c = StringPrototypeCharCodeAt(input, end);
    if (c === AT) at = end;
    else if (c === QUESTION || c === HASH || isSlash(c, isSpecial)) break;
  }
  if (at >= 0) {
    if (at + 1 === end) return false;
    const colon = StringPrototypeIndexOf(input, ":", pointer);
    const hasPassword = colon >= 0 && colon < at;
    url.username = utf8PercentEncode(StringPrototypeSlice(input, pointer, hasPassword ? colon : at), USERINFO);
    if (hasPassword) url.password = utf8PercentEncode(StringPrototypeSlice(input, colon + 1, at), USERINFO);
    pointer = at + 1;
  }
  return hostState(url, input, pointer, end);
}

/** Where the host that starts at `pointer` ends: at a colon outside of brackets, or at `end`. */
function findHostEnd(input, pointer, end) {
  let isInsideBrackets = false;
  for (; pointer < end; pointer++) {
    const c = StringPrototypeCharCodeAt(input, pointer);
    if (c === COLON && !isInsideBrackets) return pointer;
    if (c === 0x5B) isInsideBrackets = true;
    else if (c === 0x5D) isInsideBrackets = false;
  }
  return end;
}

// Host state and port state, for an authority that ends at `end`.
function hostState(url, input, pointer, end) {
  const isSpecial = isSpecialScheme(url.scheme);
  const hostEnd = findHostEnd(input, pointer, end);
  if (hostEnd === pointer && (isSpecial || hostEnd < end)) return false;
  url.host = parseHost(StringPrototypeSlice(input, pointer, hostEnd), !isSpecial);
  if (url.host === null) return false;
  if (hostEnd < end) {
    const portEnd = findPortEnd(input, hostEnd + 1);
    if (portEnd !== end || !setPortNumber(url, StringPrototypeSlice(input, hostEnd + 1, portEnd))) return false;
  }
  return pathStartState(url, input, end);
}

function findPortEnd(input, pointer) {
  while (isDigit(codeAt(input, pointer))) pointer++;
  return pointer;
}

function setPortNumber(url, digits) {
  if (digits === "") return true;
  const port = +digits;
  if (port > 65535) return false;
  url.port = port === DEFAULT_PORTS[url.scheme] ? null : port;
  return true;
}

// File state and file slash state.
function fileState(url, input, pointer, base) {
  url.scheme = "file";
  url.host = "";
  const fileBase = base !== null && base.scheme === "file" ? base : null;
  const c = codeAt(input, pointer);
  if (isSlash(c, true)) {
    if (isSlash(codeAt(input, pointer + 1), true)) return fileHostState(url, input, pointer + 2);
    if (fileBase !== null) {
      url.host = fileBase.host;
      const path = fileBase.path;
      if (!startsWithWindowsDriveLetter(input, pointer + 1) && startsWithNormalizedWindowsDriveLetter(path)) {
        url.path = StringPrototypeSlice(path, 0, 3);
      }
    }
    return pathState(url, input, pointer + 1);
  }
  if (fileBase === null) return pathState(url, input, pointer);
  url.host = fileBase.host;
  if (c !== -1 && c !== QUESTION && c !== HASH) {
    if (!startsWithWindowsDriveLetter(input, pointer)) {
      url.path = fileBase.path;
      shortenPath(url);
    }
    return pathState(url, input, pointer);
  }
  url.path = fileBase.path;
  url.query = fileBase.query;
  return afterPath(url, input, pointer);
}

function fileHostState(url, input, pointer) {
  let end = pointer;
  for (; end < input.length; end++) {
    const c = StringPrototypeCharCodeAt(input, end);
    if (c === QUESTION || c === HASH || isSlash(c, true)) break;
  }
  // A drive letter is no host but the first segment of the path.
  if (end - pointer === 2 && startsWithWindowsDriveLetter(input, pointer)) return pathState(url, input, pointer);
  if (end > pointer && !setFileHost(url, StringPrototypeSlice(input, pointer, end))) return false;
  return pathStartState(url, input, end);
}

function setFileHost(url, text) {
  const host = parseHost(text, false);
  if (host === null) return false;
  url.host = host === "localhost" ? "" : host;
  return true;
}

// Section 4.2: Windows drive letters.
function startsWithWindowsDriveLetter(input, pointer) {
  const mark = codeAt(input, pointer + 1);
  if (!isASCIIAlpha(codeAt(input, pointer)) || (mark !== COLON && mark !== PIPE)) return false;
  const next = codeAt(input, pointer + 2);
  return next === -1 || next === QUESTION || next === HASH || isSlash(next, true);
}

/** Whether the first segment of a path is a normalized Windows drive letter. */
function startsWithNormalizedWindowsDriveLetter(path) {
  return isASCIIAlpha(codeAt(path, 1)) && codeAt(path, 2) === COLON && (path.length === 3 || codeAt(path, 3) === SLASH);
}

function shortenPath(url) {
  const path = url.path;
  if (path === "") return;
  if (url.scheme === "file" && path.length === 3 && startsWithNormalizedWindowsDriveLetter(path)) return;
  url.path = StringPrototypeSlice(path, 0, StringPrototypeLastIndexOf(path, "/"));
}

function pathStartState(url, input, pointer) {
  const c = codeAt(input, pointer);
  const isSpecial = isSpecialScheme(url.scheme);
  if (!isSpecial && (c === -1 || c === QUESTION || c === HASH)) return afterPath(url, input, pointer);
  return pathState(url, input, isSlash(c, isSpecial) ? pointer + 1 : pointer);
}

function pathState(url, input, pointer) {
  let end = pointer;
  for (; end < input.length; end++) {
    const c = StringPrototypeCharCodeAt(input, end);
    if (c === QUESTION || c === HASH) break;
  }
  appendSegments(url, input, pointer, end);
  return afterPath(url, input, end);
}

// Path state, for the segments from `pointer` to `end`. An empty rest is one empty segment.
function appendSegments(url, input, pointer, end) {
  const isSpecial = isSpecialScheme(url.scheme);
  for (;;) {
    const start = pointer;
    while (pointer < end && !isSlash(StringPrototypeCharCodeAt(input, pointer), isSpecial)) pointer++;
    let segment = utf8PercentEncode(StringPrototypeSlice(input, start, pointer), PATH);
    const dots = countDots(segment);
    if (dots === 0) {
      const isFirstOfFile = url.path === "" && url.scheme === "file";
      if (isFirstOfFile && segment.length === 2 && startsWithWindowsDriveLetter(segment, 0)) segment = segment[0] + ":";
      url.path += "/" + segment;
    } else {
      if (dots === 2) shortenPath(url);
      if (pointer === end) url.path += "/";
    }
    if (pointer === end) return;
    pointer++;
  }
}

/** 1 for a single-dot, 2 for a double-dot URL path segment, 0 for any other. */
function countDots(segment) {
  if (segment.length === 0 || segment.length > 6) return 0;
  let dots = 0;
  for (let i = 0; i < segment.length; i++) {
    if (StringPrototypeCharCodeAt(segment, i) !== 0x2E) {
      const isEscape = codeAt(segment, i) === 0x25 && codeAt(segment, i + 1) === 0x32;
      if (!isEscape || (codeAt(segment, i + 2) | 0x20) !== 0x65) return 0;
      i += 2;
    }
    dots++;
  }
  return dots > 2 ? 0 : dots;
}

function opaquePathState(url, input, pointer) {
  let end = pointer;
  for (; end < input.length; end++) {
    const c = StringPrototypeCharCodeAt(input, end);
    if (c === QUESTION || c === HASH) break;
  }
  url.hasOpaquePath = true;
  let path = utf8PercentEncode(StringPrototypeSlice(input, pointer, end), C0_CONTROL);
  // A space before the query or fragment would otherwise be lost once that is taken away.
  if (end < input.length && codeAt(path, path.length - 1) === 0x20) path = StringPrototypeSlice(path, 0, -1) + "%20";
  url.path = path;
  return afterPath(url, input, end);
}

// Query state and fragment state, if there is one at `pointer`.
function afterPath(url, input, pointer) {
  const c = codeAt(input, pointer);
  if (c === HASH) return fragmentState(url, input, pointer + 1);
  if (c !== QUESTION) return true;
  const hash = StringPrototypeIndexOf(input, "#", pointer);
  const end = hash < 0 ? input.length : hash;
  url.query = encodeQuery(StringPrototypeSlice(input, pointer + 1, end), isSpecialScheme(url.scheme));
  return hash < 0 || fragmentState(url, input, hash + 1);
}

const encodeQuery = (input, isSpecial) => utf8PercentEncode(input, isSpecial ? SPECIAL_QUERY : QUERY);

function fragmentState(url, input, pointer) {
  url.fragment = utf8PercentEncode(StringPrototypeSlice(input, pointer), FRAGMENT);
  return true;
}

// Section 6.1, the setters, with the basic URL parser's steps for a given state override. They change URLComponents.
const cannotHaveCredentialsOrPort = (url) => url.host === null || url.host === "" || url.scheme === "file";

function setProtocol(url, value) {
  const input = withoutTabsAndNewlines(value) + ":";
  const schemeEnd = findSchemeEnd(input);
  if (schemeEnd < 0) return;
  const scheme = StringPrototypeToLowerCase(StringPrototypeSlice(input, 0, schemeEnd));
  if (isSpecialScheme(url.scheme) !== isSpecialScheme(scheme)) return;
  if (scheme === "file" && (url.includesCredentials || url.port !== null)) return;
  if (url.scheme === "file" && url.host === "") return;
  url.scheme = scheme;
  if (url.port === DEFAULT_PORTS[scheme]) url.port = null;
}

function setUsername(url, value) {
  if (!cannotHaveCredentialsOrPort(url)) url.username = utf8PercentEncode(value, USERINFO);
}

function setPassword(url, value) {
  if (!cannotHaveCredentialsOrPort(url)) url.password = utf8PercentEncode(value, USERINFO);
}

function setHost(url, value) {
  const input = withoutTabsAndNewlines(value);
  const hostEnd = setHostname(url, input, true);
  if (hostEnd < 0 || codeAt(input, hostEnd) !== COLON) return;
  setPortNumber(url, StringPrototypeSlice(input, hostEnd + 1, findPortEnd(input, hostEnd + 1)));
}

/** Gives the index at which the host ended, -1 if nothing was set. */
function setHostname(url, value, mayHavePort = false) {
  if (url.hasOpaquePath) return -1;
  const input = withoutTabsAndNewlines(value);
  const isSpecial = isSpecialScheme(url.scheme);
  let end = 0;
  for (; end < input.length; end++) {
    const c = StringPrototypeCharCodeAt(input, end);
    if (c === QUESTION || c === HASH || isSlash(c, isSpecial)) break;
  }
  if (url.scheme === "file") {
    // File host state knows no port: a colon is part of the host, and fails.
    if (end === 0) url.host = "";
    else setFileHost(url, StringPrototypeSlice(input, 0, end));
    return -1;
  }
  const hostEnd = findHostEnd(input, 0, end);
  if (hostEnd < end && (hostEnd === 0 || !mayHavePort)) return -1;
  if (hostEnd === 0 && (isSpecial || url.includesCredentials || url.port !== null)) return -1;
  const host = parseHost(StringPrototypeSlice(input, 0, hostEnd), !isSpecial);
  if (host === null) return -1;
  url.host = host;
  return hostEnd;
}

function setPort(url, value) {
  if (cannotHaveCredentialsOrPort(url)) return;
  if (value === "") url.port = null;
  else parsePort(url, value);
}

/** Port state alone: sets the port from the digits that a string begins with. Gives false if that fails. */
function parsePort(url, value) {
  const input = withoutTabsAndNewlines(value);
  const digits = StringPrototypeSlice(input, 0, findPortEnd(input, 0));
  return digits !== "" && setPortNumber(url, digits);
}

function setPathname(url, value) {
  if (url.hasOpaquePath) return;
  const input = withoutTabsAndNewlines(value);
  const isSpecial = isSpecialScheme(url.scheme);
  url.path = "";
  if (input === "" && !isSpecial) {
    if (url.host === null) url.path = "/";
    return;
  }
  appendSegments(url, input, isSlash(codeAt(input, 0), isSpecial) ? 1 : 0, input.length);
}

/** Opaque path state alone. */
function parseOpaquePath(value) {
  const url = new URLComponents();
  opaquePathState(url, withoutTabsAndNewlines(value), 0);
  return url.path;
}

const parseQuery = (value, isSpecial) => encodeQuery(withoutTabsAndNewlines(value), isSpecial);
const parseFragment = (value) => utf8PercentEncode(withoutTabsAndNewlines(value), FRAGMENT);

provide({
  basicURLParse, parseFragment, parseOpaquePath, parsePort, parseQuery, setHost, setHostname, setPassword, setPathname,
  setPort, setProtocol, setUsername,
});
