// HTML Standard: ErrorEvent (8.1.4.6), PromiseRejectionEvent (8.1.4.7), MessageEvent (9.1); WebSockets: CloseEvent.
const { ObjectFreeze } = primordials;
const {
  converters, defineInterface, dictionary, nullable, requireArguments, sequence,
} = use("WebIDL/webidl");
const { Event } = use("DOM/event");

const member = (key, type, fallback) => ({
  __proto__: null, key, converter: typeof type === "string" ? converters[type] : type, defaultValue: () => fallback,
});

const errorEventInit = dictionary("ErrorEventInit", [
  member("colno", "unsigned long", 0), member("error", "any", undefined), member("filename", "USVString", ""),
  member("lineno", "unsigned long", 0), member("message", "DOMString", ""),
]);

let errorDetails;

class ErrorEvent extends Event {
  #init;
  constructor(type, eventInitDict = undefined) {
    const prefix = "Failed to construct 'ErrorEvent'";
    requireArguments(arguments.length, 1, prefix);
    super(type, eventInitDict);
    this.#init = errorEventInit(eventInitDict, prefix, "parameter 2");
  }
  get message() { return this.#init.message; }
  get filename() { return this.#init.filename; }
  get lineno() { return this.#init.lineno; }
  get colno() { return this.#init.colno; }
  get error() { return this.#init.error; }
  static { errorDetails = (event) => #init in event ? event.#init : undefined; }
}
defineInterface(ErrorEvent);

const promiseRejectionEventInit = dictionary("PromiseRejectionEventInit", [
  { __proto__: null, key: "promise", required: true, converter: converters.object },
  member("reason", "any", undefined),
]);

class PromiseRejectionEvent extends Event {
  #promise; #reason;
  constructor(type, eventInitDict) {
    const prefix = "Failed to construct 'PromiseRejectionEvent'";
    requireArguments(arguments.length, 2, prefix);
    super(type, eventInitDict);
    const { promise, reason } = promiseRejectionEventInit(eventInitDict, prefix, "parameter 2");
    this.#promise = promise;
    this.#reason = reason;
  }
  get promise() { return this.#promise; }
  get reason() { return this.#reason; }
}
defineInterface(PromiseRejectionEvent);

const messageEventSource = nullable((V, prefix, context) => use("HTML/messaging").convertPort(V, prefix, context));
const portSequence = sequence((V, prefix, context) => use("HTML/messaging").convertPort(V, prefix, context));
const NO_PORTS = ObjectFreeze([]);
const messageEventInit = dictionary("MessageEventInit", [
  member("data", "any", null), member("lastEventId", "DOMString", ""), member("origin", "USVString", ""),
  member("ports", portSequence, NO_PORTS), member("source", messageEventSource, null),
]);

let createMessageEvent;

class MessageEvent extends Event {
  #init;
  constructor(type, eventInitDict = undefined) {
    const prefix = "Failed to construct 'MessageEvent'";
    requireArguments(arguments.length, 1, prefix);
    super(type, eventInitDict);
    this.#init = messageEventInit(eventInitDict, prefix, "parameter 2");
    ObjectFreeze(this.#init.ports);
  }
  static {
    createMessageEvent = (type, data, ports = NO_PORTS, origin = "", lastEventId = "") => {
      const event = new MessageEvent(type);
      event.#init = { __proto__: null, data, lastEventId, origin, ports, source: null };
      return event;
    };
  }
  get data() { return this.#init.data; }
  get origin() { return this.#init.origin; }
  get lastEventId() { return this.#init.lastEventId; }
  get source() { return this.#init.source; }
  get ports() { return this.#init.ports; }

  initMessageEvent(type, bubbles = false, cancelable = false, data = null, origin = "", lastEventId = "", source = null,
    ports = []) {
    const prefix = "Failed to execute 'initMessageEvent' on 'MessageEvent'";
    const current = this.#init;
    requireArguments(arguments.length, 1, prefix);
    const given = { __proto__: null, data, origin, lastEventId, source, ports };
    const init = messageEventInit(given, prefix, "the arguments");
    const isDispatched = this.eventPhase !== 0;
    this.initEvent(type, bubbles, cancelable);
    this.#init = isDispatched ? current : init;
    ObjectFreeze(init.ports);
  }
}
defineInterface(MessageEvent);

const closeEventInit = dictionary("CloseEventInit", [
  member("code", "unsigned short", 0), member("reason", "USVString", ""), member("wasClean", "boolean", false),
]);

class CloseEvent extends Event {
  #init;
  constructor(type, eventInitDict = undefined) {
    const prefix = "Failed to construct 'CloseEvent'";
    requireArguments(arguments.length, 1, prefix);
    super(type, eventInitDict);
    this.#init = closeEventInit(eventInitDict, prefix, "parameter 2");
  }
  get wasClean() { return this.#init.wasClean; }
  get code() { return this.#init.code; }
  get reason() { return this.#init.reason; }
}
defineInterface(CloseEvent);

provide({ CloseEvent, ErrorEvent, MessageEvent, PromiseRejectionEvent, createMessageEvent, errorDetails });
