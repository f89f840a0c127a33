// Estimates the memory of a term on the JavaScript heap. A few bytes of a term may take some hundred on the heap, and a
// process whose heap is full ends. Unit: bytes.

import { TermTag as Tag, TermWeight as Weight } from '../wire/index.ts';
import { MAX_BIGINT_BYTES, MAX_ENTRIES, MAX_STRING_BYTES, MAX_TERM_MEMORY } from './limits.ts';

/** Memory of a container itself, and of each entry. */
const CONTAINERS: Readonly<Record<number, readonly [base: number, entry: number]>> = {
  [Tag.LIST8]: [Weight.LIST, Weight.SLOT],
  [Tag.LIST]: [Weight.LIST, Weight.SLOT],
  [Tag.SET]: [Weight.SET, Weight.SET_ENTRY],
  [Tag.MAP]: [Weight.MAP, Weight.MAP_ENTRY],
  [Tag.OBJECT]: [Weight.OBJECT, Weight.KEY],
  [Tag.STRUCT]: [Weight.STRUCT, Weight.KEY],
};

const SCALARS: Readonly<Record<number, number>> = {
  [Tag.INT]: Weight.NUMBER,
  [Tag.FLOAT]: Weight.NUMBER,
  [Tag.DATE]: Weight.DATE,
  [Tag.PID]: Weight.ADDRESS,
  [Tag.REF]: Weight.ADDRESS,
  [Tag.STRING8]: Weight.STRING,
  [Tag.STRING]: Weight.STRING,
  [Tag.BINARY8]: Weight.BYTES,
  [Tag.BINARY]: Weight.BYTES,
  [Tag.VIEW]: Weight.BYTES,
};

/** A shorter term cannot exceed {@link MAX_TERM_MEMORY}: a value takes at most 112 bytes for each byte of the term. */
export const WEIGH_FROM: number = 8 * 1024 * 1024;

/** Adds up the memory and the counts of one term. Methods return the limit that is exceeded, or undefined. */
export class TermMemory {
  private bytes = 0;

  container(tag: number, entries: number): string | undefined {
    const [base, entry] = CONTAINERS[tag] as readonly [number, number];
    if (entries > MAX_ENTRIES) return `a container of ${entries} entries, more than ${MAX_ENTRIES}`;
    return this.take(base + entries * entry);
  }

  shaped(keys: number): string | undefined {
    return this.take(Weight.SHAPED + keys * Weight.SLOT);
  }

  /** @param length Bytes of the content, of strings, binaries and bigints. */
  scalar(tag: number, length: number): string | undefined {
    if (tag >= Tag.SHORT_STRING) return this.take(Weight.STRING);
    if (tag === Tag.STRING && length > MAX_STRING_BYTES)
      return `a string of ${length} bytes, more than ${MAX_STRING_BYTES}`;
    if (tag === Tag.BIGINT) {
      if (length > MAX_BIGINT_BYTES) return `a bigint of ${length} bytes, more than ${MAX_BIGINT_BYTES}`;
      return this.take(Weight.NUMBER + length);
    }
    return this.take(SCALARS[tag] ?? 0);
  }

  private take(bytes: number): string | undefined {
    this.bytes += bytes;
    return this.bytes > MAX_TERM_MEMORY
      ? `values that take more than ${MAX_TERM_MEMORY} bytes of memory`
      : undefined;
  }
}
