// Fetch Standard, section 5.6: fetch(), and sections 4.1 to 4.6 as far as Workers have them: requests to origins. The
// host counts, queues and sends them; redirects are followed here (see Fetch/redirect). Needs the ops
//   fetchStart(method, url, headers, body, length, isFollowed, binding) -> ticket, by which the subrequest is known
//     too. `url` is absolute and has no fragment, `headers` are as in respond(); `body` is null, a string, bytes, the
//     number of a body that the host holds and nobody has read from, or true for pieces that follow, `length` bytes of
//     them or -1. `binding`: the place of the service binding that the request goes to, or null for its origin.
//     The ticket gives [status, reason, bodyId or 0].
//   fetchHeaders(f) -> [name, value, name, value ...] of the answer that has come, names in lower case
//   fetchWrite(f, bytes) -> 0, a ticket to wait for before more is written, or -1 if nobody takes any more
//   fetchEnd(f): the body is complete
//   fetchAbort(f) -> the ticket that the host would have settled next and will not now, or 0
// and, if isFollowed, that the host calls entries.fetchEnded(f) when the body was read to its end or given up.
const { PromiseReject, PromiseResolve, SafeMap, TypeError } = primordials;
const { exposeOperations, requireArguments } = use("WebIDL/webidl");
const { expectTicket, rejectTicket, ticketPromise } = use("Core/tickets");
const { refuseInGlobalScope } = use("Core/scope");
const { abortReason, addAbortAlgorithm, isAborted, removeAbortAlgorithm } = use("DOM/abort");
const { serializeURL } = use("URL/url");
const { defineRecord } = use("Core/records");
const { Deferred, markHandled } = use("Streams/promises");
const { getHeader } = use("Fetch/headers");
const { bodyOf, bytesOfSource, failHostBody, requireUsable, takeBodyId } = use("Fetch/body");
const {
  Request, bodyHolder, headerListOf, methodOf, requestInnerOf, signalOf, urlRecordOf,
} = use("Fetch/request");
const { makeHostResponse, responseInnerOf } = use("Fetch/response");

// Fetches whose answers may still be aborted, by their numbers.
const followed = new SafeMap();
// Called when the host has ended a subrequest that is a WebSocket.
let forgetSocket = () => {};
const whenSocketEnds = (callback) => { forgetSocket = callback; };

/** One call of fetch(). It waits for tickets itself: see resolve() and reject(). */
class Fetch {
  constructor(inner, record, signal, binding) {
    this.deferred = new Deferred();
    this.record = record;
    this.method = methodOf(inner);
    this.headerList = headerListOf(inner);
    this.followsRedirects = inner.options.redirect === "follow";
    this.redirects = 0;
    // The body: a string or bytes, which may be sent again, the number of one that the host holds, or null; or a
    // stream.
    this.source = null;
    this.stream = null;
    this.uploader = null;
    this.ticket = 0;
    this.responseInner = null;
    this.signal = signal;
    this.binding = binding;
    this.algorithm = null;
  }

  takeBody({ body }) {
    if (body === null || typeof body === "string") {
      this.source = body;
      return;
    }
    requireUsable(body);
    const bodyId = takeBodyId(body);
    if (bodyId !== 0) this.source = bodyId;
    else if (body.stream !== null) this.stream = body.stream;
    else this.source = typeof body.source === "string" ? body.source : bytesOfSource(body.source);
  }

  /** Whether the body, if there is one, can be sent again. */
  isRepeatable() { return this.stream === null && typeof this.source !== "number"; }

  dropBody(reason) {
    this.source = null;
    this.stream = null;
    if (this.uploader !== null) this.uploader.stop(reason);
    this.uploader = null;
  }

  follow() {
    this.algorithm = () => { this.terminate(abortReason(this.signal)); };
    addAbortAlgorithm(this.signal, this.algorithm);
  }

  unfollow() {
    if (this.algorithm !== null) removeAbortAlgorithm(this.signal, this.algorithm);
    this.algorithm = null;
  }

  /** "HTTP-network fetch". Throws if the host refuses. */
  send() {
    const { headerList, source, stream } = this;
    let headers = "";
    for (let i = 0; i < headerList.length; i += 2) headers += `${headerList[i]}: ${headerList[i + 1]}\r\n`;
    const url = serializeURL(this.record, true), length = stream === null ? -1 : stream.byteLength ?? -1;
    this.ticket = ops.fetchStart(
      this.method, url, headers, stream === null ? source : true, length, this.signal !== null,
      this.binding);
    expectTicket(this.ticket, this);
    if (stream === null) return;
    this.uploader = new Uploader(this, stream);
    use("Fetch/bodyReader").readChunks(stream, this.uploader);
  }

