// Two runtimes in one process: what belongs to one is a mistake in the hands of the other, and says so.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { request, type Self, stop } from '../../../ts/actor/index.ts';
import { replyTo } from '../../../ts/behaviour/index.ts';
import type { Pid } from '../../../ts/term/index.ts';
import { type Probe, startTestRuntime, type TestRuntime } from '../../../ts/testing/index.ts';

const FOREIGN = expect.objectContaining({ code: 'SNOW_ERR_FOREIGN_PID' });

let one: TestRuntime;
let other: TestRuntime;
let probe: Probe;
let theirs: Pid<unknown>;
beforeEach(async () => {
  one = startTestRuntime();
  other = startTestRuntime();
  probe = await other.probe();
  theirs = probe.pid;
});
afterEach(() => {
  one.stop();
  other.stop();
});

/** What `use` throws inside an actor of the first runtime. */
async function thrown(use: (self: Self) => unknown): Promise<unknown> {
  let caught: unknown = 'nothing';
  const pid = one.runtime.spawn(async (self: Self) => {
    try {
      await use(self);
    } catch (error) {
      caught = error;
    }
    await self.receive();
  });
  await one.settle();
  expect(one.runtime.isAlive(pid)).toBe(true);
  return caught;
}

const uses: [string, (self: Self) => unknown][] = [
  ['send', (self) => self.send(theirs, 'hello')],
  ['sendWait', (self) => self.sendWait(theirs, 'hello')],
  ['call', (self) => request(self, theirs as Pid<never>, 'hello')],
  ['link', (self) => self.link(theirs)],
  ['monitor', (self) => self.monitor(theirs)],
  ['monitor with an alias', (self) => self.monitor(theirs, { alias: 'explicit' })],
  ['sendExit', (self) => self.sendExit(theirs, 'kill')],
  ['stop', (self) => stop(self, theirs)],
  ['sendAfter', (self) => self.sendAfter(10, theirs, 'hello')],
];

it.each(uses)(
  'SNOW_ERR_FOREIGN_PID: %s to an actor of another node object throws, and nothing is delivered',
  async (_name, use) => {
    expect(await thrown(use)).toEqual(FOREIGN);
    await one.advance(100);
    await other.settle();
    expect(other.runtime.isAlive(theirs)).toBe(true);
    expect(probe.messages).toEqual([]);
    expect(one.runtime.aliases.size).toBe(0);
  },
);

it('SNOW_ERR_FOREIGN_PID: is thrown outside of actors, too', () => {
  for (const use of [
    () => one.runtime.send(theirs, 'hello'),
    () => one.runtime.sendExit(theirs, 'kill'),
    () => request(one.runtime, theirs as Pid<never>, 'hello'),
    () => one.runtime.nodeOf(theirs as Pid<never>),
  ]) {
    expect(use).toThrow(FOREIGN as Error);
  }
  expect(one.runtime.calls.size).toBe(0);
});

it('a reference of the other node object means nothing here, although a reference here has its number', async () => {
  const mine = await one.probe();
  const pairs = [
    [mine.self.alias(), probe.self.alias()],
    [
      mine.self.monitor(mine.self.spawn((self: Self) => self.receive() as Promise<never>)),
      probe.self.makeRef(),
    ],
  ] as const;
  for (const [here, there] of pairs) expect(there.id).toBe(here.id);
  const [[, alias], [monitor, unknown]] = pairs;
  mine.self.send(alias, 'astray');
  expect(mine.self.unalias(alias)).toBe(false);
  expect(mine.self.demonitor(unknown)).toBe(false);
  expect(mine.self.demonitor(monitor)).toBe(true);
  await mine.expectNoMessage();
  expect(one.runtime.deadLetters.counts.alias).toBe(1);

  const asked = request(mine.self, mine.self.spawn((self: Self) => self.sleep(100)) as Pid<never>, 'ask');
  const { id } = mine.self.makeRef();
  while (probe.self.makeRef().id < id - 2);
  expect(replyTo(mine.self, probe.self.makeRef(), 'forged')).toBe(false);
  await one.advance(100);
  await expect(asked).rejects.toMatchObject({ state: 'exit' });
});

it('an actor of the other node object is dead here: its end and its mailbox are not told', async () => {
  const reasons: unknown[] = [];
  one.runtime.onDeath(theirs as Pid<never>, (_pid, reason) => reasons.push(reason));
  expect(reasons).toEqual(['noproc']);
  const deaf = other.runtime.spawn((self: Self) => self.sleep(1e6));
  other.runtime.send(deaf as Pid<unknown>, 'unread');
  expect(one.runtime.mailboxOf(deaf as Pid<never>)).toEqual([]);
  expect(other.runtime.mailboxOf(deaf as Pid<never>)).toEqual(['unread']);
});

it('no error: a PID of an actor that has ended, wherever it lived', async () => {
  other.runtime.sendExit(theirs, 'kill');
  await other.settle();
  expect(await thrown((self) => self.send(theirs, 'hello'))).toBe('nothing');
});
