// Streams Standard, section 8.1: queues with sizes, as linked lists. An entry of a writable stream's queue also
// carries its write request, which is why there is no second queue for these.
const { RangeError } = primordials;
const { defineRecord } = use("Core/records");

class QueueEntry {
  constructor(value, size, request) {
    this.value = value;
    this.size = size;
    this.request = request;
    this.next = undefined;
  }
}
defineRecord(QueueEntry);

class Queue {
  constructor() {
    this.first = undefined;
    this.last = undefined;
    this.totalSize = 0;
  }

  isEmpty() { return this.first === undefined; }

  /** "EnqueueValueWithSize"; a RangeError for a size that is NaN, negative or infinite. */
  enqueue(value, size, request) {
    if (!(size >= 0) || size === 1 / 0) {
      throw new RangeError("The size of a chunk, as returned by the strategy's size(), must be a finite, "
        + "non-negative number.");
    }
    this.append(value, size, request);
  }

  append(value, size, request) {
    const entry = new QueueEntry(value, size, request);
    if (this.first === undefined) this.first = entry;
    else this.last.next = entry;
    this.last = entry;
    this.totalSize += size;
  }

  /** "DequeueValue". Sums of fractions may end below zero. */
  dequeue() {
    const entry = this.first;
    this.first = entry.next;
    if (entry.next === undefined) this.last = undefined;
    const rest = this.totalSize - entry.size;
    this.totalSize = rest < 0 ? 0 : rest;
    return entry.value;
  }

  /** "ResetQueue". */
  reset() {
    this.first = undefined;
    this.last = undefined;
    this.totalSize = 0;
  }
}
defineRecord(Queue);

provide({ Queue });
