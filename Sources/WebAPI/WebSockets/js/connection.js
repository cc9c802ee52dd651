// WebSockets Standard, section 2: establishing a connection, by a subrequest (see Fetch/fetch) that asks for an
// upgrade.
const {
  ArrayPrototypeIncludes, ArrayPrototypeJoin, ArrayPrototypePush, RegExpPrototypeExec, StringPrototypeSlice,
  SymbolIterator,
} = primordials;
const { converters, sequence, typeOf } = use("WebIDL/webidl");
const { expectTicket } = use("Core/tickets");
const { refuseInGlobalScope } = use("Core/scope");
const { DOMException } = use("DOM/exception");
const { runAsMicrotask } = use("HTML/global");
const { getHeader } = use("Fetch/headers");
const { parseAgainstBase } = use("Fetch/settings");
const { requireGoodPort } = use("Fetch/schemeFetch");
const { defineRecord } = use("Core/records");
const { serializeURL } = use("URL/url");
const { connectionFailed, connectionOpened } = use("WebSockets/webSocket");

const prefix = "Failed to construct 'WebSocket'";
const stringSequence = sequence(converters.DOMString);

const syntaxError = (message) => new DOMException(`${prefix}: ${message}`, "SyntaxError");

// (DOMString or sequence<DOMString>)
function protocolList(value) {
  if (value === undefined) return [];
  const isSequence = typeOf(value) === "object" && value[SymbolIterator] !== undefined
    && value[SymbolIterator] !== null;
  return isSequence ? stringSequence(value, prefix, "parameter 2")
    : [converters.DOMString(value, prefix, "parameter 2")];
}

function checkedProtocols(value) {
  const given = protocolList(value), seen = [];
  for (let i = 0; i < given.length; i++) {
    const name = given[i];
    if (RegExpPrototypeExec(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/, name) === null) {
      throw syntaxError(`The subprotocol '${name}' is invalid.`);
    }
    if (ArrayPrototypeIncludes(seen, name)) throw syntaxError(`The subprotocol '${name}' is duplicated.`);
    ArrayPrototypePush(seen, name);
  }
  return seen;
}

/** "Get a URL record" and the protocols. Throws for what is no WebSocket's. */
function parseTarget(url, protocols) {
  const text = converters.USVString(url, prefix, "parameter 1"), given = protocolList(protocols);
  const record = parseAgainstBase(text);
  if (record === null) throw syntaxError(`The URL '${text}' is invalid.`);
  const { scheme } = record;
  const isSecure = scheme === "wss" || scheme === "https";
  if (!isSecure && scheme !== "ws" && scheme !== "http") {
    throw syntaxError(`The URL's scheme must be either 'http', 'https', 'ws', or 'wss'. '${scheme}' is not allowed.`);
  }
  if (record.fragment !== null) throw syntaxError("The URL contains a fragment identifier.");
  const checked = checkedProtocols(given), rest = afterScheme(record);
  refuseInGlobalScope();
  return {
    __proto__: null, protocols: checked, url: `${isSecure ? "wss" : "ws"}:${rest}`,
    record: parseAgainstBase(`${isSecure ? "https" : "http"}:${rest}`),
  };
}

const afterScheme = (record) => StringPrototypeSlice(serializeURL(record, true), record.scheme.length + 1);

/** A connection that is being made. It waits for its ticket itself. */
class Connection {
  constructor(socket, { protocols, record }) {
    this.socket = socket;
    this.protocols = protocols;
    this.ticket = 0;
    this.isOver = false;
    let headers = "upgrade: websocket\r\n";
    if (protocols.length > 0) headers += `sec-websocket-protocol: ${ArrayPrototypeJoin(protocols, ", ")}\r\n`;
    try {
      requireGoodPort(record);
    } catch (error) {
      runAsMicrotask(() => { this.fail(error.message); });
      return;
    }
    this.ticket = ops.fetchStart("GET", serializeURL(record, true), headers, null, -1, false);
    expectTicket(this.ticket, this);
  }

  /** The answer's head has come. */
  resolve(answer) {
    const status = answer[0], bodyId = answer[2];
    if (status !== 101) {
      if (bodyId !== 0) ops.bodyCancel(bodyId);
      this.fail(`Unexpected server response: ${status}.`);
      return;
    }
    const protocol = getHeader(ops.fetchHeaders(this.ticket), "sec-websocket-protocol");
    const { protocols } = this, isNone = protocol === null;
    if (protocols.length === 0 ? !isNone : isNone || !ArrayPrototypeIncludes(protocols, protocol)) {
      ops.fetchAbort(this.ticket);
      this.fail("The server did not choose one of the subprotocols that were asked for.");
      return;
    }
    if (this.isOver) return;
    this.isOver = true;
    connectionOpened(this.socket, this.ticket, protocol ?? "");
  }

  /** There will be no answer. */
  reject(error) { this.fail(error.message); }

  /** The socket is closed before it was open. */
  abandon() {
    if (this.isOver) return;
    if (this.ticket !== 0) ops.fetchAbort(this.ticket);
    runAsMicrotask(() => { this.fail("WebSocket was closed before the connection was established."); });
  }

  fail(reason) {
    if (this.isOver) return;
    this.isOver = true;
    connectionFailed(this.socket, reason);
  }
}
defineRecord(Connection);

/** Begins to connect a socket. Throws if the host refuses. */
const connect = (socket, target) => new Connection(socket, target);

provide({ connect, parseTarget });
