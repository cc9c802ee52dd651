// Promise.withResolvers and Promise.try (ECMA-262, sections 27.2.4.8 and 27.2.4.9).
const { Promise, ReflectApply, TypeError } = primordials;
const { defineBuiltins, isConstructor, isObject } = use("ECMAScript/abstract");

// NewPromiseCapability
function newPromiseCapability(C) {
  if (C !== Promise && !isConstructor(C)) throw new TypeError("The receiver is not a constructor of promises");
  let resolve, reject;
  const promise = new C((resolvingFunction, rejectingFunction) => {
    if (resolve !== undefined || reject !== undefined) throw new TypeError("Promise executor has already been invoked");
    resolve = resolvingFunction;
    reject = rejectingFunction;
  });
  if (typeof resolve !== "function" || typeof reject !== "function") {
    throw new TypeError("Promise resolve or reject function is not callable");
  }
  return { promise, resolve, reject };
}

defineBuiltins(Promise, {
  withResolvers() {
    return newPromiseCapability(this);
  },
  try(callback, ...args) {
    if (!isObject(this)) throw new TypeError("Promise.try called on non-object");
    const { promise, resolve, reject } = newPromiseCapability(this);
    let result;
    try {
      result = ReflectApply(callback, undefined, args);
    } catch (error) {
      reject(error);
      return promise;
    }
    resolve(result);
    return promise;
  },
});

provide({});
