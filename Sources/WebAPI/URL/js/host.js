// URL Standard, section 3: hosts. A host is kept in its serialized form; null stands for failure here.
//
// Op: idnaToASCII(domain, beStrict) -> string, or null for failure. Section 3.3's call of Unicode ToASCII (UTS #46,
// non-transitional, CheckBidi and CheckJoiners; CheckHyphens, UseSTD3ASCIIRules and VerifyDnsLength as beStrict says).
const {
  NumberPrototypeToString, StringPrototypeCharCodeAt, StringPrototypeEndsWith, StringPrototypeIncludes,
  StringPrototypeIndexOf, StringPrototypeLastIndexOf, StringPrototypeSlice, StringPrototypeStartsWith,
  StringPrototypeToLowerCase,
} = primordials;
const {
  C0_CONTROL, FORBIDDEN_DOMAIN, FORBIDDEN_HOST, hasCodePointIn, hexDigitValue, percentDecodeToText, utf8PercentEncode,
} = use("URL/percentEncoding");

const isDigit = (c) => c >= 0x30 && c <= 0x39;

function isASCII(text) {
  for (let i = 0; i < text.length; i++) if (StringPrototypeCharCodeAt(text, i) >= 0x80) return false;
  return true;
}

// Section 3.5: the host parser.
function parseHost(input, isOpaque) {
  if (StringPrototypeStartsWith(input, "[")) {
    if (!StringPrototypeEndsWith(input, "]")) return null;
    const address = parseIPv6(StringPrototypeSlice(input, 1, -1));
    return address === null ? null : `[${serializeIPv6(address)}]`;
  }
  if (isOpaque) return hasCodePointIn(input, FORBIDDEN_HOST) ? null : utf8PercentEncode(input, C0_CONTROL);
  const asciiDomain = domainToASCII(percentDecodeToText(input), false);
  if (asciiDomain === null) return null;
  return endsInANumber(asciiDomain) ? parseIPv4(asciiDomain) : asciiDomain;
}

// Section 3.3: domain to ASCII.
function domainToASCII(domain, beStrict) {
  let result;
  if (!beStrict && isASCII(domain)) {
    result = StringPrototypeToLowerCase(domain);
    if (StringPrototypeStartsWith(result, "xn--") || StringPrototypeIncludes(result, ".xn--")) {
      result = ops.idnaToASCII(domain, false);
    }
  } else {
    result = ops.idnaToASCII(domain, beStrict);
  }
  return result === null || result === "" || hasCodePointIn(result, FORBIDDEN_DOMAIN) ? null : result;
}

// Section 3.5: the ends-in-a-number checker.
function endsInANumber(domain) {
  const end = StringPrototypeEndsWith(domain, ".") ? domain.length - 1 : domain.length;
  const start = end === 0 ? 0 : StringPrototypeLastIndexOf(domain, ".", end - 1) + 1;
  const last = StringPrototypeSlice(domain, start, end);
  if (last === "" || !isDigit(StringPrototypeCharCodeAt(last, 0))) return false;
  let digits = 1;
  while (digits < last.length && isDigit(StringPrototypeCharCodeAt(last, digits))) digits++;
  return digits === last.length || parseIPv4Number(last) !== null;
}

// Section 3.5: the IPv4 parser, with its serializer.
function parseIPv4(input) {
  const end = StringPrototypeEndsWith(input, ".") ? input.length - 1 : input.length;
  let address = 0, parts = 0, start = 0;
  for (;;) {
    const dot = StringPrototypeIndexOf(input, ".", start);
    const isLast = dot < 0 || dot >= end;
    const number = parseIPv4Number(StringPrototypeSlice(input, start, isLast ? end : dot));
    if (number === null || ++parts > 4) return null;
    if (isLast) {
      if (number >= 256 ** (5 - parts)) return null;
      address = address * 256 ** (5 - parts) + number;
      break;
    }
    if (number > 255) return null;
    address = address * 256 + number;
    start = dot + 1;
  }
  return `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`;
}

