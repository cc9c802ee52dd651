// Answers: a Response goes to the host in one call if its body is at hand, and else in pieces, as fast as the client
// takes them. In the ops x is the number of the exchange and `headers` a string "name: value\r\nname: value\r\n ...",
// with names in lower case and values that are to be sent as UTF-8; the host leaves out those that are about framing.
//   respond(x, status, statusText, headers, body): the whole answer; body is null, a string (sent as UTF-8) or bytes
//   respondPipe(x, status, statusText, headers, bodyId, coding) -> whether that was all: the body is one that the host
//     holds and nobody has read from; it is sent in the content coding, which is null for none
//   respondStream(x, status, statusText, headers, length): the body follows; length is -1 if it is not known
//   responseWrite(x, bytes) -> 0, or a ticket to wait for before more is written
//   responseEnd(x)
//   responseAbort(x, message): the body failed; the message is for the log
// entries.responseCanceled(x) is called when nobody wants the rest of an answer that is being written, and
// entries.exchangeEnded(x) when the host has ended an exchange of which something is kept here.
const { SafeMap, TypeError } = primordials;
const { ticketPromise } = use("Core/tickets");
const { blobParts, isBlob } = use("FileAPI/blob");
const { defineRecord } = use("Core/records");
const { markHandled } = use("Streams/promises");
const { bodyOf, lengthOfSource, requireUsable, streamOf, takeBodyId, usedBody } = use("Fetch/body");
const { disconnected, forgetExchange } = use("Fetch/hostRequest");
const { isResponse, responseInnerOf } = use("Fetch/response");

/** Answers an exchange with what a handler gave. Throws if that is no Response, or one that cannot be sent. */
function respond(exchange, response) {
  if (!isResponse(response)) {
    throw new TypeError("Incorrect type for Promise: the Promise did not resolve to 'Response'.");
  }
  const inner = responseInnerOf(response);
  const { status, statusText, headerList } = inner;
  if (status === 0) {
    throw new TypeError("Return value from serve handler must not be an error response (like Response.error())");
  }
  let headers = "", coding = null;
  for (let i = 0; i < headerList.length; i += 2) {
    const name = headerList[i], value = headerList[i + 1];
    if (name === "content-encoding") coding = value;
    headers += `${name}: ${value}\r\n`;
  }
  if (inner.extras !== null && inner.extras.webSocket !== null) {
    use("WebSockets/webSocket").respondWithWebSocket(exchange, statusText, headers, inner.extras.webSocket);
    return;
  }
  if (coding !== null && inner.body !== null && inner.extras?.encodeBody !== "manual") {
    inner.body = use("Fetch/contentEncoding").encodedBody(bodyOf(inner), coding);
  }
  const body = inner.body;
  if (body === null || typeof body === "string") {
    if (body !== null) inner.body = usedBody();
    ops.respond(exchange, status, statusText, headers, body);
    forgetExchange(exchange);
  } else {
    respondWithBody(exchange, status, statusText, headers, body, coding);
  }
}

function respondWithBody(exchange, status, statusText, headers, body, coding) {
  requireUsable(body);
  const bodyId = takeBodyId(body);
  if (bodyId !== 0) {
    if (ops.respondPipe(exchange, status, statusText, headers, bodyId, coding)) forgetExchange(exchange);
    return;
  }
  const bytes = body.stream === null ? bytesAtHand(body.source) : null;
  if (bytes !== null) {
    body.isUsed = true;
    body.source = null;
    ops.respond(exchange, status, statusText, headers, bytes);
    forgetExchange(exchange);
    return;
  }
  const length = lengthOfSource(body.source), stream = streamOf(body);
  ops.respondStream(exchange, status, statusText, headers, stream.byteLength ?? length);
  const sender = new Sender(exchange, stream);
  senders.set(exchange, sender);
  use("Fetch/bodyReader").readChunks(stream, sender);
}

// What one call can give to the host, or null: a Blob of several parts is not joined for it.
function bytesAtHand(source) {
  if (!isBlob(source)) return source;
  const parts = blobParts(source);
  return parts.length > 1 ? null : parts.length === 1 ? parts[0] : "";
}

// The answers that are being written.
const senders = new SafeMap();

class Sender {
  constructor(exchange, stream) {
    this.exchange = exchange;
    this.stream = stream;
    this.isOver = false;
  }

  chunk(bytes) {
    if (this.isOver) return undefined;
    const ticket = ops.responseWrite(this.exchange, bytes);
    return ticket === 0 ? undefined : ticketPromise(ticket);
  }

  end() {
    if (this.finish()) ops.responseEnd(this.exchange);
  }

  fail(error) {
    if (this.finish()) ops.responseAbort(this.exchange, use("Console/inspect").inspect(error));
  }

  cancel() {
    if (this.finish()) markHandled(this.stream.cancel(disconnected()));
  }

  finish() {
    if (this.isOver) return false;
    this.isOver = true;
    senders.delete(this.exchange);
    forgetExchange(this.exchange);
    return true;
  }
}
defineRecord(Sender);

/** The host has ended the exchange: nobody takes any more of its answer, or hears of its signal. */
entries.exchangeEnded = (exchange) => {
  const sender = senders.get(exchange);
  if (sender !== undefined) sender.finish();
  else forgetExchange(exchange);
};

entries.responseCanceled = (exchange) => {
  const sender = senders.get(exchange);
  if (sender !== undefined) sender.cancel();
};

provide({ isResponse, respond });
