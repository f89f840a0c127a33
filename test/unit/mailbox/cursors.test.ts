// What a mailbox remembers of the keys that it searched for.
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type FreshKey, Mailbox, NOTHING } from '../../../ts/mailbox/index.ts';
import { SEGMENT } from '../../../ts/mailbox/segment.ts';

/** As many as the index of a mailbox and the places beside it hold. */
const KEPT = 65_536 + 16;
const WAITING = 10;

afterEach(() => vi.restoreAllMocks());

function fresh(): FreshKey {
  return { place: undefined };
}

function waiting(): Mailbox {
  const mailbox = new Mailbox();
  for (let n = 0; n < WAITING; n++) mailbox.push(n);
  return mailbox;
}

/** The messages that a search for the key looks at. */
function lookedAt(mailbox: Mailbox, key: unknown): number {
  let looked = 0;
  const takes = (): boolean => {
    looked++;
    return false;
  };
  expect(mailbox.take({ takes }, [key])).toBe(NOTHING);
  return looked;
}

describe('B6 the places of fresh references', () => {
  it('are all remembered, however many there are', () => {
    const mailbox = waiting();
    const keys = Array.from({ length: KEPT + 1000 }, fresh);
    for (const key of keys) mailbox.mark(key);
    expect(lookedAt(mailbox, keys[0])).toBe(0);
    expect(lookedAt(mailbox, keys.at(-1))).toBe(0);
    mailbox.push('later');
    expect(lookedAt(mailbox, keys[0])).toBe(1);
  });

  it('are remembered in a mailbox with one message, too', () => {
    const mailbox = new Mailbox();
    mailbox.push('before');
    const key = fresh();
    mailbox.mark(key);
    expect(lookedAt(mailbox, key)).toBe(0);
  });

  it('are of the mailbox that marked them', () => {
    const key = fresh();
    waiting().mark(key);
    const other = waiting();
    expect(lookedAt(other, key)).toBe(WAITING);
    expect(lookedAt(other, key)).toBe(0);
  });

  it('are forgotten when the mailbox becomes empty', () => {
    const mailbox = waiting();
    const key = fresh();
    mailbox.mark(key);
    while (mailbox.size > 0) mailbox.shift();
    mailbox.push('a');
    mailbox.push('b');
    expect(lookedAt(mailbox, key)).toBe(2);
  });

  it('are forgotten when the mailbox is cleared', () => {
    const mailbox = waiting();
    const key = fresh();
    mailbox.mark(key);
    mailbox.clear();
    for (let n = 0; n < WAITING; n++) mailbox.push(n);
    expect(lookedAt(mailbox, key)).toBe(WAITING);
  });

  it('move on when all messages of their segment are taken', () => {
    const mailbox = waiting();
    const key = fresh();
    mailbox.mark(key);
    for (let n = 0; n < 200; n++) mailbox.push('later');
    for (let n = 0; n < 150; n++) mailbox.shift();
    expect(lookedAt(mailbox, key)).toBe(200 + WAITING - 150);
    expect(lookedAt(mailbox, key)).toBe(0);
  });

  it('give the first message since, without a search, unless it was taken or the mailbox was empty meanwhile', () => {
    const mailbox = waiting();
    const key = fresh();
    expect(mailbox.firstSince(key)).toBe(NOTHING);
    mailbox.mark(key);
    expect(mailbox.firstSince(key)).toBe(NOTHING);
    mailbox.push('reply');
    mailbox.push('later');
    const other = waiting();
    other.mark(fresh());
    expect(other.firstSince(key)).toBe(NOTHING);
    expect(mailbox.firstSince(key)).toBe('reply');
    mailbox.removeFirstSince(key);
    expect(mailbox.firstSince(key)).not.toBe('later');
    expect([...mailbox].at(-1)).toBe('later');
    expect(mailbox.size).toBe(WAITING + 1);
    while (mailbox.size > 0) mailbox.shift();
    for (let n = 0; n < 2 * WAITING; n++) mailbox.push(n);
    expect(mailbox.firstSince(key)).toBe(NOTHING);
  });

  it('give no message of a segment that has left the mailbox and is used anew', () => {
    const mailbox = waiting();
    const key = fresh();
    mailbox.mark(key);
    for (let n = 0; n < SEGMENT; n++) mailbox.push('later');
    for (let n = 0; n < SEGMENT + 1; n++) mailbox.shift();
    for (let n = 0; n < 2 * SEGMENT; n++) mailbox.push('much later');
    expect(mailbox.firstSince(key)).toBe(NOTHING);
  });
});

describe('B6 the places of other keys', () => {
  it('are forgotten, the oldest first, when they are too many', () => {
    const mailbox = waiting();
    const keys = Array.from({ length: KEPT + 1000 }, () => ({}));
    for (const key of keys) lookedAt(mailbox, key);
    expect(lookedAt(mailbox, keys[1000])).toBe(0);
    expect(lookedAt(mailbox, keys.at(-1))).toBe(0);
    expect(lookedAt(mailbox, keys[999])).toBe(WAITING);
  });

  it('are forgotten without a look at those that were forgotten before', () => {
    // An iterator over a Map steps over what was deleted at its front: a new one for each key would be quadratic.
    const iterators = vi.spyOn(Map.prototype, 'keys');
    const mailbox = waiting();
    for (let n = 0; n < KEPT + 1000; n++) mailbox.take({ takes: () => false }, [{}]);
    expect(iterators.mock.calls.length).toBeLessThanOrEqual(1);
  });
});

