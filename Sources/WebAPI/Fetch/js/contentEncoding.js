// What Workers do with an answer that says it is compressed but was not: they compress it.
const { markHandled } = use("Streams/promises");
const { createTransform } = use("Streams/transform");
const { pipe } = use("Streams/pipe");
const { CompressionTransformer } = use("Compression/compression");
const { Body, requireUsable, streamOf } = use("Fetch/body");

// The codings of Content-Encoding that are applied, with their names in CompressionStream.
const formats = { __proto__: null, gzip: "gzip", br: "brotli" };

/** The body that an answer is sent with for a Content-Encoding. What the host holds has its coding already. */
function encodedBody(body, coding) {
  const format = formats[coding];
  const isHostBody = body.bodyId !== 0 || (body.stream !== null && body.stream.bodyId !== undefined);
  if (format === undefined || isHostBody) return body;
  requireUsable(body);
  const transform = createTransform(new CompressionTransformer(format, false));
  markHandled(pipe(streamOf(body), transform.writable));
  return new Body(null, transform.readable, null);
}

provide({ encodedBody });
