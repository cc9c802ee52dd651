// Incoming requests. Request itself asks the host for what a program looks at (see Fetch/request); here is what
// follows the exchange: its signal. Needs the op
//   exchangeState(x) -> 0 while the exchange is in progress, 1 if its client has gone, 2 if it is over
// and that the host calls entries.requestAborted(x) when a client goes before its answer is complete.
const { SafeMap } = primordials;
const { DOMException } = use("DOM/exception");
const { createSignal, signalAbort } = use("DOM/abort");
const { makeIncomingRequest } = use("Fetch/request");

// The signals of exchanges in progress that somebody has asked for.
const signals = new SafeMap();

const disconnected = () => new DOMException("The client has disconnected", "AbortError");

/** The signal of an exchange, the same one each time. */
function signalOfExchange(exchange) {
  const known = signals.get(exchange);
  if (known !== undefined) return known;
  const signal = createSignal();
  const state = ops.exchangeState(exchange);
  if (state === 0) signals.set(exchange, signal);
  else if (state === 1) signalAbort(signal, disconnected());
  return signal;
}

/** Nobody can abort the exchange any more. */
function forgetExchange(exchange) {
  if (signals.size > 0) signals.delete(exchange);
}

entries.requestAborted = (exchange) => {
  const signal = signals.get(exchange);
  if (signal === undefined) return;
  signals.delete(exchange);
  signalAbort(signal, disconnected());
};

provide({ disconnected, forgetExchange, makeHostRequest: makeIncomingRequest, signalOfExchange });
