// HTML Standard, section 2.7.1: which platform objects are serializable or transferable. An area registers its classes
// here; HTML/structuredClone does the rest when a worker first needs it.
const { ObjectGetPrototypeOf, ObjectPrototype, SafeMap } = primordials;
const { isInterfacePrototype } = use("WebIDL/webidl");
const { DOMException, cloneDOMException, isDOMException } = use("DOM/exception");

const serializers = new SafeMap();
const transferers = new SafeMap();

/**
 * Makes a class serializable. `steps`:
 *   isInstance(value) -> boolean, a brand check
 *   clone(value) -> a new object; throws DataCloneError if this one cannot be cloned
 */
function registerSerializable(Class, steps) {
  serializers.set(Class.prototype, steps);
}

/**
 * Makes a class transferable. `steps`:
 *   isInstance(value) -> boolean, a brand check
 *   isDetached(value) -> boolean
 *   transfer(value) -> a new object; the old one is detached. Throws DataCloneError if it cannot be transferred
 */
function registerTransferable(Class, steps) {
  transferers.set(Class.prototype, steps);
}

// The steps of the class nearest to the object that it is really an instance of.
function stepsFor(registry, object) {
  for (let prototype = ObjectGetPrototypeOf(object); prototype !== null; prototype = ObjectGetPrototypeOf(prototype)) {
    if (prototype === ObjectPrototype) return undefined;
    const steps = registry.get(prototype);
    if (steps !== undefined && steps.isInstance(object)) return steps;
  }
  return undefined;
}

const serializationSteps = (object) => stepsFor(serializers, object);
const transferSteps = (object) => stepsFor(transferers, object);

/** Whether an object inherits from an interface, serializable or not. */
function isPlatformObject(object) {
  for (let prototype = ObjectGetPrototypeOf(object); prototype !== null; prototype = ObjectGetPrototypeOf(prototype)) {
    if (prototype === ObjectPrototype) return false;
    if (isInterfacePrototype(prototype)) return true;
  }
  return false;
}

registerSerializable(DOMException, {
  __proto__: null, isInstance: isDOMException, clone: cloneDOMException,
});

provide({ isPlatformObject, registerSerializable, registerTransferable, serializationSteps, transferSteps });
