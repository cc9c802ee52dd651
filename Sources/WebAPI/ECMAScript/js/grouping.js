// Array Grouping (ECMA-262, sections 7.3.37, 20.1.2.13 and 24.1.2.1): Object.groupBy and Map.groupBy.
const {
  ArrayFrom, Map, MapPrototypeForEach, MapPrototypeGet, MapPrototypeSet, Object, ReflectOwnKeys, TypeError,
} = primordials;
const { defineBuiltins, newList, requireCallable } = use("ECMAScript/abstract");

// GroupBy. The statement for-of is exactly the standard's iteration of the tenant's items, its closing included.
function groupBy(items, callback, method, keyFrom) {
  if (items === undefined || items === null) throw new TypeError(`${method}: the items are null or undefined`);
  requireCallable(callback, method);
  const groups = new Map();
  let k = 0;
  for (const value of items) {
    const key = keyFrom(callback(value, k));
    const group = MapPrototypeGet(groups, key);
    if (group === undefined) {
      const list = newList();
      list[0] = value;
      MapPrototypeSet(groups, key, list);
    } else {
      group[group.length] = value;
    }
    k++;
  }
  return groups;
}

function toPropertyKey(value) {
  if (typeof value === "string" || typeof value === "symbol") return value;
  return ReflectOwnKeys({ __proto__: null, [value]: undefined })[0];
}

defineBuiltins(Object, {
  groupBy(items, callback) {
    const result = { __proto__: null };
    MapPrototypeForEach(groupBy(items, callback, "Object.groupBy", toPropertyKey), (list, key) => {
      result[key] = ArrayFrom(list);
    });
    return result;
  },
});

defineBuiltins(Map, {
  groupBy(items, callback) {
    const groups = groupBy(items, callback, "Map.groupBy", (key) => key);
    MapPrototypeForEach(groups, (list, key) => MapPrototypeSet(groups, key, ArrayFrom(list)));
    return groups;
  },
});

provide({});
