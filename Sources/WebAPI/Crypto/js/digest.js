// Web Cryptography API, section 36: SHA, and MD5, which Workers have besides. Needs the op
//   digest(hash, bytes) -> Uint8Array or ticket; hash is "MD5", "SHA-1", "SHA-256", "SHA-384" or "SHA-512"
const { nameOnly } = use("Crypto/algorithms");

const parameters = { __proto__: null, digest: nameOnly };
const digest = (algorithm, data) => ops.digest(algorithm.name, data);

provide({
  __proto__: null,
  "MD5": { __proto__: null, name: "MD5", parameters, digest },
  "SHA-1": { __proto__: null, name: "SHA-1", parameters, digest },
  "SHA-256": { __proto__: null, name: "SHA-256", parameters, digest },
  "SHA-384": { __proto__: null, name: "SHA-384", parameters, digest },
  "SHA-512": { __proto__: null, name: "SHA-512", parameters, digest },
});
