// URL Pattern Standard, section 3: canonicalization of components, and of a URLPatternInit as a whole.
const {
  StringPrototypeCharCodeAt, StringPrototypeEndsWith, StringPrototypeLastIndexOf, StringPrototypeSlice,
  StringPrototypeStartsWith, StringPrototypeToLowerCase, TypeError,
} = primordials;
const {
  basicURLParse, parseFragment, parseOpaquePath, parsePort, parseQuery, setHostname, setPassword, setPathname,
  setUsername,
} = use("URL/parser");
const { URLComponents, isSpecialScheme } = use("URL/record");
const { parseURL } = use("URL/url");
const { hexDigitValue } = use("URL/percentEncoding");
const { escapePattern } = use("URLPattern/parts");

const invalid = (component, value) => new TypeError(`Invalid ${component} '${value}'.`);

/** "Create a dummy URL". */
function makeDummy(scheme = "https") {
  const url = new URLComponents();
  url.scheme = scheme;
  url.host = "dummy.invalid";
  url.path = "/";
  return url;
}

function canonicalizeProtocol(value) {
  if (value === "") return value;
  const url = basicURLParse(`${value}://dummy.invalid/`, null);
  if (url === null) throw invalid("protocol", value);
  return url.scheme;
}

function canonicalizeUsername(value) {
  const url = makeDummy();
  setUsername(url, value);
  return url.username;
}

function canonicalizePassword(value) {
  const url = makeDummy();
  setPassword(url, value);
  return url.password;
}

function canonicalizeHostname(value) {
  if (value === "") return value;
  const url = makeDummy();
  if (setHostname(url, value) < 0) throw invalid("hostname", value);
  return url.host;
}

function canonicalizeIPv6Hostname(value) {
  for (let i = 0; i < value.length; i++) {
    const c = StringPrototypeCharCodeAt(value, i);
    if (hexDigitValue(c) < 0 && c !== 0x5B && c !== 0x5D && c !== 0x3A) throw invalid("hostname", value);
  }
  return StringPrototypeToLowerCase(value);
}

function canonicalizePort(value, protocol = "") {
  if (value === "") return value;
  const url = makeDummy(protocol);
  if (!parsePort(url, value)) throw invalid("port", value);
  return url.port === null ? "" : `${url.port}`;
}

function canonicalizePathname(value) {
  if (value === "") return value;
  const hasLeadingSlash = StringPrototypeStartsWith(value, "/");
  const url = makeDummy();
  // A prefix keeps the parser from adding a slash, and from taking dots for the whole first segment.
  setPathname(url, hasLeadingSlash ? value : "/-" + value);
  return hasLeadingSlash ? url.path : StringPrototypeSlice(url.path, 2);
}

const canonicalizeOpaquePathname = (value) => (value === "" ? value : parseOpaquePath(value));
const canonicalizeSearch = (value) => (value === "" ? value : parseQuery(value, true));
const canonicalizeHash = (value) => (value === "" ? value : parseFragment(value));

// Section 3.2: processing of URLPatternInit. `isPattern` tells its two types apart.
const withoutPrefix = (value, prefix) =>
  (StringPrototypeStartsWith(value, prefix) ? StringPrototypeSlice(value, 1) : value);

const withoutColon = (value) => (StringPrototypeEndsWith(value, ":") ? StringPrototypeSlice(value, 0, -1) : value);

function isAbsolutePathname(value, isPattern) {
  return StringPrototypeStartsWith(value, "/")
    || (isPattern && (StringPrototypeStartsWith(value, "\\/") || StringPrototypeStartsWith(value, "{/")));
}

/** What components a base URL gives, each unless the init has it or an earlier one. */
function applyBaseURL(result, init, base, isPattern) {
  const process = (value) => (isPattern ? escapePattern(value) : value);
  const has = (component) => init[component] !== undefined;
  if (has("protocol")) return;
  result.protocol = process(base.scheme);
  if (!isPattern && !has("hostname") && !has("port") && !has("username")) {
    result.username = base.username;
    if (!has("password")) result.password = base.password;
  }
  if (has("hostname")) return;
  result.hostname = process(base.host ?? "");
  if (has("port")) return;
  result.port = base.port === null ? "" : `${base.port}`;
  if (has("pathname")) return;
  result.pathname = process(base.path);
  if (has("search")) return;
  result.search = process(base.query ?? "");
  if (has("hash")) return;
  result.hash = process(base.fragment ?? "");
}

/** Gives `result` with what the init and its base URL have; throws TypeError if something is invalid. */
function processInit(init, isPattern, result) {
  let base = null;
  if (init.baseURL !== undefined) {
    base = parseURL(init.baseURL);
    if (base === null) throw invalid("base URL", init.baseURL);
    applyBaseURL(result, init, base, isPattern);
  }
  const process = (component, value, canonicalize) => {
    if (value !== undefined) result[component] = isPattern ? value : canonicalize(value, result.protocol);
  };
  const { protocol, search, hash } = init;
  process("protocol", protocol === undefined ? protocol : withoutColon(protocol), canonicalizeProtocol);
  process("username", init.username, canonicalizeUsername);
  process("password", init.password, canonicalizePassword);
  process("hostname", init.hostname, canonicalizeHostname);
  process("port", init.port, canonicalizePort);
  process("pathname", resolvePathname(init.pathname, base, isPattern), (value, scheme = "") =>
    (scheme === "" || isSpecialScheme(scheme) ? canonicalizePathname(value) : canonicalizeOpaquePathname(value)));
  process("search", search === undefined ? search : withoutPrefix(search, "?"), canonicalizeSearch);
  process("hash", hash === undefined ? hash : withoutPrefix(hash, "#"), canonicalizeHash);
  return result;
}

function resolvePathname(pathname, base, isPattern) {
  if (pathname === undefined || base === null || base.hasOpaquePath || isAbsolutePathname(pathname, isPattern)) {
    return pathname;
  }
  const basePath = isPattern ? escapePattern(base.path) : base.path;
  return StringPrototypeSlice(basePath, 0, StringPrototypeLastIndexOf(basePath, "/") + 1) + pathname;
}

provide({
  canonicalizeHash, canonicalizeHostname, canonicalizeIPv6Hostname, canonicalizeOpaquePathname, canonicalizePassword,
  canonicalizePathname, canonicalizePort, canonicalizeProtocol, canonicalizeSearch, canonicalizeUsername, processInit,
});
