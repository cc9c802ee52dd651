// HTML Standard, sections 2.7.3 and 2.7.6: StructuredSerialize and StructuredDeserialize, by way of bytes: for values
// that go to another isolate. The form is the runtime's own, of one process, and is never stored: a tag for each value,
// then what belongs to it. An object gets the next number as it begins, by which it can be referred to later.
const {
  ArrayPrototypePush, BigInt, BigInt64Array, BigIntPrototypeToString, BigIntPrototypeValueOf, BigUint64Array,
  BooleanPrototypeValueOf, DataView, DataViewPrototypeGetBuffer, DataViewPrototypeGetByteLength,
  DataViewPrototypeGetByteOffset, Date, DatePrototypeGetTime, Error, EvalError, Float32Array, Float64Array, Int16Array,
  Int32Array, Int8Array, Map, MapPrototypeSet, NumberPrototypeValueOf, Object,
  ObjectGetOwnPropertyDescriptor, ObjectGetPrototypeOf, ObjectHasOwn, ObjectKeys, ObjectPrototype, RangeError,
  ReferenceError, ReflectDefineProperty, RegExp, RegExpPrototypeGetSource, SafeMap, Set, SetPrototypeAdd, String,
  StringFromCharCode, StringPrototypeCharCodeAt, StringPrototypeValueOf, SymbolPrototypeToString, SyntaxError,
  TypeError, TypedArrayPrototypeGetBuffer, TypedArrayPrototypeGetByteOffset, TypedArrayPrototypeGetLength,
  TypedArrayPrototypeGetSymbolToStringTag, TypedArrayPrototypeSet, URIError, Uint16Array, Uint32Array, Uint8Array,
  Uint8ClampedArray,
} = primordials;
const { defineHidden, defineRecord } = use("Core/records");
const { regExpFlags } = use("Core/regexp");
const { DOMException, isDOMException } = use("DOM/exception");

/** Bytes of one value. */
const longest = 32 * 1024 * 1024;

const UNDEFINED = 0, NULL = 1, TRUE = 2, FALSE = 3, INTEGER = 4, DOUBLE = 5, BIGINT = 6, LATIN1 = 7, UTF8 = 8;
const UTF16 = 9, REFERENCE = 10, OBJECT = 11, ARRAY = 12, SPARSE_ARRAY = 13, DATE = 14, REGEXP = 15, MAP = 16, SET = 17;
const BUFFER = 18, VIEW = 19, DATA_VIEW = 20, ERROR = 21, EXCEPTION = 22, WRAPPER = 23, END = 24;

const errorConstructors = {
  __proto__: null, Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError,
};
const viewConstructors = {
  __proto__: null, BigInt64Array, BigUint64Array, Float32Array, Float64Array, Int16Array, Int32Array, Int8Array,
  Uint16Array, Uint32Array, Uint8Array, Uint8ClampedArray,
};

const dataCloneError = (text) => new DOMException(text, "DataCloneError");

// A double and its bytes.
const double = new Float64Array(1);
const doubleBytes = new Uint8Array(TypedArrayPrototypeGetBuffer(double));

class Writer {
  constructor() {
    this.bytes = new Uint8Array(256);
    this.length = 0;
    this.memory = new SafeMap();
    this.count = 0;
  }

  reserve(count) {
    const needed = this.length + count;
    const size = TypedArrayPrototypeGetLength(this.bytes);
    if (needed <= size) return;
    if (needed > longest) {
      throw new TypeError(`Serialized RPC arguments or return values are limited to 32MiB, but the size of this value `
        + `was: at least ${needed} bytes.`);
    }
    const larger = new Uint8Array(needed > 2 * size ? needed : 2 * size);
    TypedArrayPrototypeSet(larger, this.bytes);
    this.bytes = larger;
  }

  byte(value) {
    this.reserve(1);
    this.bytes[this.length++] = value;
  }

  /** A number from 0 to 2^53, seven bits a byte. */
  number(value) {
    this.reserve(8);
    while (value >= 128) {
      this.bytes[this.length++] = value % 128 + 128;
      value = (value - value % 128) / 128;
    }
    this.bytes[this.length++] = value;
  }

