// What Workers do with an answer that says it is compressed but was not: they compress it. Needs the op
//   bodyCoding(id) -> the content coding in which the host has the body of a subrequest's answer, "" for none; null for
//     any other body
const { markHandled } = use("Streams/promises");
const { createTransform } = use("Streams/transform");
const { pipe } = use("Streams/pipe");
const { CompressionTransformer } = use("Compression/compression");
const { Body, hostBodyIdOf, requireUsable, streamOf } = use("Fetch/body");

// The codings of Content-Encoding that are applied, with their names in CompressionStream.
const formats = { __proto__: null, gzip: "gzip", br: "brotli" };

// What the host holds in that coding is sent as it is; so is a client's own body, whatever it is.
function isCoded(bodyId, coding) {
  if (bodyId === 0) return false;
  const held = ops.bodyCoding(bodyId);
  return held === null || held === coding;
}

/** The body that an answer is sent with for a Content-Encoding. */
function encodedBody(body, coding) {
  const format = formats[coding];
  if (format === undefined || isCoded(hostBodyIdOf(body), coding)) return body;
  requireUsable(body);
  const transform = createTransform(new CompressionTransformer(format, false));
  markHandled(pipe(streamOf(body), transform.writable));
  return new Body(null, transform.readable, null);
}

provide({ encodedBody });
