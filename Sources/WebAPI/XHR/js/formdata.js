// XMLHttpRequest Standard, section 5: FormData. An entry list is a flat array [name, value, name, value ...]; a value
// is a string or a File.
const { ArrayPrototypePush, TypeError } = primordials;
const {
  converters, defineInterface, definePairIterable, exposeGlobals, requireArguments,
} = use("WebIDL/webidl");
const { blobParts, blobSize, blobType, fileDetailsOf, isBlob, isFile, makeFile } = use("FileAPI/blob");

const internal = {};
let entryListOf, isFormData;

class FormData {
  #entries = [];

  constructor(form = undefined) {
    if (form === internal) this.#entries = arguments[1];
    else if (form !== undefined) {
      throw new TypeError("Failed to construct 'FormData': parameter 1 is not of type 'HTMLFormElement'.");
    }
  }

  append(name, value, filename = undefined) {
    const entries = this.#entries, prefix = "Failed to execute 'append' on 'FormData'";
    requireArguments(arguments.length, 2, prefix);
    const key = converters.USVString(name, prefix, "parameter 1");
    ArrayPrototypePush(entries, key, entryValue(value, filename, arguments.length, prefix));
  }

  delete(name) {
    const entries = this.#entries, prefix = "Failed to execute 'delete' on 'FormData'";
    requireArguments(arguments.length, 1, prefix);
    removeEntries(entries, converters.USVString(name, prefix, "parameter 1"), 0);
  }

  get(name) {
    const entries = this.#entries, prefix = "Failed to execute 'get' on 'FormData'";
    requireArguments(arguments.length, 1, prefix);
    const index = indexOfEntry(entries, converters.USVString(name, prefix, "parameter 1"));
    return index < 0 ? null : entries[index + 1];
  }

  getAll(name) {
    const entries = this.#entries, prefix = "Failed to execute 'getAll' on 'FormData'";
    requireArguments(arguments.length, 1, prefix);
    const key = converters.USVString(name, prefix, "parameter 1"), values = [];
    for (let i = 0; i < entries.length; i += 2) if (entries[i] === key) ArrayPrototypePush(values, entries[i + 1]);
    return values;
  }

  has(name) {
    const entries = this.#entries, prefix = "Failed to execute 'has' on 'FormData'";
    requireArguments(arguments.length, 1, prefix);
    return indexOfEntry(entries, converters.USVString(name, prefix, "parameter 1")) >= 0;
  }

  set(name, value, filename = undefined) {
    const entries = this.#entries, prefix = "Failed to execute 'set' on 'FormData'";
    requireArguments(arguments.length, 2, prefix);
    const key = converters.USVString(name, prefix, "parameter 1");
    const entry = entryValue(value, filename, arguments.length, prefix);
    const index = indexOfEntry(entries, key);
    if (index < 0) {
      ArrayPrototypePush(entries, key, entry);
    } else {
      entries[index + 1] = entry;
      removeEntries(entries, key, index + 2);
    }
  }

  static {
    entryListOf = (data) => data.#entries;
    isFormData = (value) => #entries in value;
  }
}
definePairIterable(FormData, "FormData", entryListOf);
defineInterface(FormData);

function indexOfEntry(entries, name) {
  for (let i = 0; i < entries.length; i += 2) if (entries[i] === name) return i;
  return -1;
}

function removeEntries(entries, name, start) {
  let end = start;
  for (let i = start; i < entries.length; i += 2) {
    if (entries[i] === name) continue;
    entries[end] = entries[i];
    entries[end + 1] = entries[i + 1];
    end += 2;
  }
  entries.length = end;
}

// The overloads of append() and set(), and HTML's "create an entry": what is not yet a File, or gets a name, becomes
// one.
function entryValue(value, filename, argumentCount, prefix) {
  if (!isBlob(value)) {
    if (argumentCount < 3) return converters.USVString(value, prefix, "parameter 2");
    throw new TypeError(`${prefix}: parameter 2 is not of type 'Blob'.`);
  }
  if (filename === undefined && isFile(value)) return value;
  const name = filename === undefined ? "blob" : converters.USVString(filename, prefix, "parameter 3");
  const lastModified = isFile(value) ? fileDetailsOf(value).lastModified : undefined;
  return makeFile(blobParts(value), blobSize(value), blobType(value), name, lastModified);
}

/** A FormData over an entry list that is not copied. */
function makeFormData(entryList) {
  return new FormData(internal, entryList);
}

exposeGlobals({ FormData });

provide({ entryListOf, isFormData, makeFormData });