  double(value) {
    this.reserve(8);
    double[0] = value;
    for (let i = 0; i < 8; i++) this.bytes[this.length++] = doubleBytes[i];
  }

  data(bytes) {
    const count = TypedArrayPrototypeGetLength(bytes);
    this.number(count);
    this.reserve(count);
    TypedArrayPrototypeSet(this.bytes, bytes, this.length);
    this.length += count;
  }

  string(text) {
    const latin1 = engine.latin1Encode(text);
    if (latin1 !== undefined) {
      this.byte(LATIN1);
      this.data(latin1);
    } else if (engine.isWellFormed(text)) {
      this.byte(UTF8);
      this.data(engine.utf8Encode(text));
    } else {
      this.byte(UTF16);
      this.number(text.length);
      this.reserve(2 * text.length);
      for (let i = 0; i < text.length; i++) {
        const unit = StringPrototypeCharCodeAt(text, i);
        this.bytes[this.length++] = unit & 0xff;
        this.bytes[this.length++] = unit >> 8;
      }
    }
  }

  remember(value) { this.memory.set(value, this.count++); }

  begin(value, tag) {
    this.remember(value);
    this.byte(tag);
  }

  value(value) {
    switch (typeof value) {
      case "undefined": return this.byte(UNDEFINED);
      case "boolean": return this.byte(value ? TRUE : FALSE);
      case "number": return this.numeric(value);
      case "string": return this.string(value);
      case "bigint":
        this.byte(BIGINT);
        return this.string(BigIntPrototypeToString(value, 10));
      case "symbol": throw dataCloneError(`${SymbolPrototypeToString(value)} could not be cloned.`);
      case "function":
        throw dataCloneError("A function cannot be sent by RPC: here there are no stubs for functions.");
    }
    if (value === null) return this.byte(NULL);
    const known = this.memory.get(value);
    if (known !== undefined) {
      this.byte(REFERENCE);
      return this.number(known);
    }
    const kind = engine.typeOf(value), steps = writers[kind];
    if (steps === undefined) throw dataCloneError(`#<${kind}> could not be cloned.`);
    steps(this, value);
  }

  numeric(value) {
    if ((value | 0) === value && (value !== 0 || 1 / value > 0)) {
      this.byte(INTEGER);
      this.number(value < 0 ? -2 * value - 1 : 2 * value);
    } else {
      this.byte(DOUBLE);
      this.double(value);
    }
  }

  properties(value, keys) {
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i];
      // A getter may have removed it.
      if (!ObjectHasOwn(value, key)) continue;
      this.string(key);
      this.value(value[key]);
    }
    this.byte(END);
  }

  entries(value, tag) {
    const entries = engine.previewEntries(value)[0];
    this.begin(value, tag);
    this.number(entries.length);
    for (let i = 0; i < entries.length; i++) this.value(entries[i]);
  }
}
defineRecord(Writer);

/** What an object that is more than its properties is called. */
function classNameOf(prototype) {
  const own = ObjectGetOwnPropertyDescriptor(prototype, "constructor");
  const constructor = own !== undefined && ObjectHasOwn(own, "value") ? own.value : undefined;
  const name = typeof constructor === "function" ? ObjectGetOwnPropertyDescriptor(constructor, "name") : undefined;
  return name !== undefined && typeof name.value === "string" ? name.value : "Object";
}

function writeObject(writer, value) {
  const prototype = ObjectGetPrototypeOf(value);
  if (prototype !== null && prototype !== ObjectPrototype) {
    throw dataCloneError(`Could not serialize object of type "${classNameOf(prototype)}". This type does not support `
      + "serialization.");
  }
  writer.begin(value, OBJECT);
  writer.properties(value, ObjectKeys(value));
}

function writeArray(writer, value) {
  const { length } = value, keys = ObjectKeys(value);
  if (keys.length === length && (length === 0 || keys[length - 1] === `${length - 1}`)) {
    writer.begin(value, ARRAY);
    writer.number(length);
    for (let i = 0; i < length; i++) writer.value(value[i]);
  } else {
    writer.begin(value, SPARSE_ARRAY);
    writer.number(length);
    writer.properties(value, keys);
  }
}

