// Fetch Standard, section 5.4: what is rarely given of the RequestInit dictionary. These members mean little without a
// browser around; they are checked and kept because programs read them back.
const { Error, RegExpPrototypeExec, StringPrototypeToUpperCase, TypeError } = primordials;
const { converters, enumeration } = use("WebIDL/webidl");
const { serializedOriginOf } = use("URL/url");
const { isEnabled } = use("Workers/compatibility");
const { parseAgainstBase, settingsOrigin } = use("Fetch/settings");

/** The options of a request that says nothing about them. Options records are shared and never changed. */
const defaultOptions = {
  cache: "default", credentials: "same-origin", integrity: "", keepalive: false, mode: "cors", priority: "auto",
  redirect: "follow", referrer: "about:client", referrerPolicy: "",
};

/** Those of an incoming request. */
const incomingOptions = {
  cache: "default", credentials: "same-origin", integrity: "", keepalive: false, mode: "cors", priority: "auto",
  redirect: "manual", referrer: "about:client", referrerPolicy: "",
};

const requestCredentials = enumeration("RequestCredentials", ["omit", "same-origin", "include"]);
const requestDuplex = enumeration("RequestDuplex", ["half"]);
// "navigate" is a mode too, but none that a program may give.
const requestMode = enumeration("RequestMode", ["same-origin", "no-cors", "cors"]);
const requestPriority = enumeration("RequestPriority", ["high", "low", "auto"]);
const referrerPolicy = enumeration("ReferrerPolicy", [
  "", "no-referrer", "no-referrer-when-downgrade", "same-origin", "origin", "strict-origin", "origin-when-cross-origin",
  "strict-origin-when-cross-origin", "unsafe-url",
]);

const contextOf = (member) => `parameter 2, member '${member}'`;

function cacheMember(value, prefix) {
  const mode = converters.DOMString(value, prefix, contextOf("cache"));
  if (!isEnabled("cache_option_enabled")) {
    throw new Error("The 'cache' field on 'RequestInitializerDict' is not implemented.");
  }
  if (mode === "default" || mode === "no-store" || mode === "no-cache" || mode === "reload") return mode;
  throw new TypeError(`Unsupported cache mode: ${mode}`);
}

function redirectMember(value, prefix) {
  const mode = converters.DOMString(value, prefix, contextOf("redirect"));
  if (mode === "follow" || mode === "manual") return mode;
  throw new TypeError('Invalid redirect value, must be one of "follow" or "manual" ("error" won\'t be implemented '
    + 'since it does not make sense at the edge; use "manual" and check the response status code).');
}

// Steps 14.1 to 14.3 of the constructor.
function referrerMember(value, prefix) {
  const referrer = converters.USVString(value, prefix, contextOf("referrer"));
  if (referrer === "") return "";
  const record = parseAgainstBase(referrer);
  if (record === null) throw new TypeError(`${prefix}: ${contextOf("referrer")} is not a valid URL.`);
  const isAboutClient = record.scheme === "about" && record.path === "client";
  return isAboutClient || serializedOriginOf(record) !== settingsOrigin() ? "about:client" : record.href;
}

/** The method, which Workers write in upper case whatever it is. */
function methodMember(value, prefix) {
  const method = converters.ByteString(value, prefix, contextOf("method"));
  const upper = StringPrototypeToUpperCase(method);
  const isToken = RegExpPrototypeExec(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/, method) !== null;
  if (!isToken || upper === "CONNECT" || upper === "TRACK") {
    throw new TypeError(`Invalid HTTP method string: ${method}`);
  }
  if (isEnabled("upper_case_all_http_methods")) return upper;
  // Section 2.2.1, "normalize": the standard's own names only.
  const isKnown = upper === "DELETE" || upper === "GET" || upper === "HEAD" || upper === "OPTIONS" || upper === "POST"
    || upper === "PUT";
  return isKnown ? upper : method;
}

/** Steps 28 and 29's condition: a method of a "no-cors" request. */
function requireSimpleMethod(method) {
  if (method === "GET" || method === "HEAD" || method === "POST") return;
  throw new TypeError(`The method ${method} is not allowed in mode 'no-cors'.`);
}

provide({
  cacheMember, contextOf, defaultOptions, incomingOptions, methodMember, redirectMember, referrerMember, referrerPolicy,
  requestCredentials, requestDuplex, requestMode, requestPriority, requireSimpleMethod,
});
