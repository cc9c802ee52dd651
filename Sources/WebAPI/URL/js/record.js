// URL Standard, section 4.1: the URL record, in two forms.
//
// URLRecord is what a URL keeps: the serialization and where its components lie. It never changes, so records are
// shared freely, and a component costs a slice when it is asked for. URLComponents is what the parser and the setters
// work on.
//
//   https://user:pass@example.com:8080/path?query#fragment
//        |     |      |          |    |    |     |
//   schemeEnd  |  hostStart hostEnd   | pathEnd queryEnd
//         usernameEnd             pathStart
//
// pathEnd and queryEnd are the end of the string where query and fragment are null. Of a null host both ends are -1.
// The path of URLComponents is opaque, or the list with a "/" before each segment ("" is the empty list).
const { StringPrototypeCharCodeAt, StringPrototypeSlice, StringPrototypeStartsWith } = primordials;
const { defineRecord } = use("Core/records");

// Section 4.2: special schemes and their default ports; null for file.
const DEFAULT_PORTS = { __proto__: null, ftp: 21, file: null, http: 80, https: 443, ws: 80, wss: 443 };
const isSpecialScheme = (scheme) => DEFAULT_PORTS[scheme] !== undefined;

class URLRecord {
  constructor(href, schemeEnd, usernameEnd, hostStart, hostEnd, pathStart, pathEnd, queryEnd) {
    this.href = href;
    this.schemeEnd = schemeEnd;
    this.usernameEnd = usernameEnd;
    this.hostStart = hostStart;
    this.hostEnd = hostEnd;
    this.pathStart = pathStart;
    this.pathEnd = pathEnd;
    this.queryEnd = queryEnd;
  }

  get scheme() { return StringPrototypeSlice(this.href, 0, this.schemeEnd); }
  get isSpecial() { return isSpecialScheme(this.scheme); }

  get username() {
    return this.hostStart < 0 ? "" : StringPrototypeSlice(this.href, this.schemeEnd + 3, this.usernameEnd);
  }

  get password() {
    return this.hostStart < 0 ? "" : StringPrototypeSlice(this.href, this.usernameEnd + 1, this.hostStart - 1);
  }

  get includesCredentials() { return this.hostStart > this.schemeEnd + 3; }
  get host() { return this.hostStart < 0 ? null : StringPrototypeSlice(this.href, this.hostStart, this.hostEnd); }

  get port() {
    return this.hostStart < 0 || this.hostEnd === this.pathStart
      ? null : +StringPrototypeSlice(this.href, this.hostEnd + 1, this.pathStart);
  }

  /** The serialized host and port; "" for a null host. */
  get hostAndPort() {
    return this.hostStart < 0 ? "" : StringPrototypeSlice(this.href, this.hostStart, this.pathStart);
  }

  get path() { return StringPrototypeSlice(this.href, this.pathStart, this.pathEnd); }
  get hasOpaquePath() { return this.hostStart < 0 && StringPrototypeCharCodeAt(this.href, this.pathStart) !== 0x2F; }

  get query() {
    return this.pathEnd === this.queryEnd ? null : StringPrototypeSlice(this.href, this.pathEnd + 1, this.queryEnd);
  }

  get fragment() {
    return this.queryEnd === this.href.length ? null : StringPrototypeSlice(this.href, this.queryEnd + 1);
  }

  /** This record with another query, which is null or percent-encoded. */
  withQuery(query) {
    const { href, pathEnd } = this;
    const front = StringPrototypeSlice(href, 0, pathEnd) + (query === null ? "" : "?" + query);
    return new URLRecord(front + StringPrototypeSlice(href, this.queryEnd), this.schemeEnd, this.usernameEnd,
      this.hostStart, this.hostEnd, this.pathStart, pathEnd, front.length);
  }

  /** This record with another fragment, which is null or percent-encoded. */
  withFragment(fragment) {
    const front = StringPrototypeSlice(this.href, 0, this.queryEnd);
    return new URLRecord(fragment === null ? front : front + "#" + fragment, this.schemeEnd, this.usernameEnd,
      this.hostStart, this.hostEnd, this.pathStart, this.pathEnd, this.queryEnd);
  }
}
defineRecord(URLRecord);

class URLComponents {
  constructor() {
    this.scheme = "";
    this.username = "";
    this.password = "";
    this.host = null;
    this.port = null;
    this.path = "";
    this.hasOpaquePath = false;
    this.query = null;
    this.fragment = null;
  }

  static of(record) {
    const url = new URLComponents();
    url.scheme = record.scheme;
    url.username = record.username;
    url.password = record.password;
    url.host = record.host;
    url.port = record.port;
    url.path = record.path;
    url.hasOpaquePath = record.hasOpaquePath;
    url.query = record.query;
    url.fragment = record.fragment;
    return url;
  }

  get includesCredentials() { return this.username !== "" || this.password !== ""; }

  // Section 4.5: the URL serializer.
  toRecord() {
    const { username, password, host, port, path, query, fragment } = this;
    let href = this.scheme + ":";
    const schemeEnd = this.scheme.length;
    let usernameEnd = -1, hostStart = -1, hostEnd = -1;
    if (host !== null) {
      href += "//" + username;
      usernameEnd = hostStart = href.length;
      if (username !== "" || password !== "") {
        if (password !== "") href += ":" + password;
        href += "@";
        hostStart = href.length;
      }
      href += host;
      hostEnd = href.length;
      if (port !== null) href += ":" + port;
    } else if (!this.hasOpaquePath && StringPrototypeStartsWith(path, "//")) {
      href += "/.";
    }
    const pathStart = href.length, pathEnd = pathStart + path.length;
    href += path;
    if (query !== null) href += "?" + query;
    const queryEnd = href.length;
    if (fragment !== null) href += "#" + fragment;
    return new URLRecord(href, schemeEnd, usernameEnd, hostStart, hostEnd, pathStart, pathEnd, queryEnd);
  }
}
defineRecord(URLComponents);

provide({ DEFAULT_PORTS, URLComponents, URLRecord, isSpecialScheme });
