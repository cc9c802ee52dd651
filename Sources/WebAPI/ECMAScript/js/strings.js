// Well-formed Unicode strings and RegExp.escape (ECMA-262, sections 22.1.3.10, 22.1.3.33 and 22.2.5.1).
const {
  NumberPrototypeToString, RegExp, StringPrototype, StringPrototypeCharCodeAt, StringPrototypeIncludes,
  StringPrototypePadStart, TypeError,
} = primordials;
const { defineBuiltins } = use("ECMAScript/abstract");

function stringOf(receiver, method) {
  if (receiver === undefined || receiver === null) throw new TypeError(`${method} called on null or undefined`);
  return `${receiver}`;
}

defineBuiltins(StringPrototype, {
  isWellFormed() {
    return engine.isWellFormed(stringOf(this, "String.prototype.isWellFormed"));
  },
  toWellFormed() {
    return engine.toWellFormed(stringOf(this, "String.prototype.toWellFormed"));
  },
});

const hex = (unit, width) => StringPrototypePadStart(NumberPrototypeToString(unit, 16), width, "0");

function isDecimalDigitOrLetter(unit) {
  const lowerCase = unit | 0x20;
  return (unit >= 0x30 && unit <= 0x39) || (lowerCase >= 0x61 && lowerCase <= 0x7a);
}

function isHighSurrogate(unit) {
  return unit >= 0xd800 && unit <= 0xdbff;
}

function isLowSurrogate(unit) {
  return unit >= 0xdc00 && unit <= 0xdfff;
}

const syntaxCharactersAndSlash = "^$\\.*+?()[]{}|/";
const otherPunctuators = ",-=<>#&!%:;@~'`\"";
const controlEscapes = "tnvfr";
const spacesAndLineTerminators = " \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
  + "\u2028\u2029\u202f\u205f\u3000\ufeff";

// EncodeForRegExpEscape, for a code unit that is no half of a surrogate pair.
function encodeForRegExpEscape(unit, character) {
  if (StringPrototypeIncludes(syntaxCharactersAndSlash, character)) return `\\${character}`;
  if (unit >= 9 && unit <= 13) return `\\${controlEscapes[unit - 9]}`;
  const mustEscape = StringPrototypeIncludes(otherPunctuators, character)
    || StringPrototypeIncludes(spacesAndLineTerminators, character) || isHighSurrogate(unit) || isLowSurrogate(unit);
  if (!mustEscape) return character;
  return unit <= 0xff ? `\\x${hex(unit, 2)}` : `\\u${hex(unit, 4)}`;
}

defineBuiltins(RegExp, {
  escape(S) {
    if (typeof S !== "string") throw new TypeError("RegExp.escape: the argument is not a string");
    let escaped = "";
    for (let i = 0; i < S.length; i++) {
      const unit = StringPrototypeCharCodeAt(S, i);
      if (isHighSurrogate(unit) && i + 1 < S.length && isLowSurrogate(StringPrototypeCharCodeAt(S, i + 1))) {
        escaped += S[i] + S[++i];
      } else if (i === 0 && isDecimalDigitOrLetter(unit)) {
        // A first digit or letter could continue an escape sequence that stands before it.
        escaped += `\\x${hex(unit, 2)}`;
      } else {
        escaped += encodeForRegExpEscape(unit, S[i]);
      }
    }
    return escaped;
  },
});

provide({});
