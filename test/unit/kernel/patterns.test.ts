// Receiving by pattern: which messages one takes, which it refuses to be, and what it skips.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Down, type Match, Runtime, type Self, silentLogger, TIMEOUT } from '../../../ts/actor/index.ts';
import { FieldSearch } from '../../../ts/kernel/field-search.ts';
import { matchTag } from '../../../ts/kernel/key-match.ts';
import { LocalNames } from '../../../ts/registry/index.ts';
import { Pid, Ref, struct } from '../../../ts/term/index.ts';
import { startTestRuntime, type TestRuntime } from '../../../ts/testing/index.ts';
import { deferred } from '../../support/deadline.ts';
import { countWork } from '../../support/work.ts';

let kit: TestRuntime;
beforeEach(() => {
  kit = startTestRuntime();
});
afterEach(() => kit.stop());

/** Runs `code` as an actor, and resolves to what it returns, or rejects with what it throws. */
async function within<T>(code: (self: Self) => Promise<T>): Promise<T> {
  const { promise, resolve, reject } = deferred<T>();
  promise.catch(() => {}); // it may reject before it is awaited
  kit.runtime.spawn(async (self: Self) => code(self).then(resolve, reject));
  await kit.settle();
  return promise;
}

/** The first of the messages that `match` takes, when all of them wait, and when each comes while the receive waits. */
async function taken(match: (self: Self) => Match, messages: readonly unknown[]): Promise<unknown> {
  const first = await within(async (self) => {
    for (const message of messages) self.send(self.pid as Pid<unknown>, message);
    return self.receive(match(self), { timeout: 0 });
  });
  const [second] = await within(async (self) => {
    const got: unknown[] = [];
    const pid = self.spawnLink(
      async (own: Self) => void got.push(await own.receive(match(own), { timeout: 1 })),
    );
    await self.receive('never', { timeout: 0 });
    for (const message of messages) self.send(pid as Pid<unknown>, message);
    await kit.advance(1);
    return got;
  });
  expect(second).toEqual(first);
  return first;
}

