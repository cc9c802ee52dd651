// Fetch Standard, section 4.4: HTTP-redirect fetch, as Workers do it: all headers go along to another origin, but not
// Authorization.
const { TypeError } = primordials;
const { parseURL, serializedOriginOf } = use("URL/url");
const { removeHeader } = use("Fetch/headers");
const { requireGoodPort } = use("Fetch/schemeFetch");

const redirectLimit = 20;
// What is said of a body that is not sent any more.
const bodyHeaders = ["content-encoding", "content-language", "content-length", "content-location", "content-type"];

/** Section 2.2.3: a redirect status. */
function isRedirectStatus(status) {
  return status === 301 || status === 302 || status === 303 || status === 307 || status === 308;
}

/** Makes a Fetch the one that an answer redirects to. Throws TypeError for a network error. */
function applyRedirect(fetch, status, location) {
  const record = parseURL(location, fetch.record);
  if (record === null || (record.scheme !== "http" && record.scheme !== "https")) {
    throw new TypeError(`Fetch API cannot follow a redirect to: ${location}`);
  }
  if (fetch.redirects === redirectLimit) throw new TypeError("Too many redirects.");
  fetch.redirects++;
  if (record.includesCredentials) throw new TypeError("Fetch API cannot follow a redirect to a URL with credentials.");
  requireGoodPort(record);
  if (status !== 303 && !fetch.isRepeatable()) {
    throw new TypeError("A request with a one-time-use body (it was initialized from a stream, not a buffer) "
      + "encountered a redirect requiring the body to be retransmitted. To avoid this error in the future, construct "
      + "this request from a buffer-like body initializer.");
  }
  const { method } = fetch;
  const becomesGet = status === 303 ? method !== "GET" && method !== "HEAD"
    : (status === 301 || status === 302) && method === "POST";
  if (becomesGet) {
    fetch.method = "GET";
    fetch.dropBody(undefined);
    for (let i = 0; i < bodyHeaders.length; i++) removeHeader(fetch.headerList, bodyHeaders[i]);
  }
  if (serializedOriginOf(record) !== serializedOriginOf(fetch.record)) {
    removeHeader(fetch.headerList, "authorization");
  }
  fetch.record = record;
}

provide({ applyRedirect, isRedirectStatus });
