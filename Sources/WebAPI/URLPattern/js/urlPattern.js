// URL Pattern Standard, sections 1.2 to 1.5: the URLPattern class. Regular expressions have the flag "u", as this
// engine knows no "v".
const {
  ArrayPrototypePush, ObjectDefineProperty, RegExp, RegExpPrototypeExec, StringPrototypeStartsWith, TypeError,
} = primordials;
const { defineRecord } = use("Core/records");
const { converters, defineInterface, dictionary, illegalInvocation, typeOf } = use("WebIDL/webidl");
const { parseURL } = use("URL/url");
const { DEFAULT_PORTS, isSpecialScheme } = use("URL/record");
const canonicalize = use("URLPattern/canonicalize");
const { generatePattern, generateRegexp, makeOptions, parsePattern } = use("URLPattern/parts");
const { parseConstructorString } = use("URLPattern/constructorString");

const { USVString: toUSVString } = converters;
const COMPONENTS = ["protocol", "username", "password", "hostname", "port", "pathname", "search", "hash"];

const toInit = dictionary("URLPatternInit", [
  { key: "baseURL", converter: toUSVString }, { key: "hash", converter: toUSVString },
  { key: "hostname", converter: toUSVString }, { key: "password", converter: toUSVString },
  { key: "pathname", converter: toUSVString }, { key: "port", converter: toUSVString },
  { key: "protocol", converter: toUSVString }, { key: "search", converter: toUSVString },
  { key: "username", converter: toUSVString },
]);
const toOptions = dictionary("URLPatternOptions", [
  { key: "ignoreCase", converter: converters.boolean, defaultValue: () => false },
]);

// The union (USVString or URLPatternInit).
const isDictionary = (V) => V === undefined || V === null || typeOf(V) === "object";
const toInput = (V, prefix) =>
  (isDictionary(V) ? toInit(V, prefix, "parameter 1") : toUSVString(V, prefix, "parameter 1"));

/** One compiled component, section 1.4. Most are a wildcard or plain text, which need no regular expression. */
class Component {
  constructor(input, encode, options) {
    const parts = parsePattern(input, options, encode);
    this.pattern = generatePattern(parts, options);
    this.names = [];
    this.source = generateRegexp(parts, options, this.names);
    this.flags = options.ignoreCase ? "ui" : "u";
    this.regexp = null;
    this.hasRegExpGroups = false;
    for (let i = 0; i < parts.length; i++) if (parts[i].type === "regexp") this.hasRegExpGroups = true;
    this.isWildcard = this.source === "^(.*)$" && parts.length === 1;
    this.fixed = options.ignoreCase ? null : fixedTextOf(parts);
    if (this.hasRegExpGroups) this.compile();
  }

  compile() {
    try {
      this.regexp = new RegExp(this.source, this.flags);
    } catch {
      throw new TypeError(`Invalid pattern '${this.pattern}'.`);
    }
  }

  /** The groups' values after the whole match at index 0; null if the input does not match. */
  exec(input) {
    if (this.isWildcard) return [input, input];
    if (this.fixed !== null) return input === this.fixed ? [input] : null;
    if (this.regexp === null) this.compile();
    return RegExpPrototypeExec(this.regexp, input);
  }

  matchesSpecialScheme() {
    for (const scheme in DEFAULT_PORTS) if (this.exec(scheme) !== null) return true;
    return false;
  }
}
defineRecord(Component);

/** The only text that a part list matches, null if it is not of that kind. */
function fixedTextOf(parts) {
  if (parts.length === 0) return "";
  return parts.length === 1 && parts[0].type === "fixed-text" && parts[0].modifier === "" ? parts[0].value : null;
}

const defaultOptions = makeOptions("", "", false);
const hostnameOptions = makeOptions(".", "", false);

const isIPv6Pattern = (pattern) => StringPrototypeStartsWith(pattern, "[") || StringPrototypeStartsWith(pattern, "{[")
  || StringPrototypeStartsWith(pattern, "\\[");

const protocolComponent = (pattern) => new Component(pattern, canonicalize.canonicalizeProtocol, defaultOptions);

// Section 1.5: create a URL pattern. Gives the components by name.
function createPattern(input, baseURL, { ignoreCase }) {
  let init = input;
  if (typeof input === "string") {
    init = parseConstructorString(input, (protocol) => protocolComponent(protocol).matchesSpecialScheme());
    if (baseURL !== undefined) init.baseURL = baseURL;
    else if (init.protocol === undefined) throw new TypeError(`Invalid pattern '${input}': it needs a base URL.`);
  } else if (baseURL !== undefined) {
    throw new TypeError("Failed to construct 'URLPattern': a base URL must be in the init, not beside it.");
  }
  const patterns = canonicalize.processInit(init, true, { __proto__: null });
  for (let i = 0; i < COMPONENTS.length; i++) patterns[COMPONENTS[i]] ??= "*";
  const { protocol, hostname, port } = patterns;
  if (isSpecialScheme(protocol) && port === `${DEFAULT_PORTS[protocol]}`) patterns.port = "";

  const options = makeOptions("", "", ignoreCase);
  const component = { __proto__: null };
  component.protocol = protocolComponent(protocol);
  component.username = new Component(patterns.username, canonicalize.canonicalizeUsername, defaultOptions);
  component.password = new Component(patterns.password, canonicalize.canonicalizePassword, defaultOptions);
  const { canonicalizeHostname, canonicalizeIPv6Hostname } = canonicalize;
  component.hostname = new Component(hostname,
    isIPv6Pattern(hostname) ? canonicalizeIPv6Hostname : canonicalizeHostname, hostnameOptions);
  component.port = new Component(patterns.port, (value) => canonicalize.canonicalizePort(value), defaultOptions);
  component.pathname = component.protocol.matchesSpecialScheme()
    ? new Component(patterns.pathname, canonicalize.canonicalizePathname, makeOptions("/", "/", ignoreCase))
    : new Component(patterns.pathname, canonicalize.canonicalizeOpaquePathname, options);
  component.search = new Component(patterns.search, canonicalize.canonicalizeSearch, options);
  component.hash = new Component(patterns.hash, canonicalize.canonicalizeHash, options);
  return component;
}

