// One message for many actors of a node: each gets a value of its own (B8), copied no sooner than it is needed.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { HandlerBody, Self } from '../../../ts/actor/index.ts';
import { freezeDeep, type Pid } from '../../../ts/term/index.ts';
import { startTestRuntime, type TestRuntime } from '../../../ts/testing/index.ts';

let kit: TestRuntime;
beforeEach(() => {
  kit = startTestRuntime();
});
afterEach(() => kit.stop());

type Word = { text: string; bytes: Uint8Array; more?: string };

/** A handler that spoils what it gets, after it kept a picture of it. */
function spoiler(seen: Word[], kept: Word[]): Pid<unknown> {
  return kit.runtime.spawnHandler(
    (): HandlerBody => ({
      onMessage(message) {
        const word = message as Word;
        seen.push(structuredClone(word));
        kept.push(word);
        word.text = 'spoilt';
        word.bytes.fill(0);
        word.more = 'more';
      },
    }),
  );
}

/** A function actor that spoils, too. */
function reader(seen: Word[], kept: Word[]): Pid<unknown> {
  return kit.runtime.spawn(async (self: Self) => {
    for (;;) {
      const word = (await self.receive((message: unknown) => {
        (message as Word).more = 'looked at';
        return true;
      })) as Word;
      seen.push({ text: word.text, bytes: word.bytes.slice() });
      kept.push(word);
      word.bytes.fill(0);
    }
  });
}

describe.each(['ours', 'of the sender'])('a message that is %s, for many actors', (whose) => {
  it('B8 is a value of its own for each of them', async () => {
    const [seen, kept]: [Word[], Word[]] = [[], []];
    const all = [1, 2, 3, 4].flatMap(() => [spoiler(seen, kept), reader(seen, kept)]);
    await kit.settle();
    const word: Word = { text: 'x'.repeat(10), bytes: Uint8Array.from([1, 2, 3]) };
    const picture = structuredClone(word);
    kit.runtime.sender.fanOut(all, word, whose === 'ours');
    if (whose !== 'ours') word.bytes.fill(9);
    await kit.settle();
    expect(seen).toEqual(all.map(() => picture));
    expect(new Set(kept).size).toBe(all.length);
    expect(new Set(kept.map(({ bytes }) => bytes.buffer)).size).toBe(all.length);
    expect(kept.includes(word)).toBe(whose === 'ours');
  });
});

it('B8 one of a thousand that dies before its turn leaves the others theirs', async () => {
  const seen: unknown[] = [];
  const all = Array.from({ length: 1000 }, () =>
    kit.runtime.spawnHandler((): HandlerBody => ({ onMessage: (message) => void seen.push(message) })),
  );
  await kit.settle();
  kit.runtime.sender.fanOut(all, ['x', 1], false);
  for (const pid of all.slice(0, 500)) kit.runtime.sendExit(pid, 'kill');
  kit.runtime.sender.fanOut(all, ['y', 2], false);
  await kit.settle();
  expect(seen).toHaveLength(1000);
  expect(new Set(seen).size).toBe(1000);
  expect(kit.runtime.deadLetters.counts.noproc).toBe(500);
});

it.each([
  ['text', 'x'],
  ['a number', 1],
  ['what was frozen in depth', freezeDeep({ a: ['b'] })],
])('B8 %s is shared, as nobody can tell', async (_, message) => {
  const seen: unknown[] = [];
  const all = [1, 2, 3].map(() =>
    kit.runtime.spawnHandler((): HandlerBody => ({ onMessage: (got) => void seen.push(got) })),
  );
  kit.runtime.sender.fanOut(all, message, false);
  await kit.settle();
  expect(seen).toEqual([message, message, message]);
  expect(seen.every((got) => got === message)).toBe(true);
});

it('B1 it keeps its place among other messages', async () => {
  const seen: unknown[] = [];
  const all = [1, 2].map(() =>
    kit.runtime.spawnHandler((): HandlerBody => ({ onMessage: (got) => void seen.push(got) })),
  );
  const [first] = all as [Pid<unknown>];
  kit.runtime.send(first, 'before');
  kit.runtime.sender.fanOut(all, ['all'], false);
  kit.runtime.send(first, 'after');
  expect(kit.mailbox(first)).toEqual(['before', ['all'], 'after']);
  await kit.settle();
  expect(seen).toEqual(['before', ['all'], 'after', ['all']]);
});

it('B9 what cannot travel is refused before anybody has it', async () => {
  const seen: unknown[] = [];
  const all = [1, 2].map(() =>
    kit.runtime.spawnHandler((): HandlerBody => ({ onMessage: (got) => void seen.push(got) })),
  );
  expect(() => kit.runtime.sender.fanOut(all, [() => {}], false)).toThrow(
    expect.objectContaining({ code: 'SNOW_ERR_UNSENDABLE' }),
  );
  await kit.settle();
  expect(seen).toEqual([]);
});
