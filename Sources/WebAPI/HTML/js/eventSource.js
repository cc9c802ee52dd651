// HTML Standard, section 9.2: server-sent events, over fetch; and EventSource.from(stream), as Workers have it.
const {
  ArrayPrototypePush, Number, PromisePrototypeThen, RegExpPrototypeExec, StringPrototypeIncludes,
  StringPrototypeIndexOf, StringPrototypeSlice, StringPrototypeStartsWith, TypedArrayPrototypeGetByteLength,
} = primordials;
const {
  converters, defineConstants, defineInterface, dictionary, interfaceConverter, requireArguments,
} = use("WebIDL/webidl");
const { concatBytes, copyBytes, viewOf } = use("WebIDL/bufferSource");
const { DOMException } = use("DOM/exception");
const { createSignal, signalAbort } = use("DOM/abort");
const { EventTarget, defineEventHandlers, dispatchTrusted, fireEvent } = use("DOM/target");
const { parseAgainstBase } = use("Fetch/settings");
const { serializedOriginOf } = use("URL/url");
const { createMessageEvent } = use("HTML/events");
const { cancel, runAfter } = use("HTML/timers");
const { refuseInGlobalScope } = use("Core/scope");

const CONNECTING = 0, OPEN = 1, CLOSED = 2;
const LF = 10, CR = 13;
const constants = { __proto__: null, CONNECTING, OPEN, CLOSED };
const eventSourceInit = dictionary("EventSourceInit", [
  { __proto__: null, key: "withCredentials", converter: converters.boolean, defaultValue: () => false },
]);
const fromStream = { __proto__: null };

/** Section 9.2.6: takes a stream of bytes apart. `steps` has event(type, data, lastEventId) and retry(milliseconds). */
class EventStreamParser {
  constructor(steps, lastEventId) {
    this.steps = steps;
    // The beginning of a line whose end has not come, in pieces.
    this.pieces = [];
    this.size = 0;
    this.isFirstLine = true;
    this.hasReturned = false;
    this.data = "";
    this.hasData = false;
    this.type = "";
    this.lastEventId = lastEventId;
  }

  feed(bytes) {
    const length = TypedArrayPrototypeGetByteLength(bytes);
    let start = 0;
    for (let i = 0; i < length; i++) {
      const byte = bytes[i];
      if (byte !== LF && byte !== CR) {
        this.hasReturned = false;
        continue;
      }
      // The second half of CR LF ends nothing.
      if (byte === LF && this.hasReturned) {
        this.hasReturned = false;
        start = i + 1;
        continue;
      }
      this.hasReturned = byte === CR;
      this.keep(viewOf(bytes, start, i));
      start = i + 1;
      this.line(this.takeText());
    }
    if (start < length) this.keep(copyBytes(viewOf(bytes, start)));
  }

  keep(bytes) {
    ArrayPrototypePush(this.pieces, bytes);
    this.size += TypedArrayPrototypeGetByteLength(bytes);
  }

  takeText() {
    const { pieces, size } = this;
    this.pieces = [];
    this.size = 0;
    const text = engine.utf8Decode(pieces.length === 1 ? pieces[0] : concatBytes(pieces, size), false);
    if (!this.isFirstLine) return text;
    this.isFirstLine = false;
    return StringPrototypeStartsWith(text, "\uFEFF") ? StringPrototypeSlice(text, 1) : text;
  }

  line(text) {
    if (text === "") {
      this.dispatch();
      return;
    }
    const colon = StringPrototypeIndexOf(text, ":");
    if (colon === 0) return;
    const field = colon < 0 ? text : StringPrototypeSlice(text, 0, colon);
    let value = colon < 0 ? "" : StringPrototypeSlice(text, colon + 1);
    if (StringPrototypeStartsWith(value, " ")) value = StringPrototypeSlice(value, 1);
    this.field(field, value);
  }

  field(field, value) {
    if (field === "event") this.type = value;
    else if (field === "id" && !StringPrototypeIncludes(value, "\0")) this.lastEventId = value;
    else if (field === "retry" && RegExpPrototypeExec(/^[0-9]+$/, value) !== null) this.steps.retry(Number(value));
    else if (field === "data") {
      this.data = this.hasData ? `${this.data}\n${value}` : value;
      this.hasData = true;
    }
  }

  dispatch() {
    const { type, data, hasData } = this;
    this.data = this.type = "";
    this.hasData = false;
    this.steps.keepId(this.lastEventId);
    if (hasData) this.steps.event(type === "" ? "message" : type, data);
  }
}

let isEventSource;

class EventSource extends EventTarget {
  #record; #withCredentials = false; #state = CONNECTING;
  #signal = null; #timer = 0; #origin = "";
  // Milliseconds before a connection that was lost is made again; what the server may set is at least nothing.
  #retryTime = 3000; #lastEventId = "";