/** The component strings of what is to be matched; null if it is invalid. */
function componentsOfInput(input, baseURL) {
  const values = { __proto__: null };
  for (let i = 0; i < COMPONENTS.length; i++) values[COMPONENTS[i]] = "";
  if (typeof input !== "string") {
    try {
      return canonicalize.processInit(input, false, values);
    } catch {
      return null;
    }
  }
  const base = baseURL === undefined ? null : parseURL(baseURL);
  if (baseURL !== undefined && base === null) return null;
  const url = parseURL(input, base);
  if (url === null) return null;
  values.protocol = url.scheme;
  values.username = url.username;
  values.password = url.password;
  values.hostname = url.host ?? "";
  values.port = url.port === null ? "" : `${url.port}`;
  values.pathname = url.path;
  values.search = url.query ?? "";
  values.hash = url.fragment ?? "";
  return values;
}

// Section 1.5: match. Gives { values, matches } by component, or null.
function match(component, input, baseURL) {
  if (typeof input !== "string" && baseURL !== undefined) {
    throw new TypeError("A base URL must be in the init, not beside it.");
  }
  const values = componentsOfInput(input, baseURL);
  if (values === null) return null;
  const matches = { __proto__: null };
  for (let i = 0; i < COMPONENTS.length; i++) {
    const name = COMPONENTS[i];
    matches[name] = component[name].exec(values[name]);
    if (matches[name] === null) return null;
  }
  return { __proto__: null, values, matches };
}

function defineValue(object, key, value) {
  ObjectDefineProperty(object, key, { __proto__: null, value, writable: true, enumerable: true, configurable: true });
}

// Section 1.5: create a component match result.
function componentResult(component, input, captures) {
  const groups = {};
  for (let i = 0; i < component.names.length; i++) defineValue(groups, component.names[i], captures[i + 1]);
  return { groups, input };
}

const RESULT_KEYS = ["hash", "hostname", "inputs", "password", "pathname", "port", "protocol", "search", "username"];

/** A dictionary of the tenant's, back as an ordinary object. */
function toOrdinary(input) {
  if (typeof input === "string") return input;
  const result = {};
  for (const key in input) defineValue(result, key, input[key]);
  return result;
}

class URLPattern {
  #component;

  constructor(input = undefined, baseURL = undefined, options = undefined) {
    const prefix = "Failed to construct 'URLPattern'";
    const converted = toInput(input, prefix);
    let base;
    if (arguments.length > 2 || !isDictionary(baseURL)) {
      base = toUSVString(baseURL, prefix, "parameter 2");
      options = toOptions(options, prefix, "parameter 3");
    } else {
      options = toOptions(baseURL, prefix, "parameter 2");
    }
    this.#component = createPattern(converted, base, options);
  }

  static #of(pattern) {
    if (!(#component in pattern)) throw illegalInvocation();
    return pattern.#component;
  }

  get protocol() { return URLPattern.#of(this).protocol.pattern; }
  get username() { return URLPattern.#of(this).username.pattern; }
  get password() { return URLPattern.#of(this).password.pattern; }
  get hostname() { return URLPattern.#of(this).hostname.pattern; }
  get port() { return URLPattern.#of(this).port.pattern; }
  get pathname() { return URLPattern.#of(this).pathname.pattern; }
  get search() { return URLPattern.#of(this).search.pattern; }
  get hash() { return URLPattern.#of(this).hash.pattern; }

  get hasRegExpGroups() {
    const component = URLPattern.#of(this);
    for (let i = 0; i < COMPONENTS.length; i++) if (component[COMPONENTS[i]].hasRegExpGroups) return true;
    return false;
  }

  test(input = undefined, baseURL = undefined) {
    const component = URLPattern.#of(this), prefix = "Failed to execute 'test' on 'URLPattern'";
    const converted = toInput(input, prefix);
    const base = baseURL === undefined ? undefined : toUSVString(baseURL, prefix, "parameter 2");
    return match(component, converted, base) !== null;
  }

  exec(input = undefined, baseURL = undefined) {
    const component = URLPattern.#of(this), prefix = "Failed to execute 'exec' on 'URLPattern'";
    const converted = toInput(input, prefix);
    const base = baseURL === undefined ? undefined : toUSVString(baseURL, prefix, "parameter 2");
    const found = match(component, converted, base);
    if (found === null) return null;
    const inputs = [toOrdinary(converted)];
    if (base !== undefined) ArrayPrototypePush(inputs, base);
    const result = {};
    for (let i = 0; i < RESULT_KEYS.length; i++) {
      const key = RESULT_KEYS[i];
      defineValue(result, key, key === "inputs" ? inputs
        : componentResult(component[key], found.values[key], found.matches[key]));
    }
    return result;
  }
}
defineInterface(URLPattern);

provide({ URLPattern });
