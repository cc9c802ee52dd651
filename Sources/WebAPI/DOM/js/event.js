// DOM Standard, sections 2.2 to 2.4: Event and CustomEvent. There is no tree here: an event's path is its target.
const { DateNow, ObjectDefineProperty, ObjectGetOwnPropertyDescriptor } = primordials;
const {
  converters, defineConstants, defineInterface, dictionary, exposeGlobals, interfaceConverter, requireArguments,
} = use("WebIDL/webidl");

// Section 2.2, the flags of an event.
const BUBBLES = 1, CANCELABLE = 2, COMPOSED = 4, STOP_PROPAGATION = 8, STOP_IMMEDIATE = 16, CANCELED = 32,
  IN_PASSIVE_LISTENER = 64, DISPATCH = 128, TRUSTED = 256;

const booleanMember = (key) => ({ __proto__: null, key, converter: converters.boolean, defaultValue: () => false });
const eventInit = dictionary("EventInit", [
  booleanMember("bubbles"), booleanMember("cancelable"), booleanMember("composed"),
]);

// Section 2.2, "set the canceled flag": the bit to set, if it may be set now.
const canceledBit = (flags) => (flags & (CANCELABLE | IN_PASSIVE_LISTENER)) === CANCELABLE ? CANCELED : 0;
const initBits = (bubbles, cancelable) => (bubbles ? BUBBLES : 0) | (cancelable ? CANCELABLE : 0);

let cancel, currentTargetOf, eventType, flagsOf, isEvent, setFlags, setTargets, trust;

class Event {
  #type; #flags = 0; #target = null; #currentTarget = null; #timeStamp = DateNow();

  constructor(type, eventInitDict = undefined) {
    const prefix = "Failed to construct 'Event'";
    requireArguments(arguments.length, 1, prefix);
    this.#type = converters.DOMString(type, prefix, "parameter 1");
    if (eventInitDict !== undefined) {
      const init = eventInit(eventInitDict, prefix, "parameter 2");
      this.#flags = initBits(init.bubbles, init.cancelable) | (init.composed ? COMPOSED : 0);
    }
    ObjectDefineProperty(this, "isTrusted", isTrustedProperty);
  }

  get type() { return this.#type; }
  get target() { return this.#target; }
  get srcElement() { return this.#target; }
  get currentTarget() { return this.#currentTarget; }
  composedPath() { return this.#currentTarget === null ? [] : [this.#currentTarget]; }
  get eventPhase() { return this.#currentTarget === null ? 0 : 2; }

  stopPropagation() { this.#flags |= STOP_PROPAGATION; }
  get cancelBubble() { return (this.#flags & STOP_PROPAGATION) !== 0; }
  set cancelBubble(value) { this.#flags |= value ? STOP_PROPAGATION : 0; }
  stopImmediatePropagation() { this.#flags |= STOP_PROPAGATION | STOP_IMMEDIATE; }

  get bubbles() { return (this.#flags & BUBBLES) !== 0; }
  get cancelable() { return (this.#flags & CANCELABLE) !== 0; }
  get returnValue() { return (this.#flags & CANCELED) === 0; }
  set returnValue(value) { this.#flags |= value ? 0 : canceledBit(this.#flags); }
  preventDefault() { cancel(this); }
  get defaultPrevented() { return (this.#flags & CANCELED) !== 0; }
  get composed() { return (this.#flags & COMPOSED) !== 0; }
  get timeStamp() { return this.#timeStamp; }

  initEvent(type, bubbles = false, cancelable = false) {
    const flags = this.#flags;
    requireArguments(arguments.length, 1, "Failed to execute 'initEvent' on 'Event'");
    type = converters.DOMString(type, "Failed to execute 'initEvent' on 'Event'", "parameter 1");
    if (flags & DISPATCH) return;
    this.#flags = (flags & COMPOSED) | initBits(bubbles, cancelable);
    this.#target = null;
    this.#type = type;
  }

  static {
    cancel = (event) => { event.#flags |= canceledBit(event.#flags); };
    currentTargetOf = (event) => event.#currentTarget;
    eventType = (event) => event.#type;
    isEvent = (value) => #flags in value;
    flagsOf = (event) => event.#flags;
    setFlags = (event, set, cleared) => { event.#flags = (event.#flags & ~cleared) | set; };
    setTargets = (event, target, currentTarget) => {
      event.#target = target;
      event.#currentTarget = currentTarget;
    };
    trust = (event) => {
      event.#flags |= TRUSTED;
      return event;
    };
  }
}

// [LegacyUnforgeable]: each event has this property of its own.
const isTrustedGetter = { get isTrusted() { return (flagsOf(this) & TRUSTED) !== 0; } };
const isTrustedProperty = {
  __proto__: null, get: ObjectGetOwnPropertyDescriptor(isTrustedGetter, "isTrusted").get, set: undefined,
  enumerable: true, configurable: false,
};

defineInterface(Event);
defineConstants(Event, { __proto__: null, NONE: 0, CAPTURING_PHASE: 1, AT_TARGET: 2, BUBBLING_PHASE: 3 });
converters.Event = interfaceConverter("Event", isEvent);

/** An event that the runtime itself fires. */
function createEvent(type) {
  return trust(new Event(type));
}

const customEventInit = dictionary("CustomEventInit", [
  { __proto__: null, key: "detail", converter: converters.any, defaultValue: () => null },
]);

class CustomEvent extends Event {
  #detail = null;

  constructor(type, eventInitDict = undefined) {
    const prefix = "Failed to construct 'CustomEvent'";
    requireArguments(arguments.length, 1, prefix);
    super(type, eventInitDict);
    if (eventInitDict !== undefined) this.#detail = customEventInit(eventInitDict, prefix, "parameter 2").detail;
  }

  get detail() { return this.#detail; }

  initCustomEvent(type, bubbles = false, cancelable = false, detail = null) {
    const isDispatched = (flagsOf(this) & DISPATCH) !== 0;
    requireArguments(arguments.length, 1, "Failed to execute 'initCustomEvent' on 'CustomEvent'");
    this.initEvent(type, bubbles, cancelable);
    if (!isDispatched) this.#detail = detail;
  }
}
defineInterface(CustomEvent);

exposeGlobals({ __proto__: null, Event, CustomEvent });

provide({
  CANCELED, CustomEvent, DISPATCH, Event, IN_PASSIVE_LISTENER, STOP_IMMEDIATE, STOP_PROPAGATION, TRUSTED,
  cancel, createEvent, currentTargetOf, eventType, flagsOf, isEvent, setFlags, setTargets, trust,
});
