// Workers: the event that a cron trigger brings, for a handler and for a listener. Needs the ops
//   scheduledEvent(exchange) -> [cron, time in milliseconds]
//   eventNoRetry(exchange), eventEnded(exchange): the handler is done; what it gave to waitUntil() may go on
const { Error } = primordials;
const { defineInterface, exposeGlobals, illegalInvocation, requireArguments } = use("WebIDL/webidl");
const { dispatchTrusted, globalEventTarget, hasListeners } = use("DOM/target");
const { failRequest } = use("Workers/context");
const { ExtendableEvent, bindExchange, exchangeOf } = use("Workers/fetchEvent");

const secret = {};

class ScheduledController {
  #exchange; #cron; #scheduledTime;

  constructor(key, exchange) {
    if (key !== secret) throw illegalInvocation();
    const details = ops.scheduledEvent(exchange);
    this.#exchange = exchange;
    this.#cron = details[0];
    this.#scheduledTime = details[1];
  }

  get cron() { return this.#cron; }
  get scheduledTime() { return this.#scheduledTime; }
  get type() {
    if (!(#cron in this)) throw illegalInvocation();
    return "scheduled";
  }

  /** If the handler fails, nobody tries again. */
  noRetry() { ops.eventNoRetry(this.#exchange); }
}
defineInterface(ScheduledController);

let makeScheduledEvent;

class ScheduledEvent extends ExtendableEvent {
  #cron = ""; #scheduledTime = 0;

  constructor(type, init = undefined) {
    requireArguments(arguments.length, 1, "Failed to construct 'ScheduledEvent'");
    super(type, init);
  }

  get cron() { return this.#cron; }
  get scheduledTime() { return this.#scheduledTime; }
  noRetry() { ops.eventNoRetry(exchangeOf(this)); }

  static {
    makeScheduledEvent = (exchange) => {
      const details = ops.scheduledEvent(exchange), event = new ScheduledEvent("scheduled");
      event.#cron = details[0];
      event.#scheduledTime = details[1];
      bindExchange(event, exchange);
      return event;
    };
  }
}
defineInterface(ScheduledEvent);
exposeGlobals({ __proto__: null, ScheduledEvent });

const createController = (exchange) => new ScheduledController(secret, exchange);

/** Dispatches the event to the worker's listeners. */
function dispatchScheduledEvent(exchange) {
  if (!hasListeners(globalEventTarget, "scheduled")) {
    failRequest(exchange, new Error("No event listener is registered for the scheduled event."));
    return;
  }
  dispatchTrusted(globalEventTarget, makeScheduledEvent(exchange));
  ops.eventEnded(exchange);
}

provide({ createController, dispatchScheduledEvent });
