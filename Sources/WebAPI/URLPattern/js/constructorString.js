// URL Pattern Standard, section 1.6: the constructor string parser.
const { StringPrototypeSlice } = primordials;
const { defineRecord } = use("Core/records");
const { tokenize } = use("URLPattern/tokenizer");

const CHARACTER_TYPES = { __proto__: null, char: true, "escaped-char": true, "invalid-char": true };
/** After these a question mark is a modifier, not the prefix of a search. */
const MATCHER_TYPES = { __proto__: null, name: true, regexp: true, close: true, asterisk: true };
/** The states that come before another, in the order of a URL. */
const RANK = {
  __proto__: null, protocol: 1, authority: 2, username: 3, password: 4, hostname: 5, port: 6, pathname: 7, search: 8,
  hash: 9, done: 10,
};

class ConstructorStringParser {
  constructor(input, matchesSpecialScheme) {
    this.input = input;
    this.tokens = tokenize(input, true);
    this.matchesSpecialScheme = matchesSpecialScheme;
    this.result = { __proto__: null };
    this.state = "init";
    this.componentStart = 0;
    this.tokenIndex = 0;
    this.tokenIncrement = 1;
    this.groupDepth = 0;
    this.bracketDepth = 0;
    this.isSpecial = false;
  }

  parse() {
    for (; this.tokenIndex < this.tokens.length; this.tokenIndex += this.tokenIncrement) {
      this.tokenIncrement = 1;
      const { type } = this.tokens[this.tokenIndex];
      if (type === "end") {
        if (this.atEnd()) break;
        continue;
      }
      if (type === "open") {
        this.groupDepth++;
        continue;
      }
      if (this.groupDepth > 0) {
        if (type !== "close") continue;
        this.groupDepth--;
      }
      this.step();
    }
    const { result } = this;
    if (result.hostname !== undefined && result.port === undefined) result.port = "";
    return result;
  }

  /** Gives true if parsing is over. */
  atEnd() {
    if (this.state === "init") {
      this.rewind();
      if (this.isCharacter("#")) this.changeState("hash", 1);
      else if (this.isSearchPrefix()) this.changeState("search", 1);
      else this.changeState("pathname", 0);
      return false;
    }
    if (this.state === "authority") {
      this.rewind();
      this.state = "hostname";
      return false;
    }
    this.changeState("done", 0);
    return true;
  }

  step() {
    switch (this.state) {
      case "init":
        if (this.isCharacter(":")) {
          this.rewind();
          this.state = "protocol";
        }
        break;
      case "protocol":
        if (this.isCharacter(":")) this.endProtocol();
        break;
      case "authority":
        if (this.isCharacter("@")) {
          this.rewind();
          this.state = "username";
        } else if (this.isCharacter("/") || this.isSearchPrefix() || this.isCharacter("#")) {
          this.rewind();
          this.state = "hostname";
        }
        break;
      case "username":
        if (this.isCharacter(":")) this.changeState("password", 1);
        else if (this.isCharacter("@")) this.changeState("hostname", 1);
        break;
      case "password":
        if (this.isCharacter("@")) this.changeState("hostname", 1);
        break;
      case "hostname":
        if (this.isCharacter("[")) this.bracketDepth++;
        else if (this.isCharacter("]")) this.bracketDepth--;
        else if (this.isCharacter(":") && this.bracketDepth === 0) this.changeState("port", 1);
        else this.stepFrom(6);
        break;
      default: this.stepFrom(RANK[this.state]);
    }
  }

  /** Looks for the prefixes of the components that come after the state of a rank. */
  stepFrom(rank) {
    if (rank <= RANK.port && this.isCharacter("/")) this.changeState("pathname", 0);
    else if (rank <= RANK.pathname && this.isSearchPrefix()) this.changeState("search", 1);
    else if (rank <= RANK.search && this.isCharacter("#")) this.changeState("hash", 1);
  }

  endProtocol() {
    this.isSpecial = this.matchesSpecialScheme(this.componentString());
    if (this.isCharacter("/", 1) && this.isCharacter("/", 2)) this.changeState("authority", 3);
    else this.changeState(this.isSpecial ? "authority" : "pathname", 1);
  }

  changeState(state, skip) {
    const { result, state: old } = this;
    if (old !== "init" && old !== "authority") result[old] = this.componentString();
    if (old !== "init" && state !== "done") {
      const from = RANK[old], to = RANK[state];
      if (from < RANK.hostname && to > RANK.hostname) result.hostname ??= "";
      if (from < RANK.pathname && to > RANK.pathname) result.pathname ??= this.isSpecial ? "/" : "";
      if (from < RANK.search && to > RANK.search) result.search ??= "";
    }
    this.state = state;
    this.tokenIndex += skip;
    this.componentStart = this.tokenIndex;
    this.tokenIncrement = 0;
  }

  rewind() {
    this.tokenIndex = this.componentStart;
    this.tokenIncrement = 0;
  }

  safeToken(index) {
    return this.tokens[index < this.tokens.length ? index : this.tokens.length - 1];
  }

  /** "Is a non-special pattern char", for the current token or one after it. */
  isCharacter(value, offset = 0) {
    const token = this.safeToken(this.tokenIndex + offset);
    return token.value === value && CHARACTER_TYPES[token.type] === true;
  }

  isSearchPrefix() {
    if (this.isCharacter("?")) return true;
    if (this.tokens[this.tokenIndex].value !== "?") return false;
    return this.tokenIndex === 0 || MATCHER_TYPES[this.safeToken(this.tokenIndex - 1).type] !== true;
  }

  componentString() {
    const start = this.safeToken(this.componentStart).index;
    return StringPrototypeSlice(this.input, start, this.tokens[this.tokenIndex].index);
  }
}
defineRecord(ConstructorStringParser);

/**
 * The pattern strings of a constructor string, by component. `matchesSpecialScheme` tells whether a protocol's pattern
 * string matches a special scheme.
 */
const parseConstructorString = (input, matchesSpecialScheme) =>
  new ConstructorStringParser(input, matchesSpecialScheme).parse();

provide({ parseConstructorString });
