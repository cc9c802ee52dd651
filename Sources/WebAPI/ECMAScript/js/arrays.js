// Change Array by Copy (ECMA-262, sections 23.1.3 and 23.2.3): toReversed, toSorted, toSpliced and with.
const {
  ArrayPrototype, ArrayPrototypeSort, BigIntAsIntN, BigInt64Array, BigUint64Array, Float32Array, Float64Array,
  Int16Array, Int32Array, Int8Array, RangeError, SymbolUnscopables, TypeError, TypedArray, TypedArrayPrototypeGetLength,
  TypedArrayPrototypeGetSymbolToStringTag, TypedArrayPrototypeKeys, TypedArrayPrototypeReverse, TypedArrayPrototypeSet,
  TypedArrayPrototypeSort, Uint16Array, Uint32Array, Uint8Array, Uint8ClampedArray,
} = primordials;
const {
  arrayOf, createDataPropertyOrThrow, defineBuiltins, incompatibleReceiver, lengthOfArrayLike, maxSafeInteger,
  relativeIndex, toIntegerOrInfinity, toObject,
} = use("ECMAScript/abstract");

function requireComparator(comparator, method) {
  if (comparator !== undefined && typeof comparator !== "function") {
    throw new TypeError(`${method}: the comparison function must be either a function or undefined`);
  }
}

// The index that `with` replaces; it may be out of bounds.
function indexFrom(value, length) {
  const relative = toIntegerOrInfinity(value);
  return relative < 0 ? length + relative : relative;
}

defineBuiltins(ArrayPrototype, {
  toReversed() {
    const O = toObject(this, "Array.prototype.toReversed");
    const length = lengthOfArrayLike(O);
    return arrayOf(length, (_, k) => O[length - k - 1]);
  },
  toSorted(comparator) {
    requireComparator(comparator, "Array.prototype.toSorted");
    const O = toObject(this, "Array.prototype.toSorted");
    // The copy has no holes and no tenant code can reach it, so sorting it in place shows only the comparisons.
    return ArrayPrototypeSort(arrayOf(lengthOfArrayLike(O), (_, k) => O[k]), comparator);
  },
  toSpliced(start, skipCount, ...items) {
    const O = toObject(this, "Array.prototype.toSpliced");
    const length = lengthOfArrayLike(O);
    const actualStart = relativeIndex(start, length);
    let actualSkipCount = 0;
    if (arguments.length === 1) actualSkipCount = length - actualStart;
    else if (arguments.length > 1) actualSkipCount = clamp(toIntegerOrInfinity(skipCount), length - actualStart);
    const newLength = length + items.length - actualSkipCount;
    if (newLength > maxSafeInteger) throw new TypeError("Array.prototype.toSpliced: the result is too long");
    const afterItems = actualStart + items.length, shift = actualSkipCount - items.length;
    return arrayOf(newLength, (_, k) =>
      k < actualStart ? O[k] : k < afterItems ? items[k - actualStart] : O[k + shift]);
  },
  with(index, value) {
    const O = toObject(this, "Array.prototype.with");
    const length = lengthOfArrayLike(O);
    const actualIndex = indexFrom(index, length);
    if (actualIndex >= length || actualIndex < 0) throw new RangeError("Array.prototype.with: index out of range");
    return arrayOf(length, (_, k) => (k === actualIndex ? value : O[k]));
  },
});

function clamp(value, upper) {
  return value < 0 ? 0 : value > upper ? upper : value;
}

const unscopables = ArrayPrototype[SymbolUnscopables];
createDataPropertyOrThrow(unscopables, "toReversed", true);
createDataPropertyOrThrow(unscopables, "toSorted", true);
createDataPropertyOrThrow(unscopables, "toSpliced", true);

const constructors = {
  __proto__: null, Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array,
  BigInt64Array, BigUint64Array, Float32Array, Float64Array,
};

// ValidateTypedArray: the length. Only creating an iterator tells a detached array from an empty one.
function validTypedArrayLength(O, method) {
  try {
    TypedArrayPrototypeKeys(O);
  } catch {
    throw incompatibleReceiver(method);
  }
  return TypedArrayPrototypeGetLength(O);
}

function copyOf(O, length) {
  const A = new constructors[TypedArrayPrototypeGetSymbolToStringTag(O)](length);
  if (length > 0) TypedArrayPrototypeSet(A, O);
  return A;
}

defineBuiltins(TypedArray.prototype, {
  toReversed() {
    const length = validTypedArrayLength(this, "%TypedArray%.prototype.toReversed");
    return TypedArrayPrototypeReverse(copyOf(this, length));
  },
  toSorted(comparator) {
    requireComparator(comparator, "%TypedArray%.prototype.toSorted");
    const length = validTypedArrayLength(this, "%TypedArray%.prototype.toSorted");
    return TypedArrayPrototypeSort(copyOf(this, length), comparator);
  },
  with(index, value) {
    const length = validTypedArrayLength(this, "%TypedArray%.prototype.with");
    const actualIndex = indexFrom(index, length);
    const type = TypedArrayPrototypeGetSymbolToStringTag(this);
    const isBigInt = type === "BigInt64Array" || type === "BigUint64Array";
    const numericValue = isBigInt ? BigIntAsIntN(64, value) : +value;
    // Converting the value may have detached the buffer.
    if (actualIndex < 0 || actualIndex >= TypedArrayPrototypeGetLength(this)) {
      throw new RangeError("%TypedArray%.prototype.with: the index is out of range");
    }
    const A = copyOf(this, length);
    A[actualIndex] = numericValue;
    return A;
  },
});

provide({});