  constructor(url, eventSourceInitDict = undefined) {
    const prefix = "Failed to construct 'EventSource'";
    requireArguments(arguments.length, 1, prefix);
    super();
    if (url === fromStream) {
      this.#record = null;
      return;
    }
    refuseInGlobalScope();
    const text = converters.USVString(url, prefix, "parameter 1");
    this.#withCredentials = eventSourceInit(eventSourceInitDict, prefix, "parameter 2").withCredentials;
    this.#record = parseAgainstBase(text);
    if (this.#record === null) throw new DOMException(`${prefix}: Invalid URL: ${text}`, "SyntaxError");
    this.#connect();
  }

  static from(stream) {
    const prefix = "Failed to execute 'from' on 'EventSource'";
    requireArguments(arguments.length, 1, prefix);
    const { Response } = use("Fetch/response"), source = new EventSource(fromStream);
    const body = use("Fetch/body").bodyOf(use("Fetch/response").responseInnerOf(new Response(stream)));
    use("Fetch/body").requireUsable(body);
    use("HTML/global").runAsMicrotask(() => source.#read(body, undefined));
    return source;
  }

  get url() { return this.#record === null ? "" : this.#record.href; }
  get withCredentials() { return this.#withCredentials; }
  get readyState() { return this.#state; }

  close() {
    this.#state = CLOSED;
    if (this.#timer !== 0) cancel(this.#timer);
    this.#timer = 0;
    if (this.#signal !== null) signalAbort(this.#signal, new DOMException("The EventSource was closed", "AbortError"));
    this.#signal = null;
  }

  #connect() {
    this.#timer = 0;
    const { Request, requestInnerOf } = use("Fetch/request");
    const headers = { __proto__: null, "accept": "text/event-stream", "cache-control": "no-store" };
    if (this.#lastEventId !== "") headers["last-event-id"] = this.#lastEventId;
    const signal = this.#signal = createSignal();
    let promise;
    try {
      const request = new Request(this.#record.href, { __proto__: null, headers, signal });
      promise = use("Fetch/fetch").fetchInner(requestInnerOf(request));
    } catch {
      // Nothing that would be better another time, such as too many subrequests.
      use("HTML/global").runAsMicrotask(() => this.#fail());
      return;
    }
    PromisePrototypeThen(promise, (response) => this.#respond(response, signal), () => this.#lost(signal));
  }

  #respond(response, signal) {
    if (this.#signal !== signal) return;
    const inner = use("Fetch/response").responseInnerOf(response);
    const type = use("Fetch/mime").extractMIMEType(use("Fetch/headers").getHeader(inner.headerList, "content-type"));
    if (inner.status !== 200 || type === null || type.essence !== "text/event-stream") {
      this.#fail();
      return;
    }
    this.#origin = serializedOriginOf(parseAgainstBase(inner.url));
    if (inner.body === null) this.#lost(signal);
    else this.#read(use("Fetch/body").bodyOf(inner), signal);
  }

  #read(body, signal) {
    if (this.#state === CLOSED) return;
    this.#state = OPEN;
    fireEvent(this, "open");
    if (this.#state === CLOSED) return;
    const parser = new EventStreamParser({
      __proto__: null,
      event: (type, data) => {
        if (this.#state !== OPEN) return;
        dispatchTrusted(this, createMessageEvent(type, data, undefined, this.#origin, this.#lastEventId));
      },
      keepId: (id) => { this.#lastEventId = id; },
      retry: (milliseconds) => { this.#retryTime = milliseconds; },
    }, this.#lastEventId);
    use("Fetch/bodyReader").readChunks(use("Fetch/body").streamOf(body), {
      __proto__: null,
      chunk(bytes) { parser.feed(bytes); },
      end: () => { this.#lost(signal); },
      fail: () => { this.#lost(signal); },
    });
  }

  // "Reestablish the connection". A stream that was given has none.
  #lost(signal) {
    if (this.#state === CLOSED || this.#signal !== (signal ?? null)) return;
    if (this.#record === null) {
      this.#fail();
      return;
    }
    this.#signal = null;
    this.#state = CONNECTING;
    fireEvent(this, "error");
    if (this.#state === CONNECTING) this.#timer = runAfter(this.#retryTime, () => { this.#connect(); });
  }

  // "Fail the connection".
  #fail() {
    if (this.#state === CLOSED) return;
    this.close();
    fireEvent(this, "error");
  }

  static { isEventSource = (value) => typeof value === "object" && value !== null && #record in value; }
}
defineInterface(EventSource);
defineConstants(EventSource, constants);
const receiverSource = interfaceConverter("EventSource", isEventSource);
defineEventHandlers(EventSource.prototype, ["open", "message", "error"],
  (value) => receiverSource(value, undefined, "The receiver"));

provide({ EventSource });