describe('a pattern', () => {
  it('B5 takes the oldest object that has its fields, whatever others it has', async () => {
    const messages = [
      'page',
      5,
      null,
      undefined,
      ['page', 3],
      { type: 'page' },
      { type: 'page', n: '3' },
      { type: 'line', n: 3 },
      { type: 'page', n: 3, text: 'first' },
      { type: 'page', n: 3, text: 'second' },
    ];
    expect(await taken(() => ({ n: 3, type: 'page' }), messages)).toEqual({
      type: 'page',
      n: 3,
      text: 'first',
    });
    expect(await taken(() => ({ text: 'second' }), messages)).toMatchObject({ text: 'second' });
    expect(await taken(() => ({ type: 'none' }), messages)).toBe(TIMEOUT);
  });

  it.each<[string, unknown, unknown]>([
    ['NaN and NaN', Number.NaN, Number.NaN],
    ['0 and -0', 0, -0],
    ['-0 and 0', -0, 0],
    ['null', null, null],
    ['bigints', 2n ** 70n, 2n ** 70n],
    ['booleans', false, false],
    ['the empty string', '', ''],
    ['references', new Ref(0, 5, 6), new Ref(0, 5, 6)],
    ['PIDs', new Pid(0, 5), new Pid(0, 5)],
  ])('takes equal values: %s', async (_what, wanted, sent) => {
    expect(
      await taken(() => ({ value: wanted as never }), [{}, { value: 'other' }, { value: sent, id: 1 }]),
    ).toMatchObject({
      id: 1,
    });
  });

  it.each<[string, unknown, unknown]>([
    ['1 and 1n', 1, 1n],
    ["1 and '1'", 1, '1'],
    ['NaN and undefined', Number.NaN, undefined],
    ['null and undefined', null, undefined],
    ['false and 0', false, 0],
    ['other references', new Ref(0, 5, 6), new Ref(0, 5, 7)],
    ['other PIDs', new Pid(0, 5), new Pid(1, 5)],
    ['a PID and a reference', new Pid(0, 5), new Ref(0, 5, 6)],
  ])('does not take other values: %s', async (_what, wanted, sent) => {
    expect(await taken(() => ({ value: wanted as never }), [{ value: sent }])).toBe(TIMEOUT);
  });

  it('takes neither inherited fields, nor arrays, nor messages of the runtime', async () => {
    expect(await taken(() => ({ size: 1 }), [new Map([[1, 2]])])).toBe(TIMEOUT);
    expect(await taken(() => ({ length: 2 }), [[1, 2], { length: 2 }])).toEqual({ length: 2 });
    const seen = await within(async (self) => {
      const ref = self.monitor(self.runtime.pidOf(999_999));
      return [
        await self.receive({ ref }, { timeout: 0 }),
        await self.receive({ reason: 'noproc' }, { timeout: 0 }),
        await self.receive(ref, { timeout: 0 }),
      ];
    });
    expect(seen).toEqual([TIMEOUT, TIMEOUT, expect.any(Down)]);
  });

  it('takes errors and structs by their fields', async () => {
    const failed = Object.assign(new Error('no such file'), { code: 'ENOENT' });
    expect(await taken(() => ({ code: 'ENOENT' }), [{ code: 'EIO' }, failed])).toBeInstanceOf(Error);
    expect(await taken(() => ({ type: 'point' }), [struct('point', { x: 1 })])).toMatchObject({
      fields: { x: 1 },
    });
  });

  it('is read once, when receive is called', async () => {
    let reads = 0;
    const pattern = {
      type: 'a',
      get n() {
        return ++reads;
      },
    };
    const seen = await within(async (self) => {
      const waiting = self.receive(pattern);
      pattern.type = 'b';
      self.send(self.pid as Pid<unknown>, { type: 'b', n: 1 });
      self.send(self.pid as Pid<unknown>, { type: 'a', n: 2 });
      self.send(self.pid as Pid<unknown>, { type: 'a', n: 1 });
      return [await waiting, await self.receive(), await self.receive()];
    });
    expect(seen).toEqual([
      { type: 'a', n: 1 },
      { type: 'b', n: 1 },
      { type: 'a', n: 2 },
    ]);
    expect(reads).toBe(1);
  });

  it.each<[string, unknown, RegExp]>([
    ['an empty one', {}, /without fields/],
    ['a nested object', { at: { x: 1 } }, /"at" of the pattern is an object.*predicate/],
    ['an array inside', { at: [1] }, /"at" of the pattern is an array/],
    ['a function inside', { n: () => true }, /"n" of the pattern is a function/],
    ['a symbol inside', { n: Symbol('s') }, /"n" of the pattern is a symbol/],
    [
      'a promise inside',
      { n: Promise.resolve(1) },
      /"n" of the pattern is a promise \(did you forget await\?\)/,
    ],
    [
      'a field that is undefined',
      { type: 'a', n: undefined },
      /"n" of the pattern is undefined: leave it out/,
    ],
    ['options where the match belongs', { timeout: 20 }, /is receive\(undefined, \{ timeout \}\)/],
    ['one in a list', ['a', { b: {} }], /"b" of the pattern is an object/],
    ['an instance of a class', new (class A {})(), /Cannot match by an object: use/],
    ['a Map', new Map(), /Cannot match by an object: use/],
    ['a PID', new Pid(0, 1), /Cannot match by an object: use/],
    ['a promise', Promise.resolve('a'), /Cannot match by a promise \(did you forget await\?\)/],
    ['a number', 5, /Cannot match by a number: use/],
  ])('is refused: %s', async (_what, match, why) => {
    const refusal = within(async (self) => self.receive(match as Match));
    await expect(refusal).rejects.toThrowError(
      expect.objectContaining({ code: 'SNOW_ERR_BAD_MATCH', message: expect.stringMatching(why) }),
    );
  });

  it('is refused when it has a timer, whose message has no type of its own', async () => {
    const refusal = within(async (self) =>
      self.receive({ ref: self.startTimer(1000, self.pid, 'late') } as never),
    );
    await expect(refusal).rejects.toThrowError(
      /"ref" of the pattern is a timer: match by the TimerRef itself/,
    );
  });

  it.each(['n', '__proto__', 'constructor', 'a"b\\', "it's", '\u2028', ''])(
    'finds the field %j in many searches as in the first, for which no code was generated yet',
    async (field) => {
      const seen = await within(async (self) => {
        for (let n = 0; n < 300; n++) self.send(self.pid as Pid<unknown>, { [field]: 'other', id: n });
        const taken: unknown[] = [];
        for (let n = 0; n < 40; n++) {
          self.send(self.pid as Pid<unknown>, { type: 'x', [field]: n });
          taken.push(
            await self.receive({ [field]: -1 }, { timeout: 0 }),
            await self.receive({ [field]: n }, { timeout: 0 }),
          );
        }
        return taken;
      });
      const expected = Array.from({ length: 40 }, (_none, n) => [TIMEOUT, { type: 'x', [field]: n }]);
      expect(seen).toEqual(expected.flat());
    },
  );

  it('can be one of several', async () => {
    const messages = [{ type: 'a', n: 1 }, { type: 'b', n: 1 }, ['c'], { type: 'a', n: 2 }];
    expect(await taken(() => [{ type: 'a', n: 2 }, 'c'], messages)).toEqual(['c']);
    expect(await taken(() => [{ type: 'a', n: 2 }, [{ n: 1, type: 'b' }]], messages)).toEqual({
      type: 'b',
      n: 1,
    });
    expect(await taken(() => [Down, { n: 2 }, () => false], messages)).toEqual({ type: 'a', n: 2 });
  });
});

