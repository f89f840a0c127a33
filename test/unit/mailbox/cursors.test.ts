// What a mailbox remembers of fresh references when there are more than it can keep.
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Mailbox } from '../../../ts/mailbox/index.ts';

/** As many as the index of a mailbox and the places beside it hold. */
const KEPT = 65_536 + 16;
const WAITING = 10;

afterEach(() => vi.restoreAllMocks());

function marked(count: number): { mailbox: Mailbox; keys: readonly object[] } {
  const mailbox = new Mailbox();
  for (let n = 0; n < WAITING; n++) mailbox.push(n);
  const keys = Array.from({ length: count }, () => ({}));
  for (const key of keys) mailbox.mark(key);
  return { mailbox, keys };
}

/** The messages that a search for the key looks at. */
function lookedAt(mailbox: Mailbox, key: unknown): number {
  let looked = 0;
  const test = (): boolean => {
    looked++;
    return false;
  };
  mailbox.take(test, [key]);
  return looked;
}

describe('B6 the places of fresh references', () => {
  it('are forgotten, the oldest first, when they are too many', () => {
    const { mailbox, keys } = marked(KEPT + 1000);
    expect(lookedAt(mailbox, keys[999])).toBe(WAITING);
    expect(lookedAt(mailbox, keys[1000])).toBe(0);
    expect(lookedAt(mailbox, keys.at(-1))).toBe(0);
  });

  it('are forgotten without a look at those that were forgotten before', () => {
    // An iterator over a Map steps over what was deleted at its front: a new one for each key would be quadratic.
    const iterators = vi.spyOn(Map.prototype, 'keys');
    marked(KEPT + 1000);
    expect(iterators.mock.calls.length).toBeLessThanOrEqual(1);
  });
});
