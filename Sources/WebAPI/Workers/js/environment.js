// Workers: `env`, one object for all that an isolate runs. Needs the op
//   environment() -> [name, value, name, value ...], the worker's variables
const { ObjectDefineProperty, globalThis } = primordials;

let environment;

function define(target) {
  const pairs = ops.environment();
  for (let i = 0; i < pairs.length; i += 2) {
    ObjectDefineProperty(target, pairs[i], {
      __proto__: null, value: pairs[i + 1], writable: true, enumerable: true, configurable: true,
    });
  }
  return target;
}

const getEnvironment = () => environment ??= define({});

/** In service-worker syntax variables are globals, from before the script's first line. */
entries.exposeEnvironment = () => { define(globalThis); };

/** What the warm-up saw is none of a worker's. */
const forgetEnvironment = () => { environment = undefined; };

provide({ forgetEnvironment, getEnvironment });
