// Workers: a service binding, by which a worker calls another one without a network between them: its fetch handler by
// fetch(), and the methods of its entrypoint by their names.
const { ArrayPrototypeIncludes, ObjectSetPrototypeOf, PromiseReject, Proxy, ReflectGet, TypeError } = primordials;
const { defineInterface, illegalInvocation, requireArguments } = use("WebIDL/webidl");
const { refuseInGlobalScope } = use("Core/scope");
const { fetchInner } = use("Fetch/fetch");
const { Request, requestInnerOf } = use("Fetch/request");

const secret = {};
// A binding is no promise, and says nothing of itself as JSON.
const notMethods = ["connect", "dup", "then", "toJSON"];
let bindingOf;

class Fetcher {
  #binding;

  constructor(key, binding) {
    if (key !== secret) throw new TypeError("Illegal constructor");
    this.#binding = binding;
  }

  fetch(input, requestInit = undefined) {
    try {
      if (!(#binding in this)) throw illegalInvocation();
      requireArguments(arguments.length, 1, "Failed to execute 'fetch' on 'Fetcher'");
      refuseInGlobalScope();
      return fetchInner(requestInnerOf(new Request(input, requestInit)), this.#binding);
    } catch (error) {
      return PromiseReject(error);
    }
  }

  static {
    bindingOf = (value) => typeof value === "object" && value !== null && #binding in value ? value.#binding : -1;
  }
}
defineInterface(Fetcher);

// Which methods there are is known over there only: every name that is found nowhere else is one.
ObjectSetPrototypeOf(Fetcher.prototype, new Proxy({}, {
  __proto__: null,
  get(target, key, receiver) {
    const binding = bindingOf(receiver);
    if (binding < 0 || typeof key === "symbol" || key in target || ArrayPrototypeIncludes(notMethods, key)) {
      return ReflectGet(target, key, receiver);
    }
    return use("Workers/rpc").createMethod(binding, key);
  },
}));

const createFetcher = (binding) => new Fetcher(secret, binding);

provide({ createFetcher });
