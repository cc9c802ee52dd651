// File API, section 8: blob: URLs and their store, which is the isolate's.
const { SafeMap } = primordials;
const { converters, defineOperation, requireArguments } = use("WebIDL/webidl");
const { URL, parseURL, serializeURL } = use("URL/url");
const { settingsOrigin } = use("Fetch/settings");

const store = new SafeMap();

const operations = {
  __proto__: null,
  createObjectURL(object) {
    const prefix = "Failed to execute 'createObjectURL' on 'URL'";
    requireArguments(arguments.length, 1, prefix);
    const blob = converters.Blob(object, prefix, "parameter 1");
    const url = `blob:${settingsOrigin()}/${ops.randomUUID()}`;
    store.set(url, blob);
    return url;
  },
  revokeObjectURL(url) {
    const prefix = "Failed to execute 'revokeObjectURL' on 'URL'";
    requireArguments(arguments.length, 1, prefix);
    const record = parseURL(converters.DOMString(url, prefix, "parameter 1"));
    if (record !== null) store.delete(record.href);
  },
};
defineOperation(URL, "createObjectURL", operations.createObjectURL);
defineOperation(URL, "revokeObjectURL", operations.revokeObjectURL);

/** "Resolve a blob URL", by its record: the Blob, or null. */
function resolveBlobURL(record) {
  return store.get(serializeURL(record, true)) ?? null;
}

provide({ resolveBlobURL });
