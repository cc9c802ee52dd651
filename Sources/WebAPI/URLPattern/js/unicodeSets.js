// ECMA-262 (2024), section 22.2.1: character classes as the flag "v" has them, which URL patterns are written in, put
// into what the flag "u" understands. A nested class, or what is left of one class without another, becomes a group of
// lookaheads and alternatives that takes one code point all the same.
const { StringPrototypeIncludes, StringPrototypeIndexOf, StringPrototypeSlice, TypeError } = primordials;
const { defineRecord } = use("Core/records");

/** Code points that stand for themselves only after a backslash; those of the second kind not doubled. */
const SYNTAX = "()[]{}/-|", DOUBLED = "&!#$%*+,.:;<=>?@^`~";
/** May be escaped with "v" but not with "u", where they need not be. */
const PUNCTUATORS = "&!#%,:;<=>@`~";

class ClassTranslator {
  constructor(source) {
    this.source = source;
    this.index = 0;
  }

  fail() {
    return new TypeError(`Invalid regular expression '${this.source}' at index ${this.index}.`);
  }

  /** The character at the index or after it; empty at the end. */
  peek(offset = 0) {
    const index = this.index + offset;
    return index < this.source.length ? this.source[index] : "";
  }

  /** Takes a text if it comes next. */
  take(text) {
    for (let i = 0; i < text.length; i++) if (this.peek(i) !== text[i]) return false;
    this.index += text.length;
    return true;
  }

  translate() {
    let output = "";
    while (this.index < this.source.length) {
      const start = this.index;
      if (this.take("\\")) {
        this.index++;
        output += StringPrototypeSlice(this.source, start, this.index);
      } else if (this.take("[")) {
        output += this.classContents();
      } else {
        output += this.source[this.index++];
      }
    }
    return output;
  }

  /** The rest of a class after its bracket, as a term that takes one code point. */
  classContents() {
    const isNegated = this.take("^");
    // A union collects plain members in one class, and nested classes as alternatives to it.
    let members = "", nested = "", operands = 0;
    while (!this.take("]")) {
      const isIntersection = this.peek() === "&" && this.peek(1) === "&";
      if (isIntersection || (this.peek() === "-" && this.peek(1) === "-")) {
        if (operands !== 1) throw this.fail();
        const term = this.operations(isIntersection ? "&&" : "--", members === "" ? nested : `[${members}]`);
        return isNegated ? `(?:(?!${term})[^])` : `(?:${term})`;
      }
      const operand = this.operand();
      operands++;
      if (operand.isNested) nested += nested === "" ? operand.term : `|${operand.term}`;
      else members += operand.member;
    }
    if (nested === "") return `[${isNegated ? "^" : ""}${members}]`;
    const term = members === "" ? nested : `[${members}]|${nested}`;
    return isNegated ? `(?:(?!${term})[^])` : `(?:${term})`;
  }

  /** The rest of an intersection or subtraction, whose operators are all the same. */
  operations(operator, term) {
    while (!this.take("]")) {
      if (!this.take(operator)) throw this.fail();
      term = `(?${operator === "&&" ? "=" : "!"}${this.operand().term})${term}`;
    }
    return term;
  }

  /** A nested class, a range, an escape or a character: a term that takes one code point, and how a class has it. */
  operand() {
    if (this.take("[")) return { __proto__: null, isNested: true, term: this.classContents(), member: "" };
    let member = this.character();
    if (this.peek() === "-" && this.peek(1) !== "-") {
      this.index++;
      member += "-" + this.character();
    }
    return { __proto__: null, isNested: false, term: `[${member}]`, member };
  }

  character() {
    const c = this.peek();
    if (c === "\\") return this.escape();
    if (c === "" || StringPrototypeIncludes(SYNTAX, c)) throw this.fail();
    if (c === this.peek(1) && StringPrototypeIncludes(DOUBLED, c)) throw this.fail();
    this.index++;
    return c === "^" ? "\\^" : c;
  }

  escape() {
    const start = this.index, c = this.peek(1);
    this.index += 2;
    if (c === "" || c === "q") throw this.fail();
    if (StringPrototypeIncludes(PUNCTUATORS, c)) return c;
    if (this.peek() === "{" && StringPrototypeIncludes("pPu", c)) {
      const end = StringPrototypeIndexOf(this.source, "}", this.index);
      if (end < 0) throw this.fail();
      this.index = end + 1;
    } else if (c === "x" || c === "u" || c === "c") {
      this.index += c === "x" ? 2 : c === "u" ? 4 : 1;
    }
    return StringPrototypeSlice(this.source, start, this.index);
  }
}
defineRecord(ClassTranslator);

/** A pattern's source for the flag "u". What has no class needs no change; strings in classes (\q) are a TypeError. */
const toUnicodeMode = (source) =>
  (StringPrototypeIncludes(source, "[") ? new ClassTranslator(source).translate() : source);

provide({ toUnicodeMode });
