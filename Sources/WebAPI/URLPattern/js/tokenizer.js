// URL Pattern Standard, section 2.1.1: tokens and the tokenizer. Indexes count code units.
const {
  ArrayPrototypePush, RegExpPrototypeExec, StringFromCodePoint, StringPrototypeCharCodeAt, StringPrototypeCodePointAt,
  StringPrototypeSlice, TypeError,
} = primordials;

const STAR = 0x2A, PLUS = 0x2B, QUESTION = 0x3F, BACKSLASH = 0x5C, OPEN = 0x7B, CLOSE = 0x7D, COLON = 0x3A;
const PARENTHESIS = 0x28, END_PARENTHESIS = 0x29;

const NAME_START = /^[$_\p{ID_Start}]/u, NAME_PART = /^[$\u200C\u200D\p{ID_Continue}]/u;

/** Whether a code point is a valid name code point. */
function isNameCodePoint(codePoint, isFirst) {
  return RegExpPrototypeExec(isFirst ? NAME_START : NAME_PART, StringFromCodePoint(codePoint)) !== null;
}

const widthAt = (input, index) => (StringPrototypeCodePointAt(input, index) > 0xFFFF ? 2 : 1);

/** Tokenizes; what is malformed is a TypeError, or if lenient an "invalid-char" token. */
function tokenize(input, isLenient) {
  const tokens = [], length = input.length;
  for (let index = 0; index < length;) {
    const token = tokenAt(input, index) ?? invalidToken(input, index, isLenient);
    ArrayPrototypePush(tokens, token);
    index = token.end;
  }
  ArrayPrototypePush(tokens, { __proto__: null, type: "end", index: length, end: length, value: "" });
  return tokens;
}

function invalidToken(input, index, isLenient) {
  if (!isLenient) throw new TypeError(`Invalid pattern '${input}': unexpected character at index ${index}.`);
  return makeToken(input, "invalid-char", index, index + widthAt(input, index));
}

/** A token from `index` to `end`, whose value is the text itself or what is given. */
function makeToken(input, type, index, end, value = StringPrototypeSlice(input, index, end)) {
  return { __proto__: null, type, index, end, value };
}

/** The token at an index; undefined for an error. */
function tokenAt(input, index) {
  switch (StringPrototypeCharCodeAt(input, index)) {
    case STAR: return makeToken(input, "asterisk", index, index + 1);
    case PLUS:
    case QUESTION: return makeToken(input, "other-modifier", index, index + 1);
    case OPEN: return makeToken(input, "open", index, index + 1);
    case CLOSE: return makeToken(input, "close", index, index + 1);
    case BACKSLASH: return escapedToken(input, index);
    case COLON: return nameToken(input, index);
    case PARENTHESIS: return regexpToken(input, index);
    default: return makeToken(input, "char", index, index + widthAt(input, index));
  }
}

function escapedToken(input, index) {
  if (index === input.length - 1) return undefined;
  const end = index + 1 + widthAt(input, index + 1);
  return makeToken(input, "escaped-char", index, end, StringPrototypeSlice(input, index + 1, end));
}

function nameToken(input, index) {
  let end = index + 1;
  while (end < input.length && isNameCodePoint(StringPrototypeCodePointAt(input, end), end === index + 1)) {
    end += widthAt(input, end);
  }
  if (end === index + 1) return undefined;
  return makeToken(input, "name", index, end, StringPrototypeSlice(input, index + 1, end));
}

// A regular expression in parentheses, which is ASCII and has no capturing groups.
function regexpToken(input, index) {
  const start = index + 1, length = input.length;
  let depth = 1, position = start;
  while (position < length) {
    const c = StringPrototypeCharCodeAt(input, position);
    if (c > 0x7F || (position === start && c === QUESTION)) return undefined;
    if (c === BACKSLASH) {
      if (position === length - 1 || StringPrototypeCharCodeAt(input, position + 1) > 0x7F) return undefined;
      position += 2;
      continue;
    }
    position++;
    if (c === END_PARENTHESIS) {
      if (--depth === 0) break;
    } else if (c === PARENTHESIS) {
      depth++;
      if (position === length || StringPrototypeCharCodeAt(input, position) !== QUESTION) return undefined;
    }
  }
  if (depth !== 0 || position - 1 === start) return undefined;
  return makeToken(input, "regexp", index, position, StringPrototypeSlice(input, start, position - 1));
}

provide({ isNameCodePoint, tokenize });
