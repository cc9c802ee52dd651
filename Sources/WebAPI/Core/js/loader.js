// The loader of the bundle. Unlike its neighbours this file is no module: the assembler puts it in front of all of
// them, and its last expression is the function that takes the table of modules.
(function (nativeOps, nativeEngine, makePrimordials, modules) {
  "use strict";
  const provided = { __proto__: null };
  const waiting = { __proto__: null };
  const entries = { __proto__: null };
  const { Error: ErrorConstructor, FunctionPrototypeToString, primordialsFor } = makePrimordials();

  function evaluate(name, body, names) {
    let result;
    body(use, (exports) => { result = exports; }, names, nativeOps, nativeEngine, entries);
    if (result === undefined) throw new ErrorConstructor(`Module ${name} provided nothing`);
    provided[name] = result;
    return result;
  }

  function use(name) {
    const ready = provided[name];
    if (ready !== undefined) return ready;
    const lazy = waiting[name];
    if (lazy === undefined) throw new ErrorConstructor(`Module ${name} is used before its turn, or does not exist`);
    waiting[name] = undefined;
    try {
      return evaluate(name, lazy.body, lazy.names);
    } catch (error) {
      // The tenant had all but used up the stack. The next one to ask finds more of it.
      waiting[name] = lazy;
      throw error;
    }
  }

  for (let i = 0; i < modules.length; i += 3) {
    const name = modules[i], isLazy = modules[i + 1], body = modules[i + 2];
    const names = primordialsFor(FunctionPrototypeToString(body), name);
    if (isLazy) waiting[name] = { __proto__: null, body, names };
    else evaluate(name, body, names);
  }
  return entries;
})
