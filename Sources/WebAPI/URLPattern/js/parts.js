// URL Pattern Standard, sections 2.1.2 to 2.1.6: the parts of a pattern string, and what is generated from them.
const {
  ArrayPrototypePush, StringPrototypeCharCodeAt, StringPrototypeCodePointAt, StringPrototypeIncludes,
  StringPrototypeSlice, TypeError,
} = primordials;
const { defineRecord } = use("Core/records");
const { isNameCodePoint, tokenize } = use("URLPattern/tokenizer");
const { toUnicodeMode } = use("URLPattern/unicodeSets");

const FULL_WILDCARD = ".*";

/** Options of section 2.1.4; the code points are strings, empty if there is none. */
const makeOptions = (delimiter, prefix, ignoreCase) => ({
  __proto__: null, delimiter, prefix, ignoreCase, segmentWildcard: `[^${escapeRegexp(delimiter)}]+?`,
});

function escape(text, specials) {
  let output = "", from = 0;
  for (let i = 0; i < text.length; i++) {
    if (!StringPrototypeIncludes(specials, text[i])) continue;
    output += StringPrototypeSlice(text, from, i) + "\\";
    from = i;
  }
  return output + StringPrototypeSlice(text, from);
}

const escapeRegexp = (text) => escape(text, ".+*?^${}()[]|/\\");
const escapePattern = (text) => escape(text, "+*?:{}()\\");
const isASCIIDigit = (text) => StringPrototypeCharCodeAt(text, 0) >= 0x30 && StringPrototypeCharCodeAt(text, 0) <= 0x39;

// Section 2.1.5: the pattern parser. A part is { type, value, modifier, name, prefix, suffix }; its type is
// "fixed-text", "regexp", "segment-wildcard" or "full-wildcard", its modifier the character for it, or empty.
class PatternParser {
  constructor(input, options, encode) {
    this.input = input;
    this.tokens = tokenize(input, false);
    this.options = options;
    this.encode = encode;
    this.parts = [];
    this.names = { __proto__: null };
    this.pendingFixedValue = "";
    this.index = 0;
    this.nextNumericName = 0;
  }

  parse() {
    while (this.index < this.tokens.length) {
      const char = this.tryConsume("char");
      let name = this.tryConsume("name");
      let matcher = this.tryConsumeRegexpOrWildcard(name);
      if (name !== null || matcher !== null) {
        let prefix = char === null ? "" : char.value;
        if (prefix !== "" && prefix !== this.options.prefix) {
          this.pendingFixedValue += prefix;
          prefix = "";
        }
        this.addPendingFixedValue();
        this.addPart(prefix, name, matcher, "", this.tryConsumeModifier());
        continue;
      }
      const fixed = char ?? this.tryConsume("escaped-char");
      if (fixed !== null) {
        this.pendingFixedValue += fixed.value;
        continue;
      }
      if (this.tryConsume("open") !== null) {
        const prefix = this.consumeText();
        name = this.tryConsume("name");
        matcher = this.tryConsumeRegexpOrWildcard(name);
        const suffix = this.consumeText();
        this.consumeRequired("close");
        this.addPart(prefix, name, matcher, suffix, this.tryConsumeModifier());
        continue;
      }
      this.addPendingFixedValue();
      this.consumeRequired("end");
    }
    return this.parts;
  }

  tryConsume(type) {
    const token = this.tokens[this.index];
    if (token.type !== type) return null;
    this.index++;
    return token;
  }

  tryConsumeRegexpOrWildcard(name) {
    const token = this.tryConsume("regexp");
    return name === null && token === null ? this.tryConsume("asterisk") : token;
  }

  tryConsumeModifier() {
    const token = this.tryConsume("other-modifier") ?? this.tryConsume("asterisk");
    return token === null ? "" : token.value;
  }

  consumeRequired(type) {
    if (this.tryConsume(type) !== null) return;
    const { index } = this.tokens[this.index];
    throw new TypeError(`Invalid pattern '${this.input}': expected ${type} at index ${index}.`);
  }

  consumeText() {
    let result = "";
    for (;;) {
      const token = this.tryConsume("char") ?? this.tryConsume("escaped-char");
      if (token === null) return result;
      result += token.value;
    }
  }

  addPendingFixedValue() {
    if (this.pendingFixedValue === "") return;
    const value = this.encode(this.pendingFixedValue);
    this.pendingFixedValue = "";
    this.append("fixed-text", value, "");
  }

  append(type, value, modifier, name = "", prefix = "", suffix = "") {
    ArrayPrototypePush(this.parts, { __proto__: null, type, value, modifier, name, prefix, suffix });
  }

