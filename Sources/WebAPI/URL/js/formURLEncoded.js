// URL Standard, section 5: application/x-www-form-urlencoded. Names and values lie in a flat array [name, value ...].
const { ArrayPrototypePush, StringPrototypeIndexOf, StringPrototypeSlice } = primordials;
const { FORM, percentDecode, percentDecodeToText, utf8PercentEncode } = use("URL/percentEncoding");

// Section 5.1: the parser, for a well-formed string. `decode` turns the text between two marks into a string.
function parseFormURLEncoded(input, decode = percentDecodeToText) {
  const list = [];
  for (let start = 0; start < input.length;) {
    const ampersand = StringPrototypeIndexOf(input, "&", start);
    const end = ampersand < 0 ? input.length : ampersand;
    if (end > start) {
      const sequence = StringPrototypeSlice(input, start, end);
      const equals = StringPrototypeIndexOf(sequence, "=");
      const name = equals < 0 ? sequence : StringPrototypeSlice(sequence, 0, equals);
      const value = equals < 0 ? "" : StringPrototypeSlice(sequence, equals + 1);
      ArrayPrototypePush(list, decode(plusToSpace(name)), decode(plusToSpace(value)));
    }
    start = end + 1;
  }
  return list;
}

// Section 5.1: the same for bytes, which need not be UTF-8.
function parseFormURLEncodedBytes(bytes) {
  const text = engine.utf8Decode(bytes, true);
  if (text !== undefined) return parseFormURLEncoded(text);
  return parseFormURLEncoded(engine.latin1Decode(bytes),
    (part) => engine.utf8Decode(percentDecode(engine.latin1Encode(part)), false));
}

function plusToSpace(text) {
  let output = "", from = 0;
  for (;;) {
    const plus = StringPrototypeIndexOf(text, "+", from);
    if (plus < 0) return from === 0 ? text : output + StringPrototypeSlice(text, from);
    output += StringPrototypeSlice(text, from, plus) + " ";
    from = plus + 1;
  }
}

// Section 5.2: the serializer.
function serializeFormURLEncoded(list) {
  let output = "";
  for (let i = 0; i < list.length; i += 2) {
    if (i > 0) output += "&";
    output += utf8PercentEncode(list[i], FORM, "+") + "=" + utf8PercentEncode(list[i + 1], FORM, "+");
  }
  return output;
}

/** Parser and serializer of form data, for bodies: lists are flat arrays [name, value, name, value ...]. */
provide({ parseFormURLEncoded, parseFormURLEncodedBytes, serializeFormURLEncoded });