function parseIPv4Number(input) {
  if (input === "") return null;
  let radix = 10, i = 0;
  if (input.length > 1 && StringPrototypeCharCodeAt(input, 0) === 0x30) {
    const isHex = (StringPrototypeCharCodeAt(input, 1) | 0x20) === 0x78;
    radix = isHex ? 16 : 8;
    i = isHex ? 2 : 1;
  }
  let value = 0;
  for (; i < input.length; i++) {
    const digit = hexDigitValue(StringPrototypeCharCodeAt(input, i));
    if (digit < 0 || digit >= radix) return null;
    value = value * radix + digit;
  }
  return value;
}

// Section 3.5: the IPv6 parser. The address is an array of eight numbers.
function parseIPv6(input) {
  const length = input.length;
  const codeAt = (i) => (i < length ? StringPrototypeCharCodeAt(input, i) : -1);
  const address = [0, 0, 0, 0, 0, 0, 0, 0];
  let pieceIndex = 0, compress = -1, pointer = 0;
  if (codeAt(0) === 0x3A) {
    if (codeAt(1) !== 0x3A) return null;
    pointer = 2;
    compress = ++pieceIndex;
  }
  while (pointer < length) {
    if (pieceIndex === 8) return null;
    if (codeAt(pointer) === 0x3A) {
      if (compress >= 0) return null;
      pointer++;
      compress = ++pieceIndex;
      continue;
    }
    const start = pointer;
    let value = 0, digit;
    while (pointer - start < 4 && (digit = hexDigitValue(codeAt(pointer))) >= 0) {
      value = value * 16 + digit;
      pointer++;
    }
    const c = codeAt(pointer);
    if (c === 0x2E) {
      if (pointer === start || pieceIndex > 6) return null;
      const tail = parseEmbeddedIPv4(codeAt, start, length);
      if (tail < 0) return null;
      address[pieceIndex++] = tail >>> 16 & 0xFFFF;
      address[pieceIndex++] = tail & 0xFFFF;
      break;
    }
    if (c === 0x3A) {
      if (++pointer === length) return null;
    } else if (c !== -1) {
      return null;
    }
    address[pieceIndex++] = value;
  }
  if (compress < 0) return pieceIndex === 8 ? address : null;
  for (let swaps = pieceIndex - compress, to = 7; to !== 0 && swaps > 0; to--, swaps--) {
    const from = compress + swaps - 1, moved = address[from];
    address[from] = address[to];
    address[to] = moved;
  }
  return address;
}

/** Four decimal numbers up to the end of the input, as one number; -1 for failure. */
function parseEmbeddedIPv4(codeAt, pointer, length) {
  let address = 0;
  for (let seen = 0; seen < 4; seen++) {
    if (seen > 0 && codeAt(pointer++) !== 0x2E) return -1;
    if (!isDigit(codeAt(pointer))) return -1;
    let value = codeAt(pointer++) - 0x30;
    while (isDigit(codeAt(pointer))) {
      if (value === 0) return -1;
      value = value * 10 + codeAt(pointer++) - 0x30;
      if (value > 255) return -1;
    }
    address = address * 256 + value;
  }
  return pointer === length ? address : -1;
}

// Section 3.6: the IPv6 serializer.
function serializeIPv6(address) {
  let compress = -1, longest = 1;
  for (let i = 0; i < 8; i++) {
    let run = 0;
    while (i + run < 8 && address[i + run] === 0) run++;
    if (run > longest) {
      longest = run;
      compress = i;
    }
    i += run;
  }
  let output = "";
  for (let i = 0; i < 8; i++) {
    if (i === compress) {
      output += i === 0 ? "::" : ":";
      i += longest - 1;
      continue;
    }
    output += NumberPrototypeToString(address[i], 16);
    if (i !== 7) output += ":";
  }
  return output;
}

provide({ domainToASCII, parseHost, parseIPv6, serializeIPv6 });
