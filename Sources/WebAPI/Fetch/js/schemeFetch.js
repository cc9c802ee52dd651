// Fetch Standard, section 4.2, "scheme fetch", for the schemes that need no network; and section 6, data: URLs.
const {
  RegExpPrototypeExec, String, StringPrototypeIncludes, StringPrototypeIndexOf, StringPrototypeSlice,
  StringPrototypeStartsWith, StringPrototypeTrim, TypeError,
} = primordials;
const { serializeURL } = use("URL/url");
const { percentDecodeString } = use("URL/percentEncoding");
const { blobSize, blobType } = use("FileAPI/blob");
const { extractBody } = use("Fetch/body");
const { methodOf, urlRecordOf } = use("Fetch/request");
const { makeLocalResponse } = use("Fetch/response");
const { parseMIMEType, serializeMIMEType } = use("Fetch/mime");

// Section 2.9, bad ports.
const badPorts = " 0 1 7 9 11 13 15 17 19 20 21 22 23 25 37 42 43 53 69 77 79 87 95 101 102 103 104 109 110 111 "
  + "113 115 117 119 123 135 137 139 143 161 179 389 427 465 512 513 514 515 526 530 531 532 540 "
  + "548 554 556 563 587 601 636 989 990 993 995 1719 1720 1723 2049 3659 4045 4190 5060 5061 6000 "
  + "6566 6665 6666 6667 6668 6669 6679 6697 10080 ";

/**
 * The Response to a request (its inner), or null if its URL is of http or https. Throws TypeError for a network
 * error.
 */
function schemeFetch(inner) {
  const record = urlRecordOf(inner), { scheme } = record;
  if (scheme === "http" || scheme === "https") {
    requireGoodPort(record);
    return null;
  }
  if (scheme === "data") return fetchData(inner, record);
  if (scheme === "blob") return fetchBlob(inner, record);
  throw new TypeError(`Fetch API cannot load: ${record.href}`);
}

/** Section 2.9, "block bad port", for a record of http or https: each hop of a redirect is asked. */
function requireGoodPort(record) {
  const { port } = record;
  if (port === null || !StringPrototypeIncludes(badPorts, ` ${port} `)) return;
  throw new TypeError(`Fetch API cannot load: port ${port} is not allowed: ${record.href}`);
}

function fetchBlob(inner, record) {
  const blob = inner.blob;
  if (blob === null || methodOf(inner) !== "GET") throw new TypeError(`Fetch API cannot load: ${record.href}`);
  const type = parseMIMEType(blobType(blob)) === null ? "" : blobType(blob);
  const headerList = ["content-length", String(blobSize(blob)), "content-type", type];
  return makeLocalResponse(headerList, extractBody(blob), record);
}

function fetchData(inner, record) {
  const data = parseDataURL(record);
  if (data === null) throw new TypeError("Fetch API cannot load: the data: URL is not valid.");
  const body = methodOf(inner) === "HEAD" ? null : extractBody(data.bytes);
  return makeLocalResponse(["content-type", data.type], body, record);
}

/** "data: URL processor": { type, bytes }, or null for failure. */
function parseDataURL(record) {
  const input = StringPrototypeSlice(serializeURL(record, true), 5);
  const comma = StringPrototypeIndexOf(input, ",");
  if (comma < 0) return null;
  let type = StringPrototypeTrim(StringPrototypeSlice(input, 0, comma));
  let bytes = percentDecodeString(StringPrototypeSlice(input, comma + 1));
  const base64 = RegExpPrototypeExec(/^(.*); *base64$/is, type);
  if (base64 !== null) {
    bytes = decodeForgivingBase64(engine.latin1Decode(bytes));
    if (bytes === null) return null;
    type = base64[1];
  }
  if (StringPrototypeStartsWith(type, ";")) type = `text/plain${type}`;
  const mimeType = parseMIMEType(type);
  return { type: mimeType === null ? "text/plain;charset=US-ASCII" : serializeMIMEType(mimeType), bytes };
}

function decodeForgivingBase64(text) {
  try {
    return engine.latin1Encode(use("HTML/base64").decode(text));
  } catch {
    return null;
  }
}

provide({ parseDataURL, requireGoodPort, schemeFetch });