function bytesOf(buffer) {
  try {
    return new Uint8Array(buffer);
  } catch {
    throw dataCloneError("An ArrayBuffer is detached and could not be cloned.");
  }
}

function writeView(writer, value, tag, buffer, name, offset, length) {
  bytesOf(buffer);
  writer.byte(tag);
  writer.value(buffer);
  writer.remember(value);
  writer.string(name);
  writer.number(offset);
  writer.number(length);
}

function writeError(writer, value) {
  if (isDOMException(value)) {
    writer.begin(value, EXCEPTION);
    writer.string(String(value.name));
    writer.string(String(value.message));
    return;
  }
  const name = value.name, message = ObjectGetOwnPropertyDescriptor(value, "message");
  const cause = ObjectGetOwnPropertyDescriptor(value, "cause");
  writer.begin(value, ERROR);
  writer.string(name === undefined ? "Error" : String(name));
  if (message !== undefined && ObjectHasOwn(message, "value")) writer.string(String(message.value));
  else writer.byte(END);
  if (cause !== undefined && ObjectHasOwn(cause, "value")) writer.value(cause.value);
  else writer.byte(END);
}

const writeWrapper = (writer, value, primitive) => {
  writer.begin(value, WRAPPER);
  writer.value(primitive);
};

// By the engine's name of the internal class. What is missing here cannot be sent.
const writers = {
  __proto__: null,
  Arguments: writeObject,
  Array: writeArray,
  ArrayBuffer(writer, value) {
    const bytes = bytesOf(value);
    writer.begin(value, BUFFER);
    writer.data(bytes);
  },
  BigInt: (writer, value) => writeWrapper(writer, value, BigIntPrototypeValueOf(value)),
  Boolean: (writer, value) => writeWrapper(writer, value, BooleanPrototypeValueOf(value)),
  DataView: (writer, value) => writeView(writer, value, DATA_VIEW, DataViewPrototypeGetBuffer(value), "",
    DataViewPrototypeGetByteOffset(value), DataViewPrototypeGetByteLength(value)),
  Date(writer, value) {
    writer.begin(value, DATE);
    writer.double(DatePrototypeGetTime(value));
  },
  Error: writeError,
  Map: (writer, value) => writer.entries(value, MAP),
  Number: (writer, value) => writeWrapper(writer, value, NumberPrototypeValueOf(value)),
  Object: writeObject,
  RegExp(writer, value) {
    writer.begin(value, REGEXP);
    writer.string(RegExpPrototypeGetSource(value));
    writer.string(regExpFlags(value));
  },
  Set: (writer, value) => writer.entries(value, SET),
  String: (writer, value) => writeWrapper(writer, value, StringPrototypeValueOf(value)),
  TypedArray: (writer, value) => writeView(writer, value, VIEW, TypedArrayPrototypeGetBuffer(value),
    TypedArrayPrototypeGetSymbolToStringTag(value), TypedArrayPrototypeGetByteOffset(value),
    TypedArrayPrototypeGetLength(value)),
};

/** The bytes of a value. Throws DataCloneError if it cannot be sent, and what its getters throw. */
function serialize(value) {
  const writer = new Writer();
  writer.value(value);
  return new Uint8Array(TypedArrayPrototypeGetBuffer(writer.bytes), 0, writer.length);
}

// Read where a value may be missing.
const ended = { __proto__: null };

class Reader {
  constructor(bytes) {
    this.bytes = bytes;
    this.position = 0;
    this.objects = [];
  }

  byte() { return this.bytes[this.position++]; }

  number() {
    let value = 0, unit = 1, byte;
    do {
      byte = this.byte();
      value += byte % 128 * unit;
      unit *= 128;
    } while (byte >= 128);
    return value;
  }

  double() {
    for (let i = 0; i < 8; i++) doubleBytes[i] = this.byte();
    return double[0];
  }

  /** Bytes, which share the memory of the whole. */
  data() {
    const count = this.number(), start = this.position;
    this.position += count;
    return new Uint8Array(TypedArrayPrototypeGetBuffer(this.bytes),
      TypedArrayPrototypeGetByteOffset(this.bytes) + start, count);
  }

  string() { return this.text(this.byte()); }

