import { markAsUntransferable } from 'node:worker_threads';

/** Shorter arrays get memory of their own: V8 keeps them in its heap, where allocation is cheap. */
const MIN_SHARED_BYTES = 65;
/** Longer arrays get memory of their own: filling one costs more than allocating it. */
const MAX_SHARED_BYTES = 1024;
/** Size of the memory that arrays share, the same as in Node's pool of short buffers. */
export const BLOCK_BYTES = 8192;
/** Arrays up to this length share less memory, since a receiver that keeps one array keeps the memory of all. */
const SHORT_BYTES = 256;

/** Whether an array of this length shares memory with others. */
export const isShared = (length: number): boolean => length >= MIN_SHARED_BYTES && length <= MAX_SHARED_BYTES;

/** Rounded up to 8 bytes: a view of any element size may begin at an array. */
export const stepOf = (length: number): number => (length + 7) & ~7;

/** Zeroed memory for several arrays. Transferring it fails: that would detach the other arrays. */
export function newBlock(size: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size);
  markAsUntransferable(bytes.buffer);
  return bytes;
}

/** Hands out the parts of one block after the other. */
class Blocks {
  private readonly size: number;
  private memory: ArrayBuffer = new ArrayBuffer(0);
  private next: number;

  constructor(size: number) {
    this.size = size;
    this.next = size;
  }

  take(length: number): Uint8Array<ArrayBuffer> {
    if (this.next + length > this.size) {
      this.memory = newBlock(this.size).buffer;
      this.next = 0;
    }
    const part = new Uint8Array(this.memory, this.next, length);
    this.next += stepOf(length);
    return part;
  }
}

/**
 * Copies short byte arrays. Allocating an ArrayBuffer costs ten times as much as copying 100 bytes, so arrays of 65 to 1024 bytes that
 * are copied one after the other share ArrayBuffers of 2 to 8 KiB, as Node's short Buffers do.
 */
export class ByteBlocks {
  private readonly short = new Blocks(BLOCK_BYTES / 4);
  private readonly long = new Blocks(BLOCK_BYTES);

  /** A copy of bytes of any length. */
  copy(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
    const { length } = bytes;
    if (!isShared(length)) return new Uint8Array(bytes);
    const copy = (length <= SHORT_BYTES ? this.short : this.long).take(length);
    copy.set(bytes);
    return copy;
  }
}