  /** The answer's head has come. */
  resolve(answer) {
    const status = answer[0], bodyId = answer[2], headerList = ops.fetchHeaders(this.ticket);
    if (this.followsRedirects && status >= 301 && status <= 308) {
      const location = getHeader(headerList, "location");
      if (location !== null && use("Fetch/redirect").isRedirectStatus(status)) {
        this.redirect(status, location, bodyId);
        return;
      }
    }
    const url = serializeURL(this.record, true);
    const response = status === 101 ? this.upgraded(answer[1], headerList, url)
      : makeHostResponse(status, answer[1], headerList, url, this.redirects > 0, bodyId);
    if (this.signal !== null) this.keepFollowing(response, bodyId);
    this.deferred.resolve(response);
  }

  upgraded(statusText, headerList, url) {
    const response = makeHostResponse(101, statusText, headerList, url, this.redirects > 0, 0);
    const protocol = getHeader(headerList, "sec-websocket-protocol") ?? "";
    const webSocket = use("WebSockets/webSocket").adopt(this.ticket, protocol);
    responseInnerOf(response).extras = { cf: undefined, encodeBody: undefined, webSocket };
    return response;
  }

  keepFollowing(response, bodyId) {
    if (bodyId === 0) {
      this.unfollow();
      return;
    }
    this.responseInner = responseInnerOf(response);
    followed.set(bodyId, this);
  }

  redirect(status, location, bodyId) {
    try {
      if (bodyId !== 0) ops.bodyCancel(bodyId);
      use("Fetch/redirect").applyRedirect(this, status, location);
      this.send();
    } catch (error) {
      this.reject(error);
    }
  }

  /** There will be no answer. */
  reject(error) {
    this.unfollow();
    this.dropBody(error);
    this.deferred.reject(error);
  }

  /** "Abort a fetch() call", and the same for a request's body that fails. */
  terminate(reason) {
    const waiting = ops.fetchAbort(this.ticket);
    this.dropBody(reason);
    if (this.responseInner !== null) {
      followed.delete(this.ticket);
      this.unfollow();
      failHostBody(bodyOf(this.responseInner), reason);
    }
    if (waiting !== 0) rejectTicket(waiting, reason);
  }
}
defineRecord(Fetch);

/** Sends a stream as a request's body, as fast as it is taken. */
class Uploader {
  constructor(fetch, stream) {
    this.fetch = fetch;
    this.ticket = fetch.ticket;
    this.stream = stream;
    this.isOver = false;
  }

  chunk(bytes) {
    if (this.isOver) return undefined;
    const ticket = ops.fetchWrite(this.ticket, bytes);
    if (ticket < 0) this.stop(undefined);
    return ticket > 0 ? ticketPromise(ticket) : undefined;
  }

  end() {
    if (this.isOver) return;
    this.isOver = true;
    ops.fetchEnd(this.ticket);
  }

  fail(error) {
    if (this.isOver) return;
    this.isOver = true;
    this.fetch.terminate(error);
  }

  /** Nobody takes any more. */
  stop(reason) {
    if (this.isOver) return;
    this.isOver = true;
    markHandled(this.stream.cancel(reason));
  }
}
defineRecord(Uploader);

entries.fetchEnded = (ticket) => {
  const fetch = followed.get(ticket);
  if (fetch === undefined) {
    forgetSocket(ticket);
    return;
  }
  followed.delete(ticket);
  fetch.unfollow();
};

// An incoming request's own signal needs no following: the host ends a request's subrequests with it.
const signalToFollow = (inner) => (
  inner.signal !== null || typeof inner.signalSource === "object" && inner.signalSource !== null
    ? signalOf(inner) : null
);

/** "Fetch" for a request's inner, by its origin or by a service binding. May throw. */
function fetchInner(inner, binding = null) {
  const record = urlRecordOf(inner), { scheme } = record, signal = signalToFollow(inner);
  if (signal !== null && isAborted(signal)) throw abortReason(signal);
  if (scheme !== "http" && scheme !== "https") {
    if (binding !== null) throw new TypeError(`A service binding takes requests for http and https, not ${scheme}.`);
    return PromiseResolve(use("Fetch/schemeFetch").schemeFetch(inner));
  }
  if (record.port !== null) use("Fetch/schemeFetch").requireGoodPort(record);
  const fetch = new Fetch(inner, record, signal, binding);
  fetch.takeBody(bodyHolder(inner));
  fetch.send();
  if (signal !== null) fetch.follow();
  return fetch.deferred.promise;
}

exposeOperations({
  __proto__: null,
  fetch(input, requestInit = undefined) {
    try {
      requireArguments(arguments.length, 1, "Failed to execute 'fetch' on 'ServiceWorkerGlobalScope'");
      refuseInGlobalScope();
      return fetchInner(requestInnerOf(new Request(input, requestInit)));
    } catch (error) {
      return PromiseReject(error);
    }
  },
});

provide({ Uploader, fetchInner, whenSocketEnds });
