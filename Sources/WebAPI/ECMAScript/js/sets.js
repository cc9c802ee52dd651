// Set Methods (ECMA-262, section 24.2.4).
const {
  FunctionPrototypeCall, RangeError, Set, SetIteratorPrototypeNext, SetPrototype, SetPrototypeAdd, SetPrototypeDelete,
  SetPrototypeForEach, SetPrototypeGetSize, SetPrototypeHas, SetPrototypeValues, TypeError,
} = primordials;
const {
  closeIterator, defineBuiltins, getIteratorFromMethod, incompatibleReceiver, isObject, iteratorStep,
  toIntegerOrInfinity,
} = use("ECMAScript/abstract");

function requireSet(O, method) {
  try {
    return SetPrototypeGetSize(O);
  } catch {
    throw incompatibleReceiver(`Set.prototype.${method}`);
  }
}

function getSetRecord(value) {
  if (!isObject(value)) throw new TypeError("The other set is not an object");
  const numSize = +value.size;
  if (numSize !== numSize) throw new TypeError("The other set's 'size' is not a number");
  const size = toIntegerOrInfinity(numSize);
  if (size < 0) throw new RangeError("The other set's 'size' is negative");
  const has = value.has;
  if (typeof has !== "function") throw new TypeError("The other set's 'has' is not a function");
  const keys = value.keys;
  if (typeof keys !== "function") throw new TypeError("The other set's 'keys' is not a function");
  return { __proto__: null, value, size, has, keys };
}

// Whether `visit` was true for some element of O; elements that O gains meanwhile are visited too.
function someElement(O, visit) {
  const values = SetPrototypeValues(O);
  for (let step = SetIteratorPrototypeNext(values); !step.done; step = SetIteratorPrototypeNext(values)) {
    if (visit(step.value)) return true;
  }
  return false;
}

// Whether `visit` was true for some key of the other set, whose iterator is closed then.
function someKey(iterated, visit) {
  for (let step = iteratorStep(iterated); step !== undefined; step = iteratorStep(iterated)) {
    if (!visit(step.value)) continue;
    closeIterator(iterated.iterator);
    return true;
  }
  return false;
}

const keysOf = (other) => getIteratorFromMethod(other.value, other.keys);
const otherHas = (other, element) => !!FunctionPrototypeCall(other.has, other.value, element);

function copyOf(O) {
  const result = new Set();
  SetPrototypeForEach(O, (element) => SetPrototypeAdd(result, element));
  return result;
}

defineBuiltins(SetPrototype, {
  union(other) {
    requireSet(this, "union");
    const keys = keysOf(getSetRecord(other));
    const result = copyOf(this);
    someKey(keys, (key) => void SetPrototypeAdd(result, key));
    return result;
  },
  intersection(other) {
    requireSet(this, "intersection");
    const record = getSetRecord(other);
    const result = new Set();
    if (SetPrototypeGetSize(this) <= record.size) {
      someElement(this, (element) => void (otherHas(record, element) && SetPrototypeAdd(result, element)));
    } else {
      someKey(keysOf(record), (key) => void (SetPrototypeHas(this, key) && SetPrototypeAdd(result, key)));
    }
    return result;
  },
  difference(other) {
    requireSet(this, "difference");
    const record = getSetRecord(other);
    const result = copyOf(this);
    if (SetPrototypeGetSize(this) <= record.size) {
      someElement(result, (element) => void (otherHas(record, element) && SetPrototypeDelete(result, element)));
    } else {
      someKey(keysOf(record), (key) => void SetPrototypeDelete(result, key));
    }
    return result;
  },
  symmetricDifference(other) {
    requireSet(this, "symmetricDifference");
    const keys = keysOf(getSetRecord(other));
    const result = copyOf(this);
    someKey(keys, (key) => {
      if (SetPrototypeHas(this, key)) SetPrototypeDelete(result, key);
      else SetPrototypeAdd(result, key);
    });
    return result;
  },
  isSubsetOf(other) {
    requireSet(this, "isSubsetOf");
    const record = getSetRecord(other);
    if (SetPrototypeGetSize(this) > record.size) return false;
    return !someElement(this, (element) => !otherHas(record, element));
  },
  isSupersetOf(other) {
    requireSet(this, "isSupersetOf");
    const record = getSetRecord(other);
    if (SetPrototypeGetSize(this) < record.size) return false;
    return !someKey(keysOf(record), (key) => !SetPrototypeHas(this, key));
  },
  isDisjointFrom(other) {
    requireSet(this, "isDisjointFrom");
    const record = getSetRecord(other);
    if (SetPrototypeGetSize(this) <= record.size) return !someElement(this, (element) => otherHas(record, element));
    return !someKey(keysOf(record), (key) => SetPrototypeHas(this, key));
  },
});

provide({});