describe('a match that is user code', () => {
  it('sees no message of another mailbox after it has ended its own', () => {
    const mailbox = waiting();
    const other = new Mailbox();
    const seen: unknown[] = [];
    const takes = (message: unknown): boolean => {
      seen.push(message);
      if (seen.length === 1) {
        mailbox.clear();
        for (let n = 0; n < 100; n++) other.push(`other ${n}`); // the pool gives it the segment of the first
      }
      return false;
    };
    expect(mailbox.take({ takes }, [])).toBe(NOTHING);
    expect(seen).toEqual([0]);
    expect(other.size).toBe(100);
  });

  it.each([
    [1, false],
    [1, true],
    [2, false],
    [2, true],
  ])('takes nothing of %i messages after it has ended its own actor and answered %s', (count, answer) => {
    const mailbox = new Mailbox();
    for (let n = 0; n < count; n++) mailbox.push(n);
    const takes = (): boolean => (mailbox.clear(), answer);
    expect(mailbox.take({ takes }, ['key'])).toBe(NOTHING);
    expect(mailbox.size).toBe(0);
  });

  it.each([1, 2, SEGMENT])('is called once for each of %i messages, also for those that it adds', (count) => {
    for (const taken of ['none', 0, 'added']) {
      const mailbox = new Mailbox();
      for (let n = 0; n < count; n++) mailbox.push(n);
      const all = [...mailbox, 'added'];
      const seen: unknown[] = [];
      const takes = (message: unknown): boolean => {
        if (seen.push(message) === 1) mailbox.push('added');
        return message === taken;
      };
      expect(mailbox.take({ takes }, {})).toBe(taken === 'none' ? NOTHING : taken);
      expect(seen).toEqual(taken === 0 ? [0] : all);
      expect([...mailbox]).toEqual(all.filter((message) => message !== taken));
      expect(mailbox.size).toBe([...mailbox].length);
    }
  });
});

describe('a search', () => {
  it('goes on where the one before found its message', () => {
    for (const key of ['key', ['key', 'other']]) {
      const mailbox = waiting();
      mailbox.push('wanted');
      mailbox.push('wanted');
      let looked = 0;
      const takes = (message: unknown): boolean => (looked++, message === 'wanted');
      expect(mailbox.take({ takes }, key)).toBe('wanted');
      expect(looked).toBe(WAITING + 1);
      expect(mailbox.take({ takes }, key)).toBe('wanted');
      expect(looked).toBeLessThanOrEqual(WAITING + 3); // perhaps the place of the first once more
    }
  });
});

describe('the places of messages that were taken from the front', () => {
  it('are not looked at again', () => {
    const mailbox = waiting();
    let looked = 0;
    const firstIn = (slots: readonly unknown[], from: number, to: number): number => {
      for (let at = from; at < to; at++) {
        looked++;
        if (typeof slots[at] === 'number') return at;
      }
      return -1;
    };
    for (let n = 0; n < WAITING; n++) expect(mailbox.take({ takes: () => true, firstIn }, [])).toBe(n);
    expect(looked).toBe(WAITING);
  });
});

describe('what is forgotten', () => {
  const keys = Array.from({ length: 40 }, (_, n) => `tag ${n}`);
  const looks = (mailbox: Mailbox): number[] => keys.map((key) => lookedAt(mailbox, key));

  it('is one key, whether it was found last, is among the latest, or is an older one', () => {
    for (const gone of [0, 7, 23, 24, 30, 39]) {
      const mailbox = waiting();
      looks(mailbox);
      lookedAt(mailbox, keys[gone]);
      mailbox.forget(keys[gone]);
      expect(looks(mailbox)).toEqual(keys.map((_, n) => (n === gone ? WAITING : 0)));
    }
  });

  it('makes room: what is remembered afterwards is remembered as before', () => {
    const mailbox = waiting();
    looks(mailbox);
    for (const key of keys) mailbox.forget(key);
    expect(looks(mailbox)).toEqual(keys.map(() => WAITING));
    expect(looks(mailbox)).toEqual(keys.map(() => 0));
  });
});

describe('a long life behind a backlog', () => {
  it.each([1, SEGMENT - 1, SEGMENT, 3 * SEGMENT])('leaves no segments, taking %i at a time', (count) => {
    const mailbox = new Mailbox();
    for (let n = 0; n < SEGMENT; n++) mailbox.push('old');
    const takes = (message: unknown): boolean => message === 'new';
    for (let round = 0; round < 100; round++) {
      for (let n = 0; n < count; n++) mailbox.push('new');
      for (let n = 0; n < count; n++) expect(mailbox.take({ takes }, 'new')).toBe('new');
    }
    let segments = 0;
    for (let { head } = mailbox; head !== null; head = head.next) segments++;
    expect(segments).toBeLessThanOrEqual(2); // the backlog, and the one that the next message goes into
  });

  it('gives back all segments with the last message, also the one whose messages were taken before', () => {
    const mailbox = new Mailbox();
    for (let n = 0; n < SEGMENT; n++) mailbox.push('old');
    mailbox.push('new');
    const { head, tail } = mailbox;
    expect(mailbox.take({ takes: (message) => message === 'new' }, [])).toBe('new');
    for (let n = 0; n < SEGMENT; n++) mailbox.shift();
    expect(head).not.toBe(tail);
    expect([head?.use, tail?.use, tail?.previous, mailbox.tail]).toEqual([0, 0, null, null]);
  });
});
