// WebSockets Standard, section 3: the WebSocket object, and what Workers make of it: WebSocketPair and accept(). What
// one end of a pair sends the other gets; the end that a Response takes away leaves its place to the client. Needs the
// ops
//   respondWebSocket(x, status, statusText, headers) -> the number of the socket that the exchange's connection becomes
//   relayWebSocket(x, status, statusText, headers, s): the same, and that socket and s are one from then on
//   webSocketStart(s): messages are taken from now on
//   webSocketSend(s, data): a string or bytes
//   webSocketBuffered(s) -> bytes that wait to be sent
//   webSocketClose(s, code, reason): begins the closing handshake; code 1005 for none
//   webSocketFail(s, code, reason): what came was malformed
// and that the host calls entries.webSocketEvent(s, kind, ...) with kind
//   0 and a Uint8Array: a text message, to be decoded; 1 and a Uint8Array: a binary one
//   2 and code, reason, wasClean: the end
const {
  ArrayBufferIsView, ArrayPrototypePush, ArrayPrototypeShift, ObjectDefineProperty, SafeMap, TypeError,
  TypedArrayPrototypeGetBuffer, TypedArrayPrototypeGetByteLength,
} = primordials;
const {
  converters, defineConstants, defineInterface, interfaceConverter, isArrayBuffer, requireArguments,
} = use("WebIDL/webidl");
const { copyBytes } = use("WebIDL/bufferSource");
const { DOMException } = use("DOM/exception");
const { Event } = use("DOM/event");
const { EventTarget, defineEventHandlers, dispatchTrusted } = use("DOM/target");
const { Blob } = use("FileAPI/blob");
const { CloseEvent, ErrorEvent, createMessageEvent } = use("HTML/events");
const { runAsMicrotask } = use("HTML/global");

const CONNECTING = 0, OPEN = 1, CLOSING = 2, CLOSED = 3;
const noCode = 1005;
const constants = { __proto__: null, CONNECTING, OPEN, CLOSING, CLOSED };
const aliases = {
  __proto__: null,
  READY_STATE_CONNECTING: CONNECTING, READY_STATE_OPEN: OPEN, READY_STATE_CLOSING: CLOSING, READY_STATE_CLOSED: CLOSED,
};
const token = { __proto__: null };

// The ends that hear of the host's sockets, by their numbers.
const sockets = new SafeMap();

let adopt, connectionFailed, connectionOpened, entangle, forHost, giveToHost, isWebSocket, receive;

class WebSocket extends EventTarget {
  #state = OPEN;
  // The other end of the pair, or the number of the host's socket; neither once this end was given to a Response.
  #peer = null; #socketId = 0;
  #isAccepted = false; #isGiven = false; #hasClosed = false; #hasEnded = false;
  // What has come and was not delivered yet.
  #queue = []; #isDelivering = false;
  // Of one that leads to a server: the connection that is being made, and what came of it.
  #connection = null; #url = null; #protocol = "";
  #binaryType = "arraybuffer"; #unsent = 0;

  constructor(url, protocols = []) {
    if (url === token) {
      super();
      return;
    }
    requireArguments(arguments.length, 1, "Failed to construct 'WebSocket'");
    const { connect, parseTarget } = use("WebSockets/connection");
    const target = parseTarget(url, protocols);
    super();
    this.#state = CONNECTING;
    this.#url = target.url;
    this.#isAccepted = true;
    this.#connection = connect(this, target);
  }

