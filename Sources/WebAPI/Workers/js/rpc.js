// Workers: methods of another Worker's entrypoint, as a service binding has them. Needs the op
//   rpcStart(binding, name, isCall, bytes) -> ticket of [200 or 500, reason, bodyId]: the body is what serialize() made
//     of the result, or of what the method threw
const { PromisePrototypeThen, PromiseReject, SymbolDispose } = primordials;
const { defineHidden, defineRecord } = use("Core/records");
const { refuseInGlobalScope } = use("Core/scope");
const { expectTicket } = use("Core/tickets");
const { deserialize, serialize } = use("HTML/serialization");
const { Deferred } = use("Streams/promises");

/** One call. It waits for its tickets itself: for the answer's head, then for the whole body. */
class Call {
  constructor() {
    this.deferred = new Deferred();
    this.status = 0;
  }

  resolve(answer) {
    try {
      if (this.status !== 0) return this.settle(answer);
      this.status = answer[0];
      const body = ops.bodyReadAll(answer[2]);
      if (typeof body === "number") expectTicket(body, this);
      else this.settle(body);
    } catch (error) {
      this.reject(error);
    }
  }

  settle(bytes) {
    const value = deserialize(bytes);
    if (this.status !== 200) {
      if (engine.typeOf(value) === "Error") defineHidden(value, "remote", true);
      return this.reject(value);
    }
    // There is nothing to give up; `using` asks for it.
    if (typeof value === "object" && value !== null) defineHidden(value, SymbolDispose, () => {});
    this.deferred.resolve(value);
  }

  reject(error) { this.deferred.reject(error); }
}
defineRecord(Call);

function start(binding, name, isCall, args) {
  try {
    refuseInGlobalScope();
    const call = new Call();
    expectTicket(ops.rpcStart(binding, name, isCall, serialize(args)), call);
    return call.deferred.promise;
  } catch (error) {
    return PromiseReject(error);
  }
}

/** What stands under a name on a service binding: called it is a method, awaited a property. */
function createMethod(binding, name) {
  const method = (...args) => start(binding, name, true, args);
  const read = () => start(binding, name, false, undefined);
  defineHidden(method, "then", (onFulfilled, onRejected) => PromisePrototypeThen(read(), onFulfilled, onRejected));
  defineHidden(method, "catch", (onRejected) => PromisePrototypeThen(read(), undefined, onRejected));
  return method;
}

provide({ createMethod });
