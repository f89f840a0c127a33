// What messages take in memory, about: enough to see which mailbox is the large one.

/** Values of one message that are looked at. */
const MAX_VALUES = 200;
/** Messages of a mailbox that are looked at. */
const SAMPLE = 4;
/** Bytes of any value, of an entry of a container, and of a message that others hold, too. */
const VALUE = 24;
const ENTRY = 16;
const SHARED = 64;

/** Bytes of a mailbox, by its oldest messages. O(1) when they were looked at before, else as {@link weigh}. `isShared`: whether a message is one that lies in several mailboxes. */
export function weightOfMailbox(
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

/** Of messages that were looked at: the keys of a large object cost, and nothing changes a message that waits. */
const known = new WeakMap<object, number>();

function weightOf(message: unknown): number {
  if (typeof message !== 'object' || message === null) return weigh(message);
  let bytes = known.get(message);
  if (bytes === undefined) known.set(message, (bytes = weigh(message)));
  return bytes;
}

/** Bytes of one message; of a message of many values, by the first ones. O(keys of its objects), else O(1). */
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
