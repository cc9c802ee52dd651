// Service Workers, sections 4.4 and 4.6: ExtendableEvent and FetchEvent, for workers in service-worker syntax.
const { Error, PromisePrototypeThen, PromiseResolve } = primordials;
const { converters, defineInterface, exposeGlobals, requireArguments } = use("WebIDL/webidl");
const { Event } = use("DOM/event");
const { DOMException } = use("DOM/exception");
const { dispatchTrusted, globalEventTarget, hasListeners } = use("DOM/target");
const { respond } = use("Fetch/hostResponse");
const { failRequest, waitUntil } = use("Workers/context");

let bindExchange, exchangeOf, makeFetchEvent;

class ExtendableEvent extends Event {
  #exchange = 0;

  constructor(type, init = undefined) {
    requireArguments(arguments.length, 1, "Failed to construct 'ExtendableEvent'");
    super(type, init);
  }

  waitUntil(promise) {
    requireArguments(arguments.length, 1, "Failed to execute 'waitUntil' on 'ExtendableEvent'");
    waitUntil(this.#exchange, promise);
  }

  static {
    bindExchange = (event, exchange) => { event.#exchange = exchange; };
    exchangeOf = (event) => event.#exchange;
    makeFetchEvent = (exchange, request) => {
      const event = new FetchEvent("fetch", { __proto__: null, request });
      event.#exchange = exchange;
      return event;
    };
  }
}
defineInterface(ExtendableEvent);

let hasResponse;

class FetchEvent extends ExtendableEvent {
  #request; #responded = false;

  constructor(type, init) {
    requireArguments(arguments.length, 2, "Failed to construct 'FetchEvent'");
    super(type, init);
    this.#request = converters.object(init, "Failed to construct 'FetchEvent'", "parameter 2").request;
  }

  get request() { return this.#request; }

  respondWith(response) {
    requireArguments(arguments.length, 1, "Failed to execute 'respondWith' on 'FetchEvent'");
    if (this.#responded) {
      throw new DOMException("FetchEvent.respondWith() has already been called; it can only be called once.",
        "InvalidStateError");
    }
    this.#responded = true;
    this.stopImmediatePropagation();
    const exchange = exchangeOf(this);
    PromisePrototypeThen(
      PromiseResolve(response),
      (value) => {
        try {
          respond(exchange, value);
        } catch (error) {
          failRequest(exchange, error);
        }
      },
      (error) => failRequest(exchange, error),
    );
  }

  /** From now on what stands behind the zone, if anything does, answers in the worker's stead when it throws. */
  passThroughOnException() { ops.passThrough(exchangeOf(this)); }

  static { hasResponse = (event) => event.#responded; }
}
defineInterface(FetchEvent);
exposeGlobals({ __proto__: null, ExtendableEvent, FetchEvent });

const handlesFetch = () => hasListeners(globalEventTarget, "fetch");

/** Dispatches the request to the worker's listeners. */
function dispatchFetchEvent(exchange, request) {
  const event = makeFetchEvent(exchange, request);
  dispatchTrusted(globalEventTarget, event);
  if (!hasResponse(event)) {
    failRequest(exchange, new Error("No listener of the fetch event called respondWith()"));
  }
}

provide({ ExtendableEvent, bindExchange, dispatchFetchEvent, exchangeOf, handlesFetch });
