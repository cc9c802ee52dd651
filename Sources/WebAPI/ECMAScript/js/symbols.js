// Small additions: Symbol.dispose and Symbol.asyncDispose (ECMA-262, section 20.4.2), Error.isError (section 20.5.2.1).
const { Error, Symbol, ObjectDefineProperty } = primordials;
const { defineBuiltins } = use("ECMAScript/abstract");

function defineWellKnownSymbol(name) {
  if (Symbol[name] !== undefined) return;
  ObjectDefineProperty(Symbol, name, {
    __proto__: null, value: Symbol(`Symbol.${name}`), writable: false, enumerable: false, configurable: false,
  });
}
defineWellKnownSymbol("asyncDispose");
defineWellKnownSymbol("dispose");

defineBuiltins(Error, {
  isError(value) {
    return engine.typeOf(value) === "Error";
  },
});

provide({});
