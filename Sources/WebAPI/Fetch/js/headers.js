// Fetch Standard, section 5.1: the Headers class, and section 2.2.2: header lists.
//
// A header list is a flat array [name, value, name, value ...] with names in lower case. As in Workers, values may
// hold any character: what is not ASCII travels as UTF-8. No name is forbidden; the only guard is "immutable".
const {
  ArrayPrototypePush, ArrayPrototypeSort, ObjectPrototypePropertyIsEnumerable, ReflectOwnKeys,
  RegExpPrototypeExec, StringPrototypeCharCodeAt, StringPrototypeSlice, StringPrototypeToLowerCase, SymbolIterator,
  TypeError,
} = primordials;
const {
  converters, defineInterface, definePairIterable, exposeGlobals, requireArguments, sequence, sequenceFromIterator,
  typeOf,
} = use("WebIDL/webidl");

const notToken = /[^!#$%&'*+\-.^_`|~0-9A-Za-z]/;
const notNormalized = /[\0\n\r]|^[\t ]|[\t ]$/;
const notAllowed = /[\0\n\r]/;

// Names that were seen before, as written and in lower case. A program uses few, again and again; the cap is for one
// that makes them up.
const knownNames = { __proto__: null };
const knownNamesLimit = 256, knownNameLength = 64;
let knownNamesCount = 0;

/** A name from a tenant: checked to be a token, and in lower case. */
function headerName(name) {
  const known = knownNames[name];
  if (known !== undefined) return known;
  if (name === "" || RegExpPrototypeExec(notToken, name) !== null) throw new TypeError("Invalid header name.");
  const lower = StringPrototypeToLowerCase(name);
  if (knownNamesCount < knownNamesLimit && name.length <= knownNameLength) {
    knownNames[name] = lower;
    knownNamesCount++;
  }
  return lower;
}

/** A value from a tenant, normalized and checked. */
function headerValue(value) {
  if (RegExpPrototypeExec(notNormalized, value) === null) return value;
  const normalized = trimWhitespace(value);
  if (RegExpPrototypeExec(notAllowed, normalized) !== null) throw new TypeError("Invalid header value.");
  return normalized;
}

// Section 2.2: HTTP whitespace is tab, LF, CR and space.
function isWhitespace(code) {
  return code === 0x20 || code === 0x09 || code === 0x0a || code === 0x0d;
}

function trimWhitespace(value) {
  let start = 0, end = value.length;
  while (start < end && isWhitespace(StringPrototypeCharCodeAt(value, start))) start++;
  while (end > start && isWhitespace(StringPrototypeCharCodeAt(value, end - 1))) end--;
  return StringPrototypeSlice(value, start, end);
}

// Section 2.2.2: "get" a name, in lower case, from a list.
function getHeader(list, name) {
  let result = null;
  for (let i = 0; i < list.length; i += 2) {
    if (list[i] === name) result = result === null ? list[i + 1] : `${result}, ${list[i + 1]}`;
  }
  return result;
}

function hasHeader(list, name) {
  for (let i = 0; i < list.length; i += 2) if (list[i] === name) return true;
  return false;
}

function valuesOf(list, name) {
  const values = [];
  for (let i = 0; i < list.length; i += 2) if (list[i] === name) ArrayPrototypePush(values, list[i + 1]);
  return values;
}

// Section 2.2.2: "set", which keeps the place of the first.
function setHeader(list, name, value) {
  for (let i = 0; i < list.length; i += 2) {
    if (list[i] !== name) continue;
    list[i + 1] = value;
    removeHeader(list, name, i + 2);
    return;
  }
  ArrayPrototypePush(list, name, value);
}

function removeHeader(list, name, start = 0) {
  let end = start;
  for (let i = start; i < list.length; i += 2) {
    if (list[i] === name) continue;
    if (end !== i) {
      list[end] = list[i];
      list[end + 1] = list[i + 1];
    }
    end += 2;
  }
  list.length = end;
}

// Section 2.2.2: "sort and combine"; each set-cookie stays on its own.
function sortAndCombine(list) {
  const names = [], values = { __proto__: null };
  for (let i = 0; i < list.length; i += 2) {
    const name = list[i], value = list[i + 1], before = values[name];
    if (before === undefined) {
      ArrayPrototypePush(names, name);
      values[name] = value;
    } else if (name !== "set-cookie") {
      values[name] = `${before}, ${value}`;
    }
  }
  ArrayPrototypeSort(names);
  const result = [];
  for (let i = 0; i < names.length; i++) {
    const name = names[i];
    if (name !== "set-cookie") {
      ArrayPrototypePush(result, name, values[name]);
      continue;
    }
    const cookies = valuesOf(list, name);
    for (let j = 0; j < cookies.length; j++) ArrayPrototypePush(result, name, cookies[j]);
  }
  return result;
}

function copyList(list) {
  const copy = [];
  for (let i = 0; i < list.length; i++) ArrayPrototypePush(copy, list[i]);
  return copy;
}

const internal = {};
let listOf, isHeaders, entriesOf;

class Headers {
  #list;
  #isImmutable;
  #sorted;

  constructor(init = undefined) {
    if (init === internal) {
      this.#list = arguments[1];
      this.#isImmutable = arguments[2];
      return;
    }
    this.#list = init === undefined ? [] : headerListFrom(init, "Failed to construct 'Headers'", "parameter 1");
    this.#isImmutable = false;
  }

  append(name, value) {
    const list = this.#list;
    requireArguments(arguments.length, 2, "Failed to execute 'append' on 'Headers'");
    const lower = nameArgument(name, "append"), normalized = valueArgument(value, "append");
    this.#willChange();
    ArrayPrototypePush(list, lower, normalized);
  }

  delete(name) {
    const list = this.#list;
    requireArguments(arguments.length, 1, "Failed to execute 'delete' on 'Headers'");
    const lower = nameArgument(name, "delete");
    this.#willChange();
    removeHeader(list, lower);
  }

  get(name) {
    const list = this.#list;
    requireArguments(arguments.length, 1, "Failed to execute 'get' on 'Headers'");
    return getHeader(list, nameArgument(name, "get"));
  }

  /** Workers' own: all values of Set-Cookie, the one name for which it makes sense. */
  getAll(name) {
    const list = this.#list;
    requireArguments(arguments.length, 1, "Failed to execute 'getAll' on 'Headers'");
    if (nameArgument(name, "getAll") !== "set-cookie") {
      throw new TypeError('getAll() can only be used with the header name "Set-Cookie".');
    }
    return valuesOf(list, "set-cookie");
  }

  getSetCookie() {
    return valuesOf(this.#list, "set-cookie");
  }

  has(name) {
    const list = this.#list;
    requireArguments(arguments.length, 1, "Failed to execute 'has' on 'Headers'");
    return hasHeader(list, nameArgument(name, "has"));
  }

  set(name, value) {
    const list = this.#list;
    requireArguments(arguments.length, 2, "Failed to execute 'set' on 'Headers'");
    const lower = nameArgument(name, "set"), normalized = valueArgument(value, "set");
    this.#willChange();
    setHeader(list, lower, normalized);
  }

  #willChange() {
    if (this.#isImmutable) throw new TypeError("Can't modify immutable headers.");
    this.#sorted = undefined;
  }

  static {
    listOf = (headers) => headers.#list;
    isHeaders = (value) => #list in value;
    entriesOf = (headers) => headers.#sorted ??= sortAndCombine(headers.#list);
  }
}

function nameArgument(name, method) {
  if (typeof name === "string") return headerName(name);
  return headerName(converters.DOMString(name, `Failed to execute '${method}' on 'Headers'`, "parameter 1"));
}

function valueArgument(value, method) {
  if (typeof value === "string") return headerValue(value);
  return headerValue(converters.DOMString(value, `Failed to execute '${method}' on 'Headers'`, "parameter 2"));
}

definePairIterable(Headers, "Headers", entriesOf);
defineInterface(Headers);
const originalIterator = Headers.prototype[SymbolIterator];

// Section 5.1: HeadersInit, a sequence of pairs or a record, and "fill". Gives a new list.
function headerListFrom(init, prefix, context) {
  if (typeOf(init) !== "object") {
    throw new TypeError(`${prefix}: ${context} is neither a sequence of pairs nor a record.`);
  }
  const method = init[SymbolIterator];
  if (method === undefined || method === null) return listFromRecord(init, prefix, context);
  if (method === originalIterator && isHeaders(init)) return copyList(listOf(init));
  return listFromPairs(sequenceFromIterator(init, method, pairConverter, prefix, context));
}

const pairConverter = sequence(converters.DOMString);

function listFromPairs(pairs) {
  const list = [];
  for (let i = 0; i < pairs.length; i++) {
    if (pairs[i].length !== 2) {
      throw new TypeError(
        "To initialize a Headers object from a sequence, each inner sequence must have exactly two elements.");
    }
    ArrayPrototypePush(list, headerName(pairs[i][0]), headerValue(pairs[i][1]));
  }
  return list;
}

// Web IDL, section 3.2.22, with "fill" in the same pass. propertyIsEnumerable does the [[GetOwnProperty]] of step 4.1.
function listFromRecord(init, prefix, context) {
  const keys = ReflectOwnKeys(init), list = [];
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i];
    if (!ObjectPrototypePropertyIsEnumerable(init, key)) continue;
    const name = headerName(typeof key === "string" ? key : converters.DOMString(key, prefix, context));
    const value = init[key];
    ArrayPrototypePush(list, name,
      headerValue(typeof value === "string" ? value : converters.DOMString(value, prefix, `${context}, key '${key}'`)));
  }
  return list;
}

/** Headers over a list that is not copied. */
function makeHeaders(list, isImmutable) {
  return new Headers(internal, list, isImmutable);
}

exposeGlobals({ Headers });

provide({
  Headers, copyList, getHeader, hasHeader, headerListFrom, headerListOf: listOf, makeHeaders, removeHeader,
  setHeader,
});
