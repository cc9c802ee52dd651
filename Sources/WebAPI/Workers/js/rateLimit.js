// Workers: a rate limit. Needs the op
//   rateLimit(binding, key) -> whether one more call under the key is within the limit
const { PromiseReject, PromiseResolve, TypeError } = primordials;
const {
  converters, defineInterface, dictionary, illegalInvocation, requireArguments,
} = use("WebIDL/webidl");
const { refuseInGlobalScope } = use("Core/scope");

const secret = {};
const toOptions = dictionary("RateLimitOptions", [{ key: "key", converter: converters.USVString, required: true }]);

class RateLimit {
  #binding;

  constructor(key, binding) {
    if (key !== secret) throw new TypeError("Illegal constructor");
    this.#binding = binding;
  }

  limit(options) {
    try {
      if (!(#binding in this)) throw illegalInvocation();
      const prefix = "Failed to execute 'limit' on 'RateLimit'";
      requireArguments(arguments.length, 1, prefix);
      refuseInGlobalScope();
      const { key } = toOptions(options, prefix, "parameter 1");
      return PromiseResolve({ success: ops.rateLimit(this.#binding, key) });
    } catch (error) {
      return PromiseReject(error);
    }
  }
}
defineInterface(RateLimit);

const createRateLimit = (binding) => new RateLimit(secret, binding);

provide({ createRateLimit });
