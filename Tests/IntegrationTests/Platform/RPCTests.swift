import Testing

/// Entrypoints, props, and calls of other Workers' methods.
@Suite("RPC") struct RPCTests {
    /// Bindings of a caller, by name: what follows "service".
    private static func metadata(_ bindings: [String: String]) -> String {
        let list = bindings.map { #"{"type":"service","name":"\#($0)",\#($1)}"# }
        return #","bindings":[\#(list.joined(separator: ","))]"#
    }

    private static let imports = #"import { WorkerEntrypoint, RpcTarget } from "cloudflare:workers";"#

    /// A caller that answers with what its code returns, as JSON, or with what it throws.
    static func caller(_ code: String) -> String {
        """
        export default { async fetch(request, env, ctx) {
          const { S } = env;
          const tell = async (promise) => {
            try { return await promise; } catch (e) { return `${e.name}: ${e.message}`; }
          };
          try {
            return Response.json(await (async () => { \(code) })() ?? null);
          } catch (e) { return Response.json(`${e.name}: ${e.message}`); }
        } };
        """
    }

    private static func platform(
        callee: String, caller code: String, binding: String = #""service":"callee""#, flags: [String] = [],
        isApart: Bool = false
    ) throws -> Platform {
        let platform = try Platform(flags)
        try platform.deploy("\(imports)\n\(callee)", as: "callee")
        if isApart { try platform.setCordon("apart", of: "callee") }
        try platform.deploy(caller(code), as: "caller", metadata: metadata(["S": binding]))
        return platform
    }

    /// - Parameter isApart: whether the one who is called is in another process.
    private static func results(
        callee: String, caller: String, flags: [String] = [], isApart: Bool = false
    ) throws -> JSON {
        try platform(callee: callee, caller: caller, flags: flags, isApart: isApart).get("caller").json()
    }

    @Test func entrypointsAndProps() throws {
        let platform = try Platform()
        let callee = """
            \(Self.imports)
            export default { fetch(request, env, ctx) {
              return new Response(`default ${JSON.stringify(ctx.props)}`); } };
            export const other = { fetch(request, env, ctx) {
              return new Response(`other ${ctx.props.role} ${ctx.props === ctx.props}`); } };
            export class Admin extends WorkerEntrypoint {
              fetch(request) { return new Response(`Admin ${this.ctx.props.role}`); }
              whoAmI(greeting) { return `${greeting} ${this.ctx.props.role}`; }
            }
            export class NoEntrypoint { fetch() {} }
            export const number = 1;
            """
        let upload = try platform.upload(callee, as: "callee")
        #expect(upload.result["named_handlers"].description.contains("whoAmI"), "\(upload.summary)")
        let names = try #require(upload.result["named_handlers"].array).compactMap { $0["name"].string }
        #expect(names.sorted() == ["Admin", "other"])
        let props = #""props":{"role":"clerk"}"#
        try platform.deploy(
            Self.caller(
                """
                const text = async (service) => (await service.fetch("http://x/")).text();
                return [await text(env.D), await text(env.P), await text(env.O), await text(env.A),
                  await env.A.whoAmI("I am")];
                """), as: "caller",
            metadata: Self.metadata([
                "D": #""service":"callee""#, "P": #""service":"callee",\#(props)"#,
                "O": #""service":"callee","entrypoint":"other",\#(props)"#,
                "A": #""service":"callee","entrypoint":"Admin",\#(props)"#,
            ]))
        #expect(
            try platform.get("caller").json().description
                == #"["default {}", "default {"role":"clerk"}", "other clerk true", "Admin clerk", "I am clerk"]"#)
        func code(_ binding: String) throws -> Int? {
            try platform.upload(Self.caller(""), as: "x", metadata: Self.metadata(["S": binding])).code
        }
        #expect(try code(#""service":"callee","entrypoint":"NoEntrypoint""#) == 10144)
        #expect(try code(#""service":"callee","entrypoint":"Missing""#) == 10144)
        #expect(try code(#""service":"x","entrypoint":"Missing""#) == 10144)
        #expect(try code(#""service":"callee","entrypoint":7"#) == 10026)
        #expect(try code(#""service":"callee","props":"text""#) == 10026)
        #expect(try code(#""service":"callee","entrypoint":"default""#) == nil)
        // The callee loses what the caller is bound to.
        try platform.deploy(Platform.answering("new"), as: "callee")
        #expect(try platform.get("caller").text.contains("threw an exception"))
    }

    @Test(arguments: [false, true]) func valuesCrossWhole(_ isApart: Bool) throws {
        let json = try Self.results(
            callee: """
                export default class extends WorkerEntrypoint {
                  echo(...values) { return values; }
                  describe(value) {
                    const { map, set, date, regexp, bytes, view, error, big, self, holes, text, undef } = value;
                    return [map instanceof Map && map.get(1), set.has("x"), date.getTime(), `${regexp}`, `${bytes}`,
                      view.getInt8(1), error instanceof RangeError && error.message, `${big}`, self === value,
                      1 in holes, holes.length,
                      text.length === 5 && text.charCodeAt(4) === 0xd800 && text[1],
                      "undef" in value && undef === undefined,
                      bytes.buffer === view.buffer, error.cause];
                  }
                }
                """,
            caller: """
                const bytes = new Uint8Array([1, 2, 255]);
                const value = { map: new Map([[1, "one"]]), set: new Set(["x"]), date: new Date(5), regexp: /a/gi,
                  bytes, view: new DataView(bytes.buffer, 1), error: new RangeError("far", { cause: "c" }),
                  big: -(10n ** 30n),
                  holes: [1, , 3], text: "h\\u00e9\\u{1f600}\\ud800", undef: undefined };
                value.self = value;
                const echoed = await S.echo(
                  0, -0, -1, 2 ** 31, 1.5, NaN, "", null, undefined, true, Object("s"), [[]]);
                return [await S.describe(value), echoed.map((v) => Object.is(v, -0) ? "-0" : v),
                  echoed[5] !== echoed[5], typeof echoed[10], await S.echo(), typeof echoed[Symbol.dispose],
                  Object.keys(echoed).length];
                """, isApart: isApart)
        let described = try #require(json[0].array)
        #expect(
            described.prefix(10).map(\.description) == [
                "\"one\"", "true", "5", "\"/a/gi\"", "\"1,2,255\"", "-1", "\"far\"",
                "\"-1000000000000000000000000000000\"", "true", "false",
            ])
        #expect(described[11].string == "\u{e9}")
        #expect(described.suffix(3).map(\.description) == ["true", "true", "\"c\""])
        #expect(
            json[1].description
                == #"[0, "-0", -1, 2147483648, 1.5, null, "", null, null, true, "s", [[]]]"#)
        #expect(json[2] == .bool(true))
        #expect(json[3].string == "object")
        #expect(json[4] == .array([]))
        #expect(json[5].string == "function")
        #expect(json[6].int == 12)
    }

