// URL Standard, section 6.2: URLSearchParams.
const {
  ArrayPrototypePush, ArrayPrototypeSort, StringPrototypeSlice, StringPrototypeStartsWith, SymbolIterator, TypeError,
} = primordials;
const {
  converters, defineInterface, definePairIterable, exposeGlobals, illegalInvocation, record, requireArguments, sequence,
  sequenceFromIterator, typeOf,
} = use("WebIDL/webidl");
const { parseFormURLEncoded, serializeFormURLEncoded } = use("URL/formURLEncoded");

const toUSVString = converters.USVString;
const toRecord = record(toUSVString, toUSVString);
const toPair = sequence(toUSVString);

const prefixOf = (method) => `Failed to execute '${method}' on 'URLSearchParams'`;

// The union of section 6.2's constructor, to a flat list.
function toList(init) {
  const prefix = "Failed to construct 'URLSearchParams'";
  if (init === undefined) return [];
  if (init === null || typeOf(init) !== "object") {
    const text = toUSVString(init, prefix, "parameter 1");
    return parseFormURLEncoded(StringPrototypeStartsWith(text, "?") ? StringPrototypeSlice(text, 1) : text);
  }
  const method = init[SymbolIterator];
  if (method === undefined || method === null) return toRecord(init, prefix, "parameter 1");
  const list = [];
  const pairs = sequenceFromIterator(init, method, toPair, prefix, "parameter 1");
  for (let i = 0; i < pairs.length; i++) {
    if (pairs[i].length !== 2) {
      throw new TypeError(`${prefix}: parameter 1, index ${i} is not a pair of a name and a value.`);
    }
    ArrayPrototypePush(list, pairs[i][0], pairs[i][1]);
  }
  return list;
}

let isURLSearchParams, listOf, makeLinked, replaceList;
let updateURL;

class URLSearchParams {
  #list;
  /** The URL whose query this is, if it is one's. */
  #url = null;

  constructor(init = undefined) {
    this.#list = toList(init);
  }

  static {
    isURLSearchParams = (value) => value !== null && typeof value === "object" && #list in value;
    listOf = (params) => {
      if (!(#list in params)) throw illegalInvocation();
      return params.#list;
    };
    makeLinked = (url, query) => {
      const params = new URLSearchParams();
      params.#list = parseFormURLEncoded(query);
      params.#url = url;
      return params;
    };
    replaceList = (params, query) => { params.#list = parseFormURLEncoded(query); };
  }

  // The update steps.
  #update() {
    if (this.#url !== null) updateURL(this.#url, serializeFormURLEncoded(this.#list));
  }

  get size() {
    return listOf(this).length / 2;
  }

  append(name, value) {
    const list = listOf(this), prefix = prefixOf("append");
    requireArguments(arguments.length, 2, prefix);
    ArrayPrototypePush(list, toUSVString(name, prefix, "parameter 1"), toUSVString(value, prefix, "parameter 2"));
    this.#update();
  }

  delete(name, value = undefined) {
    const prefix = prefixOf("delete");
    listOf(this);
    requireArguments(arguments.length, 1, prefix);
    name = toUSVString(name, prefix, "parameter 1");
    if (value !== undefined) value = toUSVString(value, prefix, "parameter 2");
    const list = this.#list, kept = [];
    for (let i = 0; i < list.length; i += 2) {
      if (list[i] === name && (value === undefined || list[i + 1] === value)) continue;
      ArrayPrototypePush(kept, list[i], list[i + 1]);
    }
    this.#list = kept;
    this.#update();
  }

  get(name) {
    const prefix = prefixOf("get");
    listOf(this);
    requireArguments(arguments.length, 1, prefix);
    name = toUSVString(name, prefix, "parameter 1");
    const list = this.#list;
    for (let i = 0; i < list.length; i += 2) if (list[i] === name) return list[i + 1];
    return null;
  }

  getAll(name) {
    const prefix = prefixOf("getAll"), values = [];
    listOf(this);
    requireArguments(arguments.length, 1, prefix);
    name = toUSVString(name, prefix, "parameter 1");
    const list = this.#list;
    for (let i = 0; i < list.length; i += 2) if (list[i] === name) ArrayPrototypePush(values, list[i + 1]);
    return values;
  }

  has(name, value = undefined) {
    const prefix = prefixOf("has");
    listOf(this);
    requireArguments(arguments.length, 1, prefix);
    name = toUSVString(name, prefix, "parameter 1");
    if (value !== undefined) value = toUSVString(value, prefix, "parameter 2");
    const list = this.#list;
    for (let i = 0; i < list.length; i += 2) {
      if (list[i] === name && (value === undefined || list[i + 1] === value)) return true;
    }
    return false;
  }

  set(name, value) {
    const prefix = prefixOf("set");
    listOf(this);
    requireArguments(arguments.length, 2, prefix);
    name = toUSVString(name, prefix, "parameter 1");
    value = toUSVString(value, prefix, "parameter 2");
    const list = this.#list, kept = [];
    let isSet = false;
    for (let i = 0; i < list.length; i += 2) {
      if (list[i] !== name) {
        ArrayPrototypePush(kept, list[i], list[i + 1]);
      } else if (!isSet) {
        ArrayPrototypePush(kept, name, value);
        isSet = true;
      }
    }
    if (!isSet) ArrayPrototypePush(kept, name, value);
    this.#list = kept;
    this.#update();
  }

  sort() {
    const list = listOf(this), pairs = [], sorted = [];
    for (let i = 0; i < list.length; i += 2) {
      ArrayPrototypePush(pairs, { __proto__: null, name: list[i], value: list[i + 1] });
    }
    ArrayPrototypeSort(pairs, (a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
    for (let i = 0; i < pairs.length; i++) ArrayPrototypePush(sorted, pairs[i].name, pairs[i].value);
    this.#list = sorted;
    this.#update();
  }

  toString() {
    return serializeFormURLEncoded(listOf(this));
  }
}
definePairIterable(URLSearchParams, "URLSearchParams", (params) => listOf(params));
defineInterface(URLSearchParams);
exposeGlobals({ URLSearchParams });

/** Tells how a change of linked parameters reaches their URL: `update(url, serializedQuery)`. */
const setUpdateSteps = (update) => { updateURL = update; };

/**
 * listOf(params): the flat list of a URLSearchParams object, for bodies; throws TypeError for any other object.
 * isURLSearchParams(value) brand-checks. The rest links the parameters of a URL to it.
 */
provide({ URLSearchParams, isURLSearchParams, listOf, makeLinked, replaceList, setUpdateSteps });
