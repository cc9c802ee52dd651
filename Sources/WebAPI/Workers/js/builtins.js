// Modules that a worker imports and does not bring. Needs the op
//   builtinModule(specifier) -> the name of the bundle's module that provides it, or null if it is none of ours; throws
//     TypeError if it cannot be had
const { ObjectKeys } = primordials;
const { exposeLazyGlobals } = use("WebIDL/webidl");

/** The exports of a module, as an object; undefined if there is none of that name. */
entries.importBuiltin = (specifier) => {
  const name = ops.builtinModule(specifier);
  if (name === null) return undefined;
  const { exports, hasDefault } = use(name);
  const result = { __proto__: null };
  const keys = ObjectKeys(exports);
  for (let i = 0; i < keys.length; i++) result[keys[i]] = exports[keys[i]];
  if (hasDefault) result.default = exports;
  return result;
};

exposeLazyGlobals("Cache/cache", ["Cache", "CacheStorage", "caches"]);

provide({});
