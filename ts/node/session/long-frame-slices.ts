// Copies a long frame to the native core slice by slice, so that one long copy does not block this thread.
import { SnowmeshError } from '../../errors/index.ts';

/** Bytes copied in one turn of the event loop; takes some tenths of a millisecond. */
export const SLICE_BYTES = 1024 * 1024;

/** Takes the next slice of a frame of `total` bytes. False: the session has ended, or the sender is dead. */
type TakeSlice = (total: number, slice: Uint8Array) => boolean;

/** The slice for a total of 0, which drops the slices copied so far. */
export const NOTHING: Uint8Array = new Uint8Array(0);

/**
 * Copies the parts of a frame, one slice per turn of the event loop. Resolves to false when a slice was not taken.
 *
 * Throws SNOW_ERR_UNSENDABLE when a part was detached or resized meanwhile; the slices copied so far are dropped.
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
          'Bytes were detached or resized while they were sent: do not touch them until sendWait resolves.',
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
