// XMLHttpRequest Standard, section 6: ProgressEvent.
const { converters, defineInterface, dictionary, requireArguments } = use("WebIDL/webidl");
const { Event } = use("DOM/event");

const progressEventInit = dictionary("ProgressEventInit", [
  { __proto__: null, key: "lengthComputable", converter: converters.boolean, defaultValue: () => false },
  { __proto__: null, key: "loaded", converter: converters.double, defaultValue: () => 0 },
  { __proto__: null, key: "total", converter: converters.double, defaultValue: () => 0 },
]);

class ProgressEvent extends Event {
  #init;

  constructor(type, eventInitDict = undefined) {
    const prefix = "Failed to construct 'ProgressEvent'";
    requireArguments(arguments.length, 1, prefix);
    super(type, eventInitDict);
    this.#init = progressEventInit(eventInitDict, prefix, "parameter 2");
  }

  get lengthComputable() { return this.#init.lengthComputable; }
  get loaded() { return this.#init.loaded; }
  get total() { return this.#init.total; }
}
defineInterface(ProgressEvent);

provide({ ProgressEvent });