describe('B5 B6 what a search by pattern skips', () => {
  /** Messages of the types `other` and `some`, and whatever the actor does with them. */
  function behind<T>(count: number, act: (self: Self) => Promise<T>): Promise<T> {
    const runtime = new Runtime({ names: new LocalNames(), logger: silentLogger });
    const { promise, resolve, reject } = deferred<T>();
    runtime.spawn(async (self: Self) => {
      for (let n = 0; n < count; n++) self.send(self.pid as Pid<unknown>, { type: 'other', n });
      await act(self).then(resolve, reject);
      runtime.stop();
    });
    return promise;
  }

  const COUNT = 100_000;

  it.each<[string, (self: Self, n: number) => Match]>([
    ['another type, which it searched before', (_self, n) => ({ type: 'some', n })],
    ['whatever is older than its reference', (self, n) => ({ ref: self.makeRef(), n })],
    [
      'what none of several can match',
      (self, n) => [{ ref: self.makeRef(), n }, { n, type: 'some' }, 'third'],
    ],
  ])('%s', async (_what, match) => {
    const work = await behind(COUNT, (self) =>
      countWork(async () => {
        for (let n = 0; n < 100; n++) {
          const wanted = match(self, n);
          const one = Array.isArray(wanted) ? (wanted[0] as object) : (wanted as object);
          self.send(self.pid as Pid<unknown>, one);
          expect(await self.receive(wanted)).toEqual(one);
        }
      }),
    );
    expect(work).toBeLessThan(50 * COUNT); // one pass, not a hundred
  });

  it('no message that the tag takes, after a pattern with that type, and the reverse', async () => {
    const seen = await behind(300, async (self) => {
      self.send(self.pid as Pid<unknown>, { type: 'some', n: 1 });
      self.send(self.pid as Pid<unknown>, { type: 'some', n: 2 });
      self.send(self.pid as Pid<unknown>, { type: 'some', n: 3 });
      return [
        await self.receive({ type: 'some', n: 2 }),
        await self.receive({ type: 'some', n: 4 }, { timeout: 0 }),
        await self.receive('some', { timeout: 0 }),
        await self.receive({ type: 'some', n: 3 }, { timeout: 0 }),
      ];
    });
    expect(seen).toEqual([{ type: 'some', n: 2 }, TIMEOUT, { type: 'some', n: 1 }, { type: 'some', n: 3 }]);
  });

  it('nothing twice while it waits, also without a type', async () => {
    const work = await behind(COUNT, async (self) => {
      const owner = new Pid(0, 999_999); // not compared by generated code, which is not counted
      const first = await countWork(() => self.receive({ owner }, { timeout: 0 }));
      const waiting = await countWork(async () => {
        const pending = self.receive({ owner }, { timeout: 20 });
        for (let n = 0; n < 20; n++) {
          self.send(self.pid as Pid<unknown>, { type: 'other', n });
          await new Promise(setImmediate);
        }
        await pending;
      });
      return { first, waiting };
    });
    expect(work.first).toBeGreaterThan(COUNT);
    expect(work.waiting).toBeLessThan(1.5 * work.first);
  });
});

describe('P7 the compiled matches of tags that are kept', () => {
  it('are limited in number', () => {
    const first = matchTag('first');
    expect(matchTag('first')).toBe(first);
    let others = 0;
    while (matchTag('first') === first && others < 5000) matchTag(`other ${others++}`);
    expect(others).toBeLessThanOrEqual(1024);
  });

  it('and the searches for fields that are kept, are limited in number', () => {
    const first = FieldSearch.of('first');
    expect(FieldSearch.of('first')).toBe(first);
    let others = 0;
    while (FieldSearch.of('first') === first && others < 5000) FieldSearch.of(`other ${others++}`);
    expect(others).toBeLessThanOrEqual(256);
  });

  it('are limited in the length of their tags', () => {
    const [short, long] = ['s'.repeat(64), 'l'.repeat(65)];
    expect(matchTag(short)).toBe(matchTag(short));
    expect(matchTag(long)).not.toBe(matchTag(long));
  });
});