  addPart(prefix, nameToken, matcher, suffix, modifier) {
    if (nameToken === null && matcher === null) {
      if (modifier === "") {
        this.pendingFixedValue += prefix;
        return;
      }
      this.addPendingFixedValue();
      if (prefix !== "") this.append("fixed-text", this.encode(prefix), modifier);
      return;
    }
    this.addPendingFixedValue();
    const { segmentWildcard } = this.options;
    let value = matcher === null ? segmentWildcard : matcher.type === "asterisk" ? FULL_WILDCARD : matcher.value;
    let type = "regexp";
    if (value === segmentWildcard) type = "segment-wildcard";
    else if (value === FULL_WILDCARD) type = "full-wildcard";
    if (type !== "regexp") value = "";
    const name = nameToken !== null ? nameToken.value : `${this.nextNumericName++}`;
    if (this.names[name]) throw new TypeError(`Invalid pattern '${this.input}': duplicate name '${name}'.`);
    this.names[name] = true;
    this.append(type, value, modifier, name, this.encode(prefix), this.encode(suffix));
  }
}
defineRecord(PatternParser);

/** The part list of a pattern string. `encode` is the encoding callback for its fixed text. */
const parsePattern = (input, options, encode) => new PatternParser(input, options, encode).parse();

// Section 2.1.6: generate a regular expression and name list. Gives the source; the names are appended to `names`.
function generateRegexp(parts, options, names) {
  let result = "^";
  for (let i = 0; i < parts.length; i++) {
    const { type, value, modifier, name } = parts[i];
    if (type === "fixed-text") {
      result += modifier === "" ? escapeRegexp(value) : `(?:${escapeRegexp(value)})${modifier}`;
      continue;
    }
    ArrayPrototypePush(names, name);
    const matcher = type === "regexp" ? toUnicodeMode(value)
      : type === "full-wildcard" ? FULL_WILDCARD : options.segmentWildcard;
    const prefix = escapeRegexp(parts[i].prefix), suffix = escapeRegexp(parts[i].suffix);
    const isRepeated = modifier === "*" || modifier === "+";
    if (prefix === "" && suffix === "") {
      result += isRepeated ? `((?:${matcher})${modifier})` : `(${matcher})${modifier}`;
    } else if (!isRepeated) {
      result += `(?:${prefix}(${matcher})${suffix})${modifier}`;
    } else {
      const repetition = `(?:${suffix}${prefix}(?:${matcher}))*`;
      result += `(?:${prefix}((?:${matcher})${repetition})${suffix})${modifier === "*" ? "?" : ""}`;
    }
  }
  return result + "$";
}

// Section 2.1.6: generate a pattern string.
function generatePattern(parts, options) {
  let result = "";
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i], { type, value, modifier, name, prefix, suffix } = part;
    if (type === "fixed-text") {
      result += modifier === "" ? escapePattern(value) : `{${escapePattern(value)}}${modifier}`;
      continue;
    }
    const previous = i > 0 ? parts[i - 1] : null, next = i + 1 < parts.length ? parts[i + 1] : null;
    const hasCustomName = !isASCIIDigit(name);
    const isGrouped = needsGrouping(part, previous, next, hasCustomName, options);
    if (isGrouped) result += "{";
    result += escapePattern(prefix);
    if (hasCustomName) result += ":" + name;
    if (type === "regexp") {
      result += `(${value})`;
    } else if (type === "full-wildcard") {
      const isPlain = !hasCustomName && (previous === null || previous.type === "fixed-text" || previous.modifier !== ""
        || isGrouped || prefix !== "");
      result += isPlain ? "*" : `(${FULL_WILDCARD})`;
    } else if (!hasCustomName) {
      result += `(${options.segmentWildcard})`;
    } else if (suffix !== "" && isNameCodePoint(StringPrototypeCodePointAt(suffix, 0), false)) {
      result += "\\";
    }
    result += escapePattern(suffix);
    if (isGrouped) result += "}";
    result += modifier;
  }
  return result;
}

function needsGrouping(part, previous, next, hasCustomName, options) {
  if (part.suffix !== "" || (part.prefix !== "" && part.prefix !== options.prefix)) return true;
  if (hasCustomName && part.type === "segment-wildcard" && part.modifier === "" && next !== null && next.prefix === ""
    && next.suffix === "") {
    const runsOn = next.type === "fixed-text"
      ? isNameCodePoint(StringPrototypeCodePointAt(next.value, 0), false) : isASCIIDigit(next.name);
    if (runsOn) return true;
  }
  return part.prefix === "" && previous !== null && previous.type === "fixed-text" && options.prefix !== ""
    && previous.value[previous.value.length - 1] === options.prefix;
}

provide({ escapePattern, generatePattern, generateRegexp, makeOptions, parsePattern });
