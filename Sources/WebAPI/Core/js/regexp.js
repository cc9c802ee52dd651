// What RegExp.prototype.flags would give if the tenant had not touched it.
const {
  RegExpPrototypeGetDotAll, RegExpPrototypeGetGlobal, RegExpPrototypeGetHasIndices, RegExpPrototypeGetIgnoreCase,
  RegExpPrototypeGetMultiline, RegExpPrototypeGetSticky, RegExpPrototypeGetUnicode,
} = primordials;

/** The flags of a RegExp object, in the standard's order. */
function regExpFlags(regExp) {
  return (RegExpPrototypeGetHasIndices(regExp) ? "d" : "") + (RegExpPrototypeGetGlobal(regExp) ? "g" : "")
    + (RegExpPrototypeGetIgnoreCase(regExp) ? "i" : "") + (RegExpPrototypeGetMultiline(regExp) ? "m" : "")
    + (RegExpPrototypeGetDotAll(regExp) ? "s" : "") + (RegExpPrototypeGetUnicode(regExp) ? "u" : "")
    + (RegExpPrototypeGetSticky(regExp) ? "y" : "");
}

provide({ regExpFlags });
