// HTML Standard, section 9.4: MessageChannel and MessagePort, within one isolate. Each message is a task of its own.
const { ArrayPrototypePush, ArrayPrototypeShift, ObjectFreeze, SymbolIterator, TypeError } = primordials;
const {
  converters, defineInterface, dictionary, interfaceConverter, requireArguments, sequence, sequenceFromIterator, typeOf,
} = use("WebIDL/webidl");
const {
  EventTarget, defineEventHandlers, dispatchTrusted, fireEvent, getEventHandler, setEventHandler,
} = use("DOM/target");
const { registerTransferable } = use("HTML/serializable");
const { cloneWithTransfer, dataCloneError } = use("HTML/structuredClone");
const { createMessageEvent } = use("HTML/events");
const { runAfter } = use("HTML/timers");

const token = { __proto__: null };
const postMessageOptions = dictionary("StructuredSerializeOptions", [
  { __proto__: null, key: "transfer", converter: sequence(converters.object), defaultValue: () => [] },
]);

let entangle, isMessagePort, transferSteps;

class MessagePort extends EventTarget {
  // The port at the other end (null: none); the messages that came, and "close" after the last of them.
  #peer = null; #queue = []; #isEnabled = false; #isDetached = false; #hasTask = false;

  constructor(key = undefined) {
    if (key !== token) throw new TypeError("Illegal constructor");
    super();
  }

  postMessage(message, options = undefined) {
    const prefix = "Failed to execute 'postMessage' on 'MessagePort'";
    const peer = this.#peer;
    requireArguments(arguments.length, 1, prefix);
    const transfer = transferListOf(options, prefix);
    let isDoomed = false;
    for (let i = 0; i < transfer.length; i++) {
      if (transfer[i] === this) throw dataCloneError(`${prefix}: the port itself cannot be transferred.`);
      if (transfer[i] === peer) isDoomed = true;
    }
    const { value, transferred } = cloneWithTransfer(message, transfer);
    if (peer === null || isDoomed) return;
    const ports = [];
    for (let i = 0; i < transferred.length; i++) {
      if (isMessagePort(transferred[i])) ArrayPrototypePush(ports, transferred[i]);
    }
    peer.#enqueue({ __proto__: null, data: value, ports: ObjectFreeze(ports) });
  }

  start() { this.#enable(); }

  #enable() {
    this.#isEnabled = true;
    this.#schedule();
  }

  close() {
    const peer = this.#peer;
    this.#isDetached = true;
    if (peer === null) return;
    this.#peer = peer.#peer = null;
    peer.#enqueue(null);
  }

  get onmessage() {
    this.#peer;
    return getEventHandler(this, "message");
  }
  set onmessage(value) {
    this.#peer;
    setEventHandler(this, "message", value);
    this.#enable();
  }

  #enqueue(message) {
    ArrayPrototypePush(this.#queue, message);
    this.#schedule();
  }

  #schedule() {
    if (!this.#isEnabled || this.#hasTask || this.#queue.length === 0) return;
    this.#hasTask = true;
    runAfter(0, () => this.#deliver());
  }

  // One message (null: the other end was closed), and a task for the next. The port may have been transferred.
  #deliver() {
    this.#hasTask = false;
    if (this.#queue.length === 0) return;
    const message = ArrayPrototypeShift(this.#queue);
    this.#schedule();
    if (message === null) fireEvent(this, "close");
    else dispatchTrusted(this, createMessageEvent("message", message.data, message.ports));
  }

  static {
    isMessagePort = (value) => #queue in value;
    entangle = (port1, port2) => {
      port1.#peer = port2;
      port2.#peer = port1;
    };
    transferSteps = {
      __proto__: null,
      isInstance: isMessagePort,
      isDetached: (port) => port.#isDetached,
      transfer(port) {
        const received = new MessagePort(token);
        const peer = port.#peer;
        received.#queue = port.#queue;
        port.#queue = [];
        port.#isDetached = true;
        port.#peer = null;
        if (peer !== null) entangle(received, peer);
        return received;
      },
    };
  }
}
defineInterface(MessagePort);
registerTransferable(MessagePort, transferSteps);
const convertPort = interfaceConverter("MessagePort", isMessagePort);
const receiverPort = (value) => convertPort(value, undefined, "The receiver");
defineEventHandlers(MessagePort.prototype, ["messageerror", "close"], receiverPort);

// The overloads postMessage(message, transfer) and postMessage(message, options).
function transferListOf(options, prefix) {
  if (typeOf(options) === "object") {
    const method = options[SymbolIterator];
    if (method !== undefined && method !== null) {
      return sequenceFromIterator(options, method, converters.object, prefix, "parameter 2");
    }
  }
  return postMessageOptions(options, prefix, "parameter 2").transfer;
}

class MessageChannel {
  #port1 = new MessagePort(token); #port2 = new MessagePort(token);
  constructor() { entangle(this.#port1, this.#port2); }
  get port1() { return this.#port1; }
  get port2() { return this.#port2; }
}
defineInterface(MessageChannel);

provide({ MessageChannel, MessagePort, convertPort });
