// HTML Standard, section 8.1.3: of the settings object, the API base URL. Workers have none, so that relative URLs are
// errors; a host may give one. Needs the op
//   baseURL() -> string, or null: the absolute URL against which a worker's relative ones are parsed.
const { parseURL, serializedOriginOf } = use("URL/url");

// undefined until somebody needs it.
let base;

function baseURL() {
  if (base === undefined) {
    const url = ops.baseURL();
    base = url === null ? null : parseURL(url);
  }
  return base;
}

/** "Encoding-parse a URL": the record, or null for failure. */
function parseAgainstBase(url) {
  return parseURL(url) ?? (baseURL() === null ? null : parseURL(url, baseURL()));
}

/** The origin, serialized. */
function settingsOrigin() {
  return baseURL() === null ? "null" : serializedOriginOf(baseURL());
}

provide({ parseAgainstBase, settingsOrigin });
