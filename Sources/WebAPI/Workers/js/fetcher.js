// Workers: a service binding, by which a worker calls another one without a network between them.
const { PromiseReject, TypeError } = primordials;
const { defineInterface, illegalInvocation, requireArguments } = use("WebIDL/webidl");
const { refuseInGlobalScope } = use("Core/scope");
const { fetchInner } = use("Fetch/fetch");
const { Request, requestInnerOf } = use("Fetch/request");

const secret = {};

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
}
defineInterface(Fetcher);

const createFetcher = (binding) => new Fetcher(secret, binding);

provide({ createFetcher });