    /// Only what a class offers can be called, and read.
    @Test func onlyMethodsOfTheClassAreThere() throws {
        let json = try Self.results(
            callee: """
                class Base extends WorkerEntrypoint { inherited() { return "inherited"; } }
                export default class extends Base {
                  own = () => "own";
                  #hidden() {}
                  method() { return `${this.constructor === undefined} ${this.env !== undefined}`; }
                  get property() { return { a: 1 }; }
                  get made() { return (x) => x + 1; }
                  static fixed() { return "static"; }
                  fetch() { return new Response("fetched"); }
                }
                """,
            caller: """
                const names = ["own", "#hidden", "constructor", "toString", "hasOwnProperty", "__proto__", "ctx", "env",
                  "fixed", "missing", "scheduled", "__defineGetter__", "valueOf"];
                const results = {};
                for (const name of names) {
                  const member = S[name];
                  results[name] = typeof member === "function" && !(name in Object.prototype)
                    ? await tell(member()) : typeof member;
                }
                return [await S.method(), await S.inherited(), await S.property, await S.made(1),
                  await tell(S.property()), await tell(S.method), results, await (await S.fetch("http://x/")).text(),
                  String(S), JSON.stringify(S), await S === S, "missing" in S];
                """)
        let items = try #require(json.array)
        #expect(items.prefix(4).map(\.description) == ["\"false true\"", "\"inherited\"", "{\"a\": 1}", "2"])
        #expect(items[4].string == "TypeError: \"property\" is not a function.")
        #expect(items[5].string?.hasPrefix("DataCloneError: ") == true)
        let refused = items[6]
        for name in ["own", "#hidden", "ctx", "env", "fixed", "missing", "scheduled"] {
            #expect(
                refused[name].string == "TypeError: The RPC receiver does not implement the method \"\(name)\".")
        }
        #expect(refused["constructor"].string == "function")
        #expect(items[7].string == "fetched")
        #expect(items[8].string == "[object Fetcher]")
        #expect(items[9].string == "{}")
        #expect(items[10] == .bool(true))
        #expect(items[11] == .bool(false))
    }

    /// The names of Object's own methods mean no method of the callee's, even if somebody asks for them by hand.
    @Test func objectsOwnNamesReachNothing() throws {
        let json = try Self.results(
            callee: "export default class extends WorkerEntrypoint { ping() { return 1; } }",
            caller: """
                const member = S.anything;
                delete Object.prototype.hasOwnProperty; delete Object.prototype.valueOf;
                return [await tell(S.hasOwnProperty("ping")), await tell(S.valueOf()), await S.ping()];
                """)
        let missing = "TypeError: The RPC receiver does not implement the method"
        #expect(json[0].string == "\(missing) \"hasOwnProperty\".")
        #expect(json[1].string == "\(missing) \"valueOf\".")
        #expect(json[2].int == 1)
    }

    @Test(arguments: [false, true]) func exceptionsCross(_ isApart: Bool) throws {
        let platform = try Self.platform(
            callee: """
                class Mine extends Error { name = "Mine"; }
                export default class extends WorkerEntrypoint {
                  type() { throw new TypeError("wrong", { cause: 7 }); }
                  async mine() { throw new Mine("special"); }
                  dom() { throw new DOMException("gone", "AbortError"); }
                  value() { throw { code: 42 }; }
                  fn() { throw () => {}; }
                  unsendable() { return () => {}; }
                  target() { return new (class T extends RpcTarget {})(); }
                  response() { return new Response("x"); }
                  hang() { return new Promise(() => {}); }
                  burn() { for (;;); }
                  thenable() { return { then(resolve) { resolve("taken"); } }; }
                  getter() { return { get bad() { throw new RangeError("from a getter"); } }; }
                }
                """,
            caller: """
                const caught = async (promise) => { try { return await promise; } catch (e) { return e; } };
                const type = await caught(S.type()), mine = await caught(S.mine()), value = await caught(S.value());
                return [type instanceof TypeError, type.message, type.cause, type.remote, mine.name, mine.message,
                  mine instanceof Error, await tell(S.dom()), value.code, await tell(S.fn()),
                  await tell(S.unsendable()), await tell(S.target()), await tell(S.response()),
                  await tell(S.hang()), await tell(S.burn()),
                  await S.thenable(), await tell(S.getter())];
                """, isApart: isApart)
        let items = try #require(try platform.get("caller").json().array)
        let dataClone = "DataCloneError: Could not serialize object of type"
        #expect(
            items.map(\.description) == [
                "true", "\"wrong\"", "7", "true", "\"Mine\"", "\"special\"", "true", "\"AbortError: gone\"", "42",
                items[9].description,
                "\"DataCloneError: A function cannot be sent by RPC: here there are no stubs for functions.\"",
                "\"\(dataClone) \"T\". This type does not support serialization.\"",
                "\"\(dataClone) \"Response\". This type does not support serialization.\"",
                "\"TypeError: The called Worker would never have answered.\"",
                "\"TypeError: The called Worker exceeded its CPU limit.\"", "\"taken\"",
                "\"RangeError: from a getter\"",
            ])
        #expect(items[9].string?.hasPrefix("Error: The method threw what cannot be sent") == true)
        try platform.martlet.logLine { $0.contains("callee") && $0.contains("Uncaught Mine: special") }
    }

    /// What callers can do to arguments, and to their own realm, harms nobody.
    @Test func hostileArguments() throws {
        let json = try Self.results(
            callee: "export default class extends WorkerEntrypoint { echo(value) { return value; } }",
            caller: """
                let reads = 0;
                const results = [
                  await tell(S.echo({ get x() { reads++; return S.echo("nested"); } })),
                  await tell(S.echo(new Proxy({}, {}))),
                  await tell(S.echo({ then(resolve) { resolve("never"); } })),
                  await tell(S.echo(Symbol("s"))),
                  await tell(S.echo({ get x() { throw new EvalError("mine"); } })),
                  await tell(S.echo(new Uint8Array(33 << 20))),
                  await tell(S.echo(env.S)),
                  await tell(S.echo(ctx)),
                  await tell(S.echo(request)),
                  await tell(S["x".repeat(2000)]()),
                ];
                const values = [new Map([[1, 2]]), "x"];
                let deep = {};
                for (let i = 0; i < 200000; i++) deep = { deep };
                results.push(await tell(S.echo(deep)));
                const RealPromise = Promise, then = Promise.prototype.then;
                globalThis.Promise = class { constructor() { throw 1; } };
                RealPromise.prototype.then = function () { reads += 1000; return then.apply(this, arguments); };
                Array.prototype[Symbol.iterator] = null; Map.prototype.get = Map.prototype.set = () => { throw 2; };
                Object.defineProperty(Object.prototype, "0", {
                  configurable: true, set() { reads += 1e6; }, get() { reads += 1e6; } });
                const answer = S.echo(values);
                results.push(answer instanceof RealPromise);
                const echoed = await answer;
                delete Object.prototype[0];
                results.push(echoed.length, echoed[1], reads < 1e6);
                return results;
                """, flags: ["--cpu-ms", "5000"])
        let items = try #require(json.array)
        #expect(items[0].string?.hasPrefix("DataCloneError: ") == true, "\(items[0])")
        for index in [1, 2, 3, 6, 7, 8] {
            #expect(items[index].string?.hasPrefix("DataCloneError: ") == true, "\(index): \(items[index])")
        }
        #expect(items[4].string == "EvalError: mine")
        #expect(items[5].string?.contains("limited to 32MiB") == true, "\(items[5])")
        #expect(items[9].string?.contains("at most 1024 bytes") == true)
        #expect(items[10].string == "RangeError: Maximum call stack size exceeded")
        #expect(items.suffix(4).map(\.description) == ["true", "2", "\"x\"", "true"])
    }

    /// Calls in a circle end; and so does a tree of calls, which would be wider than it is deep.
    @Test func circlesEnd() throws {
        let platform = try Platform()
        let code = """
            \(Self.imports)
            export default class extends WorkerEntrypoint {
              async fetch() {
                this.env.S.count;
                return Response.json([await this.down(0), await this.spread()]);
              }
              async down(depth) { try { return await this.env.S.down(depth + 1); } catch { return depth; } }
              async spread() {
                try {
                  let sum = 1;
                  for (const part of await Promise.all([1, 2, 3, 4].map(() => this.env.S.spread()))) sum += part;
                  return sum;
                } catch { return 1; }
              }
            }
            """
        try platform.deploy(code, as: "self", metadata: Self.metadata(["S": #""service":"self""#]))
        let answer = try platform.martlet.client("self.main.localhost").get("/", by: .patient).json()
        #expect((1...16).contains(answer[0].int ?? 0), "\(answer)")
        #expect((4...1_100).contains(answer[1].int ?? 0), "\(answer)")
    }

    /// What the callee burns is the callee's.
    @Test(arguments: [false, true]) func theCalleePaysForItself(_ isApart: Bool) throws {
        let platform = try Self.platform(
            callee: """
                export default class extends WorkerEntrypoint {
                  burn() { const text = "x".repeat(1000); let n = 0;
                    for (let i = 0; i < 3e5; i++) n += text.indexOf("y", i % 7); return n; }
                }
                """,
            caller: "await S.burn(); await S.burn(); return 1;", isApart: isApart)
        #expect(try platform.get("caller").json().int == 1)
        func time(_ name: String) throws -> Int {
            let workers = try platform.martlet.serverStatus()["workers"]
            let key = try #require(workers.keys.first { $0.contains("/\(name) ") })
            return try #require(workers[key]["cpuMicroseconds"].int)
        }
        #expect(try time("callee") > 2 * time("caller"))
    }

    /// A callee ends with its caller, and the caller's client.
    @Test(arguments: [false, true]) func aCallEndsWithItsCaller(_ isApart: Bool) throws {
        let platform = try Self.platform(
            callee: """
                export default class extends WorkerEntrypoint {
                  async wait() { console.log("waiting"); await scheduler.wait(600000); }
                }
                """,
            caller: "await S.wait();", isApart: isApart)
        let client = try platform.martlet.client("caller.main.localhost")
        try client.send()
        try platform.martlet.logLine(containing: "waiting", by: .patient)
        client.close()
        try wait(until: "the call has ended", by: .patient) {
            let workers = try platform.martlet.serverStatus()["workers"]
            let key = try #require(workers.keys.first { $0.contains("/callee ") })
            return workers[key]["errors"].int == 1
        }
    }

    /// By its binding a Worker reaches another's WebSocket, and may hand its client to it.
    @Test(arguments: ["use", "relay"], [false, true])
    func webSocketsCrossABinding(_ way: String, _ isApart: Bool) throws {
        let platform = try Self.platform(
            callee: """
                export default { fetch(request) {
                  if (request.headers.get("upgrade") !== "websocket") return new Response("none", { status: 426 });
                  const [client, server] = Object.values(new WebSocketPair());
                  server.accept();
                  server.addEventListener("message", ({ data }) => {
                    if (data === "close") server.close(4001, "asked"); else server.send(`echo ${data}`);
                  });
                  return new Response(null, { status: 101, webSocket: client });
                } };
                """,
            caller: "", isApart: isApart)
        let code = """
            export default { async fetch(request, { S }) {
              if (new URL(request.url).pathname === "/relay") return S.fetch(request);
              const answer = await S.fetch("http://x/", { headers: { upgrade: "websocket" } });
              const socket = answer.webSocket, seen = [];
              socket.accept();
              const closed = new Promise((resolve) => socket.addEventListener("close", resolve));
              socket.addEventListener("message", ({ data }) => {
                seen.push(data);
                socket.send(seen.length < 3 ? `${seen.length}` : "close");
              });
              socket.send("first");
              const { code, reason } = await closed;
              const plain = await S.fetch("http://x/");
              return Response.json([answer.status, seen, code, reason, plain.status]);
            } };
            """
        try platform.deploy(code, as: "caller", metadata: Self.metadata(["S": #""service":"callee""#]))
        if way == "use" {
            let answer = try platform.get("caller", "/use")
            #expect(answer.text == #"[101,["echo first","echo 1","echo 2"],4001,"asked",426]"#)
            return
        }
        let socket = try SocketClient(platform.martlet, "/relay", host: "caller.main.localhost")
        #expect(socket.answer.hasPrefix("HTTP/1.1 101"))
        try socket.send("a")
        #expect(try socket.next() == .text("echo a"))
        try socket.send("close")
        #expect(try socket.next() == .close(4001, "asked"))
    }
}