  get readyState() { return this.#state; }
  get url() {
    return this.#url;
  }
  get protocol() {
    return this.#protocol;
  }
  get extensions() {
    this.#state;
    return "";
  }
  get bufferedAmount() {
    return this.#unsent + (this.#socketId !== 0 && !this.#hasEnded ? ops.webSocketBuffered(this.#socketId) : 0);
  }
  get binaryType() { return this.#binaryType; }
  set binaryType(value) {
    const type = converters.DOMString(value, "Failed to set the 'binaryType' property on 'WebSocket'", "the value");
    if (type === "blob" || type === "arraybuffer") this.#binaryType = type;
  }

  accept() {
    if (this.#isGiven) throw new TypeError("Can't accept() WebSocket that was already used in a response.");
    if (this.#isAccepted) return;
    this.#isAccepted = true;
    if (this.#socketId !== 0) ops.webSocketStart(this.#socketId);
    this.#deliver();
  }

  send(message) {
    const prefix = "Failed to execute 'send' on 'WebSocket'";
    requireArguments(arguments.length, 1, prefix);
    this.#requireUsable("send()");
    if (this.#state === CONNECTING) {
      throw new DOMException(`${prefix}: Still in CONNECTING state.`, "InvalidStateError");
    }
    if (this.#hasClosed) throw new TypeError("Can't call WebSocket send() after close().");
    const isBytes = ArrayBufferIsView(message) || isArrayBuffer(message);
    const data = isBytes ? copyBytes(message) : converters.USVString(message, prefix, "parameter 1");
    if (this.#hasEnded) {
      this.#unsent += typeof data === "string" ? engine.utf8Length(data) : TypedArrayPrototypeGetByteLength(data);
      return;
    }
    if (this.#socketId !== 0) ops.webSocketSend(this.#socketId, data);
    else this.#peer.#take({ __proto__: null, data });
  }

  close(code = undefined, reason = undefined) {
    const prefix = "Failed to execute 'close' on 'WebSocket'";
    if (code !== undefined) code = converters["unsigned short"](code, prefix, "parameter 1", { clamp: true });
    if (reason !== undefined) reason = converters.USVString(reason, prefix, "parameter 2");
    this.#requireUsable("close()");
    if (code !== undefined && code !== 1000 && (code < 3000 || code > 4999)) {
      throw new DOMException(`${prefix}: Invalid WebSocket close code: ${code}.`, "InvalidAccessError");
    }
    if (reason !== undefined && TypedArrayPrototypeGetByteLength(engine.utf8Encode(reason)) > 123) {
      throw new DOMException(`${prefix}: The reason is longer than 123 bytes.`, "SyntaxError");
    }
    if (reason !== undefined && reason !== "" && code === undefined) {
      throw new TypeError("If you specify a WebSocket close reason, you must also specify a code.");
    }
    if (this.#hasClosed || this.#hasEnded) return;
    this.#hasClosed = true;
    this.#state = CLOSING;
    code ??= noCode;
    reason ??= "";
    if (this.#connection !== null) this.#connection.abandon();
    else if (this.#socketId !== 0) ops.webSocketClose(this.#socketId, code, reason);
    else this.#peer.#take({ __proto__: null, code, reason, wasClean: true });
  }

  #requireUsable(what) {
    if (this.#isGiven) {
      throw new TypeError(`Can't call WebSocket ${what} on a WebSocket that was already used in a response.`);
    }
    if (!this.#isAccepted) {
      throw new TypeError(`You must call accept() on this WebSocket before calling ${what}.`);
    }
  }

  // A message of the peer's, or its close. What is given away takes it to the client.
  #take(item) {
    ArrayPrototypePush(this.#queue, item);
    this.#deliver();
  }

  // One event a microtask, so that nobody hears of a message within send().
  #deliver() {
    if (!this.#isAccepted || this.#isDelivering || this.#queue.length === 0) return;
    this.#isDelivering = true;
    runAsMicrotask(() => {
      this.#isDelivering = false;
      if (this.#queue.length === 0) return;
      const item = ArrayPrototypeShift(this.#queue);
      this.#deliver();
      this.#dispatch(item);
    });
  }

  #dispatch(item) {
    if (this.#hasEnded) return;
    if (item.data !== undefined) {
      const { data } = item;
      const value = typeof data === "string" ? data
        : this.#binaryType === "blob" ? new Blob([data]) : TypedArrayPrototypeGetBuffer(data);
      dispatchTrusted(this, createMessageEvent("message", value));
      return;
    }
    const { code, reason, wasClean } = item;
    const peer = this.#peer, answers = peer !== null && !this.#hasClosed;
    this.#hasEnded = true;
    this.#state = CLOSED;
    if (!wasClean) dispatchTrusted(this, new ErrorEvent("error", { __proto__: null, message: reason }));
    dispatchTrusted(this, new CloseEvent("close", { __proto__: null, code, reason, wasClean }));
    // The closing handshake of a pair: the end that hears of it closes too.
    if (answers) peer.#take({ __proto__: null, code, reason, wasClean });
  }

  static {
    isWebSocket = (value) => typeof value === "object" && value !== null && #queue in value;
    entangle = (a, b) => {
      a.#peer = b;
      b.#peer = a;
    };
    receive = (socket, item) => {
      if (item.data === undefined) {
        // The client is gone: nobody has to accept anything any more.
        socket.#isAccepted = true;
      }
      socket.#take(item);
    };
    // Of the host's socket.
    const attach = (socket, socketId, protocol) => {
      socket.#socketId = socketId;
      socket.#protocol = protocol;
      sockets.set(socketId, socket);
    };
    adopt = (socketId, protocol) => {
      const socket = new WebSocket(token);
      attach(socket, socketId, protocol);
      return socket;
    };
    connectionOpened = (socket, socketId, protocol) => {
      socket.#connection = null;
      socket.#state = OPEN;
      attach(socket, socketId, protocol);
      dispatchTrusted(socket, new Event("open"));
      ops.webSocketStart(socketId);
    };
    connectionFailed = (socket, reason) => {
      socket.#connection = null;
      socket.#dispatch({ __proto__: null, code: 1006, reason, wasClean: false });
    };
    forHost = (socket) => {
      if (socket.#isGiven) throw new TypeError("Can't return WebSocket that was already used in a response.");
      if (socket.#isAccepted) throw new TypeError("Can't return WebSocket in a Response after calling accept().");
      if (socket.#socketId === 0) return 0;
      socket.#isGiven = true;
      sockets.delete(socket.#socketId);
      return socket.#socketId;
    };
    giveToHost = (socket, open) => {
      if (socket.#peer === null) throw new TypeError("Can't return a WebSocket that is none of a WebSocketPair.");
      const { peer, queue } = { __proto__: null, peer: socket.#peer, queue: socket.#queue };
      const socketId = open();
      socket.#isGiven = true;
      socket.#peer = null;
      socket.#queue = [];
      peer.#peer = null;
      peer.#socketId = socketId;
      sockets.set(socketId, peer);
      if (peer.#isAccepted) ops.webSocketStart(socketId);
      for (let i = 0; i < queue.length; i++) {
        const item = queue[i];
        if (item.data !== undefined) ops.webSocketSend(socketId, item.data);
        else ops.webSocketClose(socketId, item.code, item.reason);
      }
    };
  }
}
defineInterface(WebSocket);
defineConstants(WebSocket, constants);
defineConstants(WebSocket, aliases);
const receiverSocket = interfaceConverter("WebSocket", isWebSocket);
defineEventHandlers(WebSocket.prototype, ["open", "message", "error", "close"],
  (value) => receiverSocket(value, undefined, "The receiver"));

const ends = { __proto__: null, writable: true, enumerable: true, configurable: true };

class WebSocketPair {
  constructor() {
    const a = new WebSocket(token), b = new WebSocket(token);
    entangle(a, b);
    ObjectDefineProperty(this, 0, { __proto__: null, value: a, ...ends });
    ObjectDefineProperty(this, 1, { __proto__: null, value: b, ...ends });
  }
}
defineInterface(WebSocketPair);

/** What entries.webSocketEvent() is called with. */
function webSocketEvent(socketId, kind, a, b, c) {
  const socket = sockets.get(socketId);
  if (socket === undefined) return;
  if (kind === 2) {
    sockets.delete(socketId);
    receive(socket, { __proto__: null, code: a, reason: b, wasClean: c });
    return;
  }
  const data = kind === 0 ? engine.utf8DecodeOwn(a, true) : a;
  if (data === undefined) ops.webSocketFail(socketId, 1007, "A text message is not UTF-8");
  else receive(socket, { __proto__: null, data });
}

/** Answers an exchange with the end of a pair that a Response has. Throws if it may not be used so. */
function respondWithWebSocket(exchange, statusText, headers, socket) {
  if (!isWebSocket(socket)) throw new TypeError("The Response's webSocket is not a WebSocket.");
  const socketId = forHost(socket);
  if (socketId !== 0) ops.relayWebSocket(exchange, 101, statusText, headers, socketId);
  else giveToHost(socket, () => ops.respondWebSocket(exchange, 101, statusText, headers));
}

// Nothing comes any more of a socket whose request is over.
use("Fetch/fetch").whenSocketEnds((socketId) => { sockets.delete(socketId); });

provide({
  WebSocket, WebSocketPair, adopt, connectionFailed, connectionOpened, respondWithWebSocket, webSocketEvent,
});
