// Streams Standard, section 7: queuing strategies.
const { FunctionPrototypeCall, RangeError } = primordials;
const { converters, defineInterface, dictionary, exposeGlobals, requireArguments } = use("WebIDL/webidl");

const toDouble = converters["unrestricted double"];

const convertQueuingStrategy = dictionary("QueuingStrategy", [
  { key: "highWaterMark", converter: toDouble },
  { key: "size", converter: converters.Function },
]);

const noStrategy = convertQueuingStrategy(undefined);
const toQueuingStrategy = (V, prefix, context) =>
  V === undefined ? noStrategy : convertQueuingStrategy(V, prefix, context);

const toQueuingStrategyInit = dictionary("QueuingStrategyInit", [
  { key: "highWaterMark", converter: toDouble, required: true },
]);

const byteLengthSize = { size(chunk) { return chunk.byteLength; } }.size;
const countSize = { size() { return 1; } }.size;

/** "ExtractHighWaterMark". */
function extractHighWaterMark(strategy, defaultMark) {
  const mark = strategy.highWaterMark;
  if (mark === undefined) return defaultMark;
  if (!(mark >= 0)) throw new RangeError("The strategy's highWaterMark must be a non-negative number.");
  return mark;
}

/** "ExtractSizeAlgorithm": undefined stands for the one that gives 1 for any chunk. */
function extractSizeAlgorithm(strategy) {
  return strategy.size === countSize ? undefined : strategy.size;
}

/** Calls a size algorithm, whose result is a number but may be any. */
function sizeOf(chunk, sizeAlgorithm) {
  if (sizeAlgorithm === undefined) return 1;
  return toDouble(FunctionPrototypeCall(sizeAlgorithm, undefined, chunk), undefined, "The result of size()");
}

class ByteLengthQueuingStrategy {
  #highWaterMark;
  constructor(init) {
    const prefix = "Failed to construct 'ByteLengthQueuingStrategy'";
    requireArguments(arguments.length, 1, prefix);
    this.#highWaterMark = toQueuingStrategyInit(init, prefix, "parameter 1").highWaterMark;
  }
  get highWaterMark() { return this.#highWaterMark; }
  get size() {
    this.#highWaterMark;
    return byteLengthSize;
  }
}
defineInterface(ByteLengthQueuingStrategy);

class CountQueuingStrategy {
  #highWaterMark;
  constructor(init) {
    const prefix = "Failed to construct 'CountQueuingStrategy'";
    requireArguments(arguments.length, 1, prefix);
    this.#highWaterMark = toQueuingStrategyInit(init, prefix, "parameter 1").highWaterMark;
  }
  get highWaterMark() { return this.#highWaterMark; }
  get size() {
    this.#highWaterMark;
    return countSize;
  }
}
defineInterface(CountQueuingStrategy);

exposeGlobals({ __proto__: null, ByteLengthQueuingStrategy, CountQueuingStrategy });

provide({
  ByteLengthQueuingStrategy, CountQueuingStrategy, extractHighWaterMark, extractSizeAlgorithm, sizeOf,
  toQueuingStrategy,
});
