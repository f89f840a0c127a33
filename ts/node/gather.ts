// Handing a long frame over slice by slice, so that nothing else on this thread stands behind one long copy.
import { SnowmeshError } from '../errors/index.ts';

/** Copied at once: some tenths of a millisecond. */
export const SLICE_BYTES = 1024 * 1024;

/** Where a frame of `total` bytes is put together. False: there is no session any more, or nobody who sends it. */
type TakeSlice = (total: number, slice: Uint8Array) => boolean;

/** Handed over with a total of 0, it drops what was copied. */
export const NOTHING: Uint8Array = new Uint8Array(0);

/**
 * Copies the parts of a frame, a slice a turn of the event loop. Resolves to false when it was not wanted to its end.
 *
 * Throws SNOW_ERR_UNSENDABLE when a part was detached or shrunk meanwhile; what was copied is dropped.
 */
export async function gather(parts: readonly Uint8Array[], take: TakeSlice): Promise<boolean> {
  const lengths = parts.map((part) => part.length);
  const total = lengthOf(parts);
  for (const [index, part] of parts.entries()) {
    const length = lengths[index] as number;
    for (let at = 0; at < length; at += SLICE_BYTES) {
      if (part.length !== length) {
        take(0, NOTHING);
        throw new SnowmeshError(
          'SNOW_ERR_UNSENDABLE',
          'Bytes were detached or resized while they were sent: leave them alone until sendWait resolves.',
        );
      }
      if (!take(total, part.subarray(at, at + SLICE_BYTES))) return false;
      if (at + SLICE_BYTES < length) await new Promise((resolve) => void setImmediate(resolve));
    }
  }
  return true;
}

/** Bytes of a frame given in parts. */
export function lengthOf(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, part) => sum + part.length, 0);
}
