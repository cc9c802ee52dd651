// Classes whose objects no tenant sees, and properties of objects that they do.
const { ObjectDefineProperty, ObjectSetPrototypeOf } = primordials;

/** Makes a class of records: nothing of theirs is looked up, or set, on what a tenant may have changed. */
function defineRecord(Class) {
  ObjectSetPrototypeOf(Class.prototype, null);
  return Class;
}

/** Gives an object a property that is not enumerated, as built-in ones are not, past setters of its prototypes. */
function defineHidden(object, key, value) {
  ObjectDefineProperty(object, key, {
    __proto__: null, value, writable: true, enumerable: false, configurable: true,
  });
}

provide({ defineHidden, defineRecord });