  text(tag) {
    switch (tag) {
      case LATIN1: return engine.latin1Decode(this.data());
      case UTF8: return engine.utf8Decode(this.data(), false);
    }
    const count = this.number();
    let text = "";
    for (let i = 0; i < count; i++) {
      const low = this.byte();
      text += StringFromCharCode(low + 256 * this.byte());
    }
    return text;
  }

  keep(object) {
    ArrayPrototypePush(this.objects, object);
    return object;
  }

  /** The place of an object that cannot be made yet. */
  reserve() {
    this.keep(undefined);
    return this.objects.length - 1;
  }

  value() {
    const tag = this.byte();
    switch (tag) {
      case UNDEFINED: return undefined;
      case NULL: return null;
      case TRUE: return true;
      case FALSE: return false;
      case INTEGER: {
        const value = this.number();
        return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
      }
      case DOUBLE: return this.double();
      case BIGINT: return BigInt(this.string());
      case LATIN1: case UTF8: case UTF16: return this.text(tag);
      case REFERENCE: return this.objects[this.number()];
      case END: return ended;
      default: return readers[tag](this);
    }
  }

  properties(object) {
    for (let tag = this.byte(); tag !== END; tag = this.byte()) {
      const key = this.text(tag);
      createProperty(object, key, this.value());
    }
    return object;
  }
}
defineRecord(Reader);

function createProperty(object, key, value) {
  if (key in object) {
    ReflectDefineProperty(object, key, {
      __proto__: null, value, writable: true, enumerable: true, configurable: true,
    });
  } else {
    object[key] = value;
  }
}

function readError(reader) {
  const name = reader.string(), Constructor = errorConstructors[name], message = reader.value();
  const error = reader.keep(Constructor === undefined ? new Error() : new Constructor());
  if (Constructor === undefined) defineHidden(error, "name", name);
  if (message !== ended) defineHidden(error, "message", message);
  const cause = reader.value();
  if (cause !== ended) defineHidden(error, "cause", cause);
  return error;
}

const readers = {
  __proto__: null,
  [OBJECT]: (reader) => reader.properties(reader.keep({})),
  [ARRAY](reader) {
    const array = reader.keep([]), length = reader.number();
    for (let i = 0; i < length; i++) ArrayPrototypePush(array, reader.value());
    return array;
  },
  [SPARSE_ARRAY](reader) {
    const array = reader.keep([]);
    array.length = reader.number();
    return reader.properties(array);
  },
  [DATE]: (reader) => reader.keep(new Date(reader.double())),
  [REGEXP](reader) {
    const source = reader.string();
    return reader.keep(new RegExp(source, reader.string()));
  },
  [MAP](reader) {
    const map = reader.keep(new Map()), length = reader.number();
    for (let i = 0; i < length; i += 2) {
      const key = reader.value();
      MapPrototypeSet(map, key, reader.value());
    }
    return map;
  },
  [SET](reader) {
    const set = reader.keep(new Set()), length = reader.number();
    for (let i = 0; i < length; i++) SetPrototypeAdd(set, reader.value());
    return set;
  },
  [BUFFER](reader) {
    const bytes = reader.data(), copy = new Uint8Array(TypedArrayPrototypeGetLength(bytes));
    TypedArrayPrototypeSet(copy, bytes);
    return reader.keep(TypedArrayPrototypeGetBuffer(copy));
  },
  [VIEW](reader) {
    const buffer = reader.value(), place = reader.reserve(), Constructor = viewConstructors[reader.string()];
    const offset = reader.number();
    return reader.objects[place] = new Constructor(buffer, offset, reader.number());
  },
  [DATA_VIEW](reader) {
    const buffer = reader.value(), place = reader.reserve();
    reader.string();
    const offset = reader.number();
    return reader.objects[place] = new DataView(buffer, offset, reader.number());
  },
  [ERROR]: readError,
  [EXCEPTION](reader) {
    const name = reader.string();
    return reader.keep(new DOMException(reader.string(), name));
  },
  [WRAPPER](reader) {
    const place = reader.reserve();
    return reader.objects[place] = Object(reader.value());
  },
};

/** The value whose bytes these are; what serialize() gave, in another isolate. */
function deserialize(bytes) { return new Reader(bytes).value(); }

provide({ deserialize, serialize });
