// Classes whose objects no tenant sees.
const { ObjectSetPrototypeOf } = primordials;

/** Makes a class of records: nothing of theirs is looked up, or set, on what a tenant may have changed. */
function defineRecord(Class) {
  ObjectSetPrototypeOf(Class.prototype, null);
  return Class;
}

provide({ defineRecord });
