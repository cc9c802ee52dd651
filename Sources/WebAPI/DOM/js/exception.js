// Web IDL, section 2.8: DOMException and its kind QuotaExceededError.
const { Error, ErrorPrototype, ObjectSetPrototypeOf, RangeError, ReflectConstruct, StringPrototypeSplit } = primordials;
const {
  converters, defineConstants, defineInterface, dictionary, exposeGlobals, illegalInvocation,
} = use("WebIDL/webidl");

// Section 2.8.1: the names with a legacy code, which is their place from 1 on, and the names of the codes' constants.
const LEGACY_CODES = "IndexSizeError:INDEX_SIZE,:DOMSTRING_SIZE,HierarchyRequestError:HIERARCHY_REQUEST,"
  + "WrongDocumentError:WRONG_DOCUMENT,InvalidCharacterError:INVALID_CHARACTER,:NO_DATA_ALLOWED,"
  + "NoModificationAllowedError:NO_MODIFICATION_ALLOWED,NotFoundError:NOT_FOUND,NotSupportedError:NOT_SUPPORTED,"
  + "InUseAttributeError:INUSE_ATTRIBUTE,InvalidStateError:INVALID_STATE,SyntaxError:SYNTAX,"
  + "InvalidModificationError:INVALID_MODIFICATION,NamespaceError:NAMESPACE,InvalidAccessError:INVALID_ACCESS,"
  + ":VALIDATION,TypeMismatchError:TYPE_MISMATCH,SecurityError:SECURITY,NetworkError:NETWORK,AbortError:ABORT,"
  + "URLMismatchError:URL_MISMATCH,QuotaExceededError:QUOTA_EXCEEDED,TimeoutError:TIMEOUT,"
  + "InvalidNodeTypeError:INVALID_NODE_TYPE,DataCloneError:DATA_CLONE";

const codes = { __proto__: null };
const constants = { __proto__: null };
const rows = StringPrototypeSplit(LEGACY_CODES, ",");
for (let i = 0; i < rows.length; i++) {
  const row = StringPrototypeSplit(rows[i], ":");
  if (row[0] !== "") codes[row[0]] = i + 1;
  constants[`${row[1]}_ERR`] = i + 1;
}

// The private state of an object that another constructor made.
class Adopted {
  constructor(object) { return object; }
}

class Details extends Adopted {
  #name; #message;
  constructor(error, name, message) {
    super(error);
    this.#name = name;
    this.#message = message;
  }
  static has(value) { return typeof value === "object" && value !== null && #name in value; }
  static name(exception) {
    if (!Details.has(exception)) throw illegalInvocation();
    return exception.#name;
  }
  static message(exception) {
    if (!Details.has(exception)) throw illegalInvocation();
    return exception.#message;
  }
}
const { has: isDOMException, name: nameOf, message: messageOf } = Details;

// Its objects are errors of the engine's own kind, which gives them [[ErrorData]], as the standard asks, and a stack.
class DOMException {
  constructor(message = "", name = "Error") {
    const prefix = "Failed to construct 'DOMException'";
    message = converters.DOMString(message, prefix, "parameter 1");
    name = converters.DOMString(name, prefix, "parameter 2");
    return new Details(ReflectConstruct(Error, [], new.target), name, message);
  }
  get name() { return nameOf(this); }
  get message() { return messageOf(this); }
  get code() { return codes[nameOf(this)] ?? 0; }
}
ObjectSetPrototypeOf(DOMException.prototype, ErrorPrototype);
defineInterface(DOMException);
defineConstants(DOMException, constants);

const quotaExceededErrorOptions = dictionary("QuotaExceededErrorOptions", [
  { __proto__: null, key: "quota", converter: converters.double },
  { __proto__: null, key: "requested", converter: converters.double },
]);

let quotaDetails;

class QuotaExceededError extends DOMException {
  #quota = null; #requested = null;
  constructor(message = "", options = {}) {
    super(message, "QuotaExceededError");
    const prefix = "Failed to construct 'QuotaExceededError'";
    const { quota, requested } = quotaExceededErrorOptions(options, prefix, "parameter 2");
    if (quota < 0) throw new RangeError(`${prefix}: quota must not be negative.`);
    if (requested < 0) throw new RangeError(`${prefix}: requested must not be negative.`);
    if (requested < quota) throw new RangeError(`${prefix}: requested must not be less than quota.`);
    this.#quota = quota ?? null;
    this.#requested = requested ?? null;
  }
  get quota() { return this.#quota; }
  get requested() { return this.#requested; }

  static {
    quotaDetails = (exception) => {
      if (!(#quota in exception)) return undefined;
      return { __proto__: null, quota: exception.#quota ?? undefined, requested: exception.#requested ?? undefined };
    };
  }
}
defineInterface(QuotaExceededError);

/** The serialization and deserialization steps in one. */
function cloneDOMException(exception) {
  const quota = quotaDetails(exception);
  const message = messageOf(exception);
  return quota === undefined ? new DOMException(message, nameOf(exception)) : new QuotaExceededError(message, quota);
}

entries.makeDOMException = (message, name) => new DOMException(message, name);

exposeGlobals({ __proto__: null, DOMException, QuotaExceededError });

provide({ DOMException, QuotaExceededError, cloneDOMException, isDOMException });
