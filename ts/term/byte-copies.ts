import { BLOCK_BYTES, isShared, newBlock, stepOf } from './byte-blocks.ts';

/** Arrays of one message whose copies are made in advance. Others are copied one by one. */
const MAX_SOURCES = 4;

/** Copies of one array, made in advance and handed out one by one. */
class Block {
  readonly source: Uint8Array;
  private memory: ArrayBuffer = new ArrayBuffer(0);
  private next = 0;
  /** An estimate of the copies that are still needed. */
  private left: number;

  constructor(source: Uint8Array, receivers: number) {
    this.source = source;
    this.left = receivers;
  }

  take(): Uint8Array {
    const { length } = this.source;
    if (this.next + length > this.memory.byteLength) this.fill();
    const copy = new Uint8Array(this.memory, this.next, length);
    this.next += stepOf(length);
    return copy;
  }

  private fill(): void {
    const step = stepOf(this.source.length);
    // Make no more copies than needed: a receiver that keeps one keeps the memory of all.
    const copies = Math.min(Math.floor(BLOCK_BYTES / step), Math.max(1, this.left));
    this.left -= copies;
    const size = copies * step;
    const bytes = newBlock(size);
    bytes.set(this.source);
    for (let full = step; full < size; full *= 2) bytes.copyWithin(full, 0, Math.min(full, size - full));
    this.memory = bytes.buffer;
    this.next = 0;
  }
}

/** Copies of the byte arrays of one message, for many receivers. The copies of a short array share an ArrayBuffer, which holds nothing else. */
export class ByteCopies {
  private readonly blocks: Block[] = [];
  private readonly receivers: number;

  /** @param receivers An estimate of the number of copies. */
  constructor(receivers: number) {
    this.receivers = receivers;
  }

  /** One more copy of `source`, which must not change between the first copy and the last. */
  of(source: Uint8Array): Uint8Array {
    if (!isShared(source.length)) return new Uint8Array(source);
    return this.blockOf(source)?.take() ?? new Uint8Array(source);
  }

  private blockOf(source: Uint8Array): Block | undefined {
    const { blocks } = this;
    for (const block of blocks) if (block.source === source) return block;
    if (blocks.length === MAX_SOURCES) return undefined;
    const made = new Block(source, this.receivers);
    blocks.push(made);
    return made;
  }
}
