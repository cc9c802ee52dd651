// File API, section 3.3.1: streams of bytes that lie in memory.
const { MathMin, TypedArrayPrototypeGetByteLength } = primordials;
const { copyBytes, viewOf } = use("WebIDL/bufferSource");
const { defineRecord } = use("Core/records");
const { createReadableByteStream } = use("Streams/byteController");

/** Bytes of one piece at most: what a stream gives is a copy, which should not be as large as the whole. */
const pieceSize = 64 * 1024;

class ChunkSource {
  constructor(chunks) {
    this.chunks = chunks;
    this.index = 0;
    this.offset = 0;
  }

  start() {}

  pull(controller) {
    while (this.index < this.chunks.length) {
      const chunk = this.chunks[this.index];
      const length = MathMin(pieceSize, TypedArrayPrototypeGetByteLength(chunk) - this.offset);
      if (length > 0) {
        controller.enqueue(copyBytes(viewOf(chunk, this.offset, this.offset + length)));
        this.offset += length;
        break;
      }
      this.index++;
      this.offset = 0;
    }
    if (this.isAtEnd()) controller.finish();
  }

  isAtEnd() {
    const { chunks, index } = this;
    return index >= chunks.length
      || (index === chunks.length - 1 && this.offset === TypedArrayPrototypeGetByteLength(chunks[index]));
  }

  cancel() { this.chunks = []; }
}
defineRecord(ChunkSource);

/** The record of a byte stream of Uint8Arrays, which stay as they are. */
function streamOfChunks(chunks) {
  return createReadableByteStream(new ChunkSource(chunks), 0);
}

provide({ streamOfChunks });
