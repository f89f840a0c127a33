// The estimated memory of messages: exact enough to find the large mailboxes.

/** Most values of one message that are read. */
const MAX_VALUES = 200;
/** Most messages of a mailbox that are read. */
const SAMPLE = 4;
/** Bytes of any value, of an entry of a container, and of a message that is in several mailboxes. */
const VALUE = 24;
const ENTRY = 16;
const SHARED = 64;

/**
 * Bytes of a mailbox, estimated from its oldest messages. O(1) if these were read before, otherwise as {@link weigh}. `isShared`: whether a
 * message is in several mailboxes.
 */
export function mailboxMemory(
  mailbox: Iterable<unknown> & { readonly size: number },
  isShared: (message: unknown) => boolean,
): number {
  let looked = 0;
  let bytes = 0;
  for (const message of mailbox) {
    bytes += isShared(message) ? SHARED : weightOf(message);
    if (++looked === SAMPLE) break;
  }
  return looked === 0 ? 0 : Math.round((bytes / looked) * mailbox.size);
}

/** Bytes of messages that were read before. A message in a mailbox does not change, and reading a large object is slow. */
const known = new WeakMap<object, number>();

function weightOf(message: unknown): number {
  if (typeof message !== 'object' || message === null) return weigh(message);
  let bytes = known.get(message);
  if (bytes === undefined) known.set(message, (bytes = weigh(message)));
  return bytes;
}

/** Bytes of one message, estimated from its first MAX_VALUES values. O(keys of these objects). */
function weigh(message: unknown): number {
  const left: unknown[] = [message];
  let bytes = 0;
  for (let values = 0; values < MAX_VALUES; values++) {
    const value = left.pop();
    bytes += VALUE;
    if (typeof value === 'string') bytes += value.length;
    else if (ArrayBuffer.isView(value)) bytes += value.byteLength;
    else if (value instanceof Map || value instanceof Set) {
      bytes += 2 * ENTRY * value.size;
      push(left, value.values());
    } else if (Array.isArray(value)) {
      bytes += ENTRY * value.length;
      push(left, value);
    } else if (typeof value === 'object' && value !== null) {
      const entries = Object.values(value);
      bytes += ENTRY * entries.length;
      push(left, entries);
    }
    if (left.length === 0) break;
  }
  return bytes;
}

function push(left: unknown[], values: Iterable<unknown>): void {
  for (const value of values) {
    if (left.length >= MAX_VALUES) return;
    left.push(value);
  }
}
