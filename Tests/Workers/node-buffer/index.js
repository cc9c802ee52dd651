// node:buffer from end to end. A group of checks is answered by how many there are and by a digest of what they gave;
// GET /GROUP shows the checks themselves.
//
// The digests in case.json are Node.js's own (20.20): this file was run there and its default export called.
// Left out is what is otherwise by intent: the largest size, and the error for a number where a BigInt belongs, which
// has a code and a text here.
import { Buffer, SlowBuffer, transcode, isUtf8, isAscii, kMaxLength, kStringMaxLength, constants, atob, btoa,
    Blob, File } from "node:buffer";
import buffer from "node:buffer";
function collect() {
  const r = {};
  const t = (name, f) => { let v; try { v = f(); } catch (e) { v = `${e.name} ${e.code} ${e.message}`;
      } if (v instanceof Uint8Array) v = "<" + [...v].join(" ") + ">"; if (typeof v === "bigint") v = `${v}n`;
      r[name] = v === undefined ? "undefined" : Number.isNaN(v) ? "NaN" : v; };
  const text = "h\u00e9llo w\u00f6rld \u20ac \ud83d\ude00 \ud800";
  const all = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
  for (const e of ["utf8", "utf-8", "UTF8", "latin1", "binary", "ascii", "hex", "base64", "base64url", "ucs2",
      "utf16le", "UCS-2", "Base64"]) {
    t("from " + e, () => Buffer.from(text, e)); t("length " + e, () => Buffer.byteLength(text, e));
    t("string " + e, () => all.toString(e));
    t("part " + e, () => all.toString(e, 65, 80));
    t("odd " + e, () => all.toString(e, 3, 4));
    t("is " + e, () => Buffer.isEncoding(e));
    t("write " + e, () => { const b = Buffer.alloc(9, 1); return [b.write("4142ff\u20ac", 2, e),
        b.toString("hex")]; });
    t("write2 " + e, () => { const b = Buffer.alloc(9, 1); return [b.write("YWJj\u00e9\u00e9", 1, 3, e),
        b.toString("hex")]; });
    t("fill " + e, () => Buffer.alloc(7, "6162", e));
    t("index " + e, () => Buffer.from("abcabc").indexOf("62", 0, e));
  }
  for (const s of ["", "a", "YQ", "YQ=", "YQ==", "YQ==YQ==", "Y Q\n=", "YWI", "YWJj", "YW-_", "YW+/", "YWJjZ",
      "!!!!", "YWJ*jZGVm", "=YQ", "Y=Q=", "YWJjZA\u20ac=="]) { t("b64 " + s, () => Buffer.from(s,
      "base64").toString("latin1") + Buffer.byteLength(s, "base64")); }
  for (const s of ["", "a", "abc", "zz", "61zz62", "6162z", "AbCd", "6\u20ac"]) t("hex " + s,
      () => Buffer.from(s, "hex"));
  t("badenc", () => Buffer.from("a", "nope"));
  t("badenc2", () => all.toString("nope"));
  t("badenc3", () => Buffer.byteLength("abc", "nope"));
  for (const v of [undefined, null, 5, true, Symbol.iterator, () => 1, {}, { length: 2, 0: 1, 1: 300 }, {
      length: "2" }, [1, "2", -1, 256.5, NaN], { type: "Buffer", data: [1, 2] }, new Uint16Array([1, 258]),
      new ArrayBuffer(3), new DataView(new ArrayBuffer(2)), { valueOf() { return "str"; } }, {
      [Symbol.toPrimitive]() { return "prim"; } }, new String("obj"), Buffer.from("x"), new Float32Array([1.5,
      300.7])]) {
    const shown = typeof v === "symbol" ? "symbol" : typeof v === "object" && v ? JSON.stringify(v) : v;
    t(`from ${shown} ${v?.constructor?.name}`, () => Buffer.from(v));
  }
  const ab = new Uint8Array([1, 2, 3, 4, 5]).buffer;
  t("ab1", () => Buffer.from(ab, 1));
  t("ab2", () => Buffer.from(ab, 1, 2));
  t("ab3", () => Buffer.from(ab, 6));
  t("ab4", () => Buffer.from(ab, 1, 9));
  t("ab5", () => Buffer.from(ab, "2"));
  t("ab6", () => Buffer.from(ab, 0, -1));
  t("shared", () => { Buffer.from(ab)[0] = 9; return new Uint8Array(ab)[0]; });

  t("alloc2", () => Buffer.alloc("5"));
  t("alloc3", () => Buffer.alloc(3, "abc"));
  t("alloc4", () => Buffer.alloc(4, 257));
  t("alloc5", () => Buffer.alloc(3, Buffer.from([7, 8])));
  t("alloc7", () => Buffer.alloc(3, ""));
  t("alloc8", () => Buffer.alloc(5, "YQ==", "base64"));
  t("unsafe", () => Buffer.allocUnsafe(4).length + Buffer.allocUnsafeSlow(2).length + SlowBuffer(1).length);
  t("concat", () => Buffer.concat([Buffer.from("a"), new Uint8Array([98]), Buffer.from("cd")]));
  t("concat2", () => Buffer.concat([Buffer.from("abc"), Buffer.from("def")], 4));
  t("concat3", () => Buffer.concat([Buffer.from("abc")], 6));
  t("concat4", () => Buffer.concat("x"));
  t("concat5", () => Buffer.concat([1]));
  t("concat6", () => Buffer.concat([]));
  t("of", () => Buffer.of(1, 2, 300));
  t("cmp", () => [Buffer.compare(Buffer.from("a"), Buffer.from("b")), Buffer.compare(Buffer.from("b"),
      Buffer.from("a")), Buffer.compare(Buffer.from("ab"), Buffer.from("a")), Buffer.compare(Buffer.from("ab"),
      new Uint8Array([97, 98]))]);
  t("cmp2", () => Buffer.compare("a", Buffer.from("a")));
  t("cmp2b", () => Buffer.compare(Buffer.from("a"), 5));
  t("cmp3", () => Buffer.from("abcdef").compare(Buffer.from("xcdx"), 1, 3, 2, 4));
  t("cmp4", () => Buffer.from("abc").compare("x"));
  t("cmp5", () => Buffer.from("abc").compare(Buffer.from("abc"), 0, 5));
  t("cmp6", () => Buffer.from("abc").compare(Buffer.from("abc"), 2, 1));

  t("eq", () => [Buffer.from("a").equals(Buffer.from("a")), Buffer.from("a").equals(new Uint8Array([98]))]);
  t("eq2", () => Buffer.from("a").equals("a"));
  const b = Buffer.from("the quick brown the fox");
  for (const [v, o, e] of [["the"], ["the", 1], ["the", -5], ["the", 100], ["zzz"], [""], ["", 5], ["", 100],
      [116], [116, 1], [-140], [Buffer.from("fox")], [new Uint8Array([32])], ["the", NaN], ["the", "utf8"],
      ["746865", 0, "hex"], ["the", {}], ["the", undefined], ["the", null], [99.9], ["t", "1"], [256 + 116]]) {
      const n = JSON.stringify([v, o, e]);
  t("indexOf " + n, () => b.indexOf(v, o, e));
  t("lastIndexOf " + n, () => b.lastIndexOf(v, o, e));
  t("includes " + n, () => b.includes(v, o, e)); }
  t("indexOf bad", () => b.indexOf({}));
  t("indexOf bad2", () => b.indexOf(undefined));
  t("idx16", () => Buffer.from("abcb", "utf16le").indexOf("b", 0, "utf16le"));
  t("lidx16", () => Buffer.from("abcb", "utf16le").lastIndexOf("b", undefined, "utf16le"));
  for (const args of [[], [2], [-3], [2, 5], [2, -2], [5, 2], [100], [0, 100], ["1", "3"], [NaN], [null, 4],
      [1.9, 3.9]]) { t("slice " + args, () => b.slice(...args).toString());
  t("subarray " + args, () => b.subarray(...args).toString());
  t("toString " + args, () => b.toString("latin1", ...args)); }
  t("sub", () => { const s = b.subarray(4, 9); s[0] = 81; const ok = b.toString().slice(0, 9); s[0] = 113;
      return [ok, Buffer.isBuffer(s), s.buffer === b.buffer]; });
  t("fill1", () => Buffer.alloc(5).fill("ab"));
  t("fill2", () => Buffer.alloc(5).fill("abc", 1));
  t("fill3", () => Buffer.alloc(5).fill("abc", 1, 3));
  t("fill4", () => Buffer.alloc(5).fill(1, 2, 9));

  t("fill6", () => Buffer.alloc(5).fill("zz", "hex"));
  t("fill7", () => Buffer.alloc(5).fill("\u00e9"));

  t("fill9", () => Buffer.alloc(3, 7).fill(""));
  t("fill10", () => Buffer.alloc(3).fill("a", 0, 2, "nope"));
  t("fill11", () => Buffer.alloc(3).fill(true));
  t("fill12", () => Buffer.alloc(3).fill(-1));
  t("fill13", () => Buffer.alloc(3).fill("1.5"));
  t("fill14", () => Buffer.alloc(3, 7).fill(1, 2, 1));
  t("fill15", () => Buffer.alloc(3, 7).fill(1, "x"));
  t("copy", () => { const d = Buffer.alloc(6, 46); return [b.copy(d, 1, 4, 7), d.toString(), b.copy(d, 4),
      d.toString(), b.copy(d, 9), b.copy(d, 0, 5, 3)]; });
  t("copy2", () => b.copy([]));
  t("copy3", () => b.copy(Buffer.alloc(2), -1));
  t("copy4", () => b.copy(Buffer.alloc(2), 0, -1));
  t("copy5", () => b.copy(Buffer.alloc(2), 0, 100));
  t("copy6", () => b.copy(Buffer.alloc(2), 0, 0, -1));
  t("copyOver", () => { const c = Buffer.from("abcdef"); c.copy(c, 2, 0, 4); return c.toString(); });
  t("write1", () => Buffer.alloc(3).write("abcdef"));
  t("write2", () => Buffer.alloc(3).write("abc", 4));
  t("write3", () => Buffer.alloc(3).write(5));
  t("write4", () => { const c = Buffer.alloc(5); return [c.write("\u20ac\u20ac"), c.toString("hex")]; });
  t("write5", () => Buffer.alloc(3).write("abc", 1, 9));
  t("write6", () => Buffer.alloc(3).write("abc", "1"));
  t("write7", () => Buffer.alloc(3).write("abc", 0, 2, "latin1"));
  t("write8", () => Buffer.alloc(3).write("abc", -1));
  t("write9", () => Buffer.alloc(5).write("abc", 3, 2));
  const n = Buffer.from([0x80, 0x01, 0xff, 0x7f, 0x12, 0x34, 0x56, 0x9a, 0xfe, 0x40]);
  for (const k of Object.getOwnPropertyNames(Buffer.prototype).sort()) {
    if (/^read/.test(k)) { const wide = /Int(LE|BE)$/.test(k); for (const o of [undefined, 0, 1, 2, 9, 10, -1,
        1.5, "1", null, NaN]) for (const w of wide ? [1, 2, 3, 4, 5, 6, 7, 0, undefined, "1",
        1.5] : [undefined]) t(`${k} ${o} ${w}`, () => n[k](o, w)); }
    if (/^write[A-Z]/.test(k)) { const wide = /Int(LE|BE)$/.test(k), big = /Big/.test(k);
        for (const v of big ? [0n, 1n, -1n, 2n ** 63n - 1n, 2n ** 63n, -(2n ** 63n), 2n ** 64n - 1n, 2n ** 64n] : [
        0, 1, -1, 127, 128, 255, 256, 32768, 65535, 65536, -32769, 2 ** 31, 2 ** 32 - 1, 2 ** 32,
        2 ** 40 + 5, 2 ** 47, 2 ** 48, -(2 ** 47) - 1, 1.7, -1.7, NaN, Infinity, "12", undefined, null,
        3.4e39]) for (const w of wide ? [1, 2, 3, 5, 6] : [undefined]) t(`${k} ${v} ${w}`, () => {
        const c = Buffer.alloc(10); return [c[k](v, 1, w), c.toString("hex")]; });
    t(k + " far", () => Buffer.alloc(3)[k](big ? 1n : 1, 3, wide ? 2 : undefined));
    t(k + " small", () => Buffer.alloc(0)[k](big ? 1n : 1, 0, wide ? 2 : undefined)); }
  }
  for (const s of [16, 32, 64]) { t("swap" + s, () => Buffer.from("0123456789abcdef")[`swap${s}`]().toString());
  t("swapbad" + s, () => Buffer.alloc(3)[`swap${s}`]()); }
  t("json", () => JSON.stringify(Buffer.from("ab")));
  t("inspect", () => Buffer.from("ab").inspect());
  t("inspect2", () => Buffer.alloc(52).inspect());
  t("locale", () => Buffer.from("ab").toLocaleString("hex"));
  t("isBuffer", () => [Buffer.isBuffer(b), Buffer.isBuffer(new Uint8Array(1)), Buffer.isBuffer("a"),
      b instanceof Uint8Array, b.constructor === Buffer]);
  t("isEncoding", () => [Buffer.isEncoding(""), Buffer.isEncoding(1), Buffer.isEncoding("utf-16")]);
  t("map", () => { const m = Buffer.from([1, 2]).map((x) => x * 2); return [Buffer.isBuffer(m),
      m.toString("hex")]; });
  t("filter", () => Buffer.isBuffer(Buffer.from([1, 2]).filter((x) => x > 1)));
  t("iter", () => [...Buffer.from("ab").entries()].join());
  t("old", () => [Buffer("abc").toString(), new Buffer("YQ==", "base64").toString(), new Buffer(2).length]);
  t("oldbad", () => Buffer(5, "x"));
  t("transcode", () => transcode(Buffer.from("\u20ac\u00e9\ud83d\ude00"), "utf8", "latin1"));
  t("transcode2", () => transcode(Buffer.from("\u20aca"), "utf8", "ascii"));
  t("transcode3", () => transcode(Buffer.from("\u20aca"), "utf8", "ucs2"));
  t("transcode4", () => transcode(Buffer.from([0xe9]), "latin1", "utf8"));
  t("transcode6", () => transcode("x", "utf8", "ucs2"));
  t("isUtf8", () => [isUtf8(Buffer.from("\u20ac")), isUtf8(new Uint8Array([0xff])), isUtf8(new ArrayBuffer(0))]);
  t("isAscii", () => [isAscii(Buffer.from("a")), isAscii(new Uint8Array([0x80]))]);
  t("isUtf8bad", () => isUtf8("x"));
  t("atob", () => [atob("YWJj"), btoa("abc"), new Blob(["ab"]).size, new File(["a"], "n").name]);
  t("copyBytesFrom", () => [Buffer.copyBytesFrom(new Uint16Array([1, 2, 3]), 1).toString("hex"),
      Buffer.copyBytesFrom(new Uint16Array([1, 2, 3]), 1, 1).toString("hex")]);
  t("cbf", () => Buffer.copyBytesFrom("a"));
  t("bl", () => [Buffer.byteLength(new ArrayBuffer(4)), Buffer.byteLength(new DataView(new ArrayBuffer(5))),
      Buffer.byteLength(new Uint16Array(2)), Buffer.byteLength("\u20ac")]);
  t("bl2", () => Buffer.byteLength(5));
  t("bl3", () => Buffer.byteLength());
  t("slices", () => [b.latin1Slice(0, 3), b.utf8Slice(4), b.hexSlice(0, 2), b.base64Slice(0, 4), b.asciiSlice(1,
      3), b.ucs2Slice(0, 4).length]);
  t("writes", () => { const c = Buffer.alloc(4); return [c.utf8Write("ab", 1), c.latin1Write("z", 0),
      c.hexWrite("ff", 3), c.toString("hex")]; });
  t("constants", () => [constants.MAX_STRING_LENGTH, kStringMaxLength, buffer.Buffer === Buffer,
      typeof kMaxLength]);
  t("set", () => { const c = Buffer.alloc(2); c[0] = 300; c[1] = -1; return c; });
  t("parent", () => b.slice(1).offset - b.offset === 1 && b.parent === b.buffer);
  t("lone", () => Buffer.from("\ud800a"));
  t("bom", () => Buffer.from([0xef, 0xbb, 0xbf, 65]).toString().length);
  t("invalid", () => Buffer.from([0xe2, 0x82, 65, 0xf0, 0x9f]).toString());
  t("big", () => Buffer.from("x".repeat(100000), "utf16le").toString("utf16le").length);
  t("keys", () => Object.keys(Buffer.from("ab")).join());
  return r;
}

// FNV-1a of UTF-16 units, in two halves.
function digest(text) {
    let a = 0x811c9dc5, b = 0x01000193;
    for (let i = 0; i < text.length; i++) {
        a = Math.imul(a ^ text.charCodeAt(i), 0x01000193);
        b = Math.imul(b + text.charCodeAt(i) ^ i, 0x85ebca6b);
    }
    return ((a >>> 0).toString(16) + (b >>> 0).toString(16)).padStart(16, "0");
}

function digests() {
    const groups = { __proto__: null };
    for (const [name, value] of Object.entries(collect())) {
        const group = name.split(/[ 0-9]/)[0];
        (groups[group] ??= []).push([name, value]);
    }
    const result = {};
    for (const [group, checks] of Object.entries(groups)) {
        result[group] = `${checks.length} ${digest(JSON.stringify(checks))}`;
    }
    return { groups, result };
}

export default {
    async fetch(request) {
        const { groups, result } = digests();
        const group = new URL(request.url).pathname.slice(1);
        return Response.json(group === "" ? result : groups[group] ?? null);
    },
};
