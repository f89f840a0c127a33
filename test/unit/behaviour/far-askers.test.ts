// Calls from other nodes that a server answers later: each is answered once, however the answer is given.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Call, type RemotePort, ReplyStatus, type Self } from '../../../ts/actor/index.ts';
import { defineServer, type From, noReply, replyTo } from '../../../ts/behaviour/index.ts';
import { Pid, Ref } from '../../../ts/term/index.ts';
import { startTestRuntime, type TestRuntime } from '../../../ts/testing/index.ts';

const PEER = 256;
const far = new Pid(PEER, 7);

let kit: TestRuntime;
let frames: unknown[];
let asked: number;
let from: From;
beforeEach(() => {
  kit = startTestRuntime();
  frames = [];
  asked = 0;
  const port: Partial<RemotePort> = {
    reply: (_from, ref, status, value) => {
      if (value === 'bad') throw new TypeError('unsendable');
      frames.push([ref.id, status, value]);
    },
  };
  kit.runtime.remote = { ...kit.runtime.remote, ...port };
});
afterEach(() => kit.stop());

const server = defineServer({
  name: 'server',
  init: () => ({}),
  calls: {
    later: (context) => {
      ({ from } = context);
      return noReply<string>();
    },
    both: (context) => {
      context.from.reply('early');
      return 'returned';
    },
  },
  casts: { stop: ({ stop }) => stop() },
});

/** The peer's actor asks; resolves when the handler has run. */
async function ask(tag: string, asker: Pid = far): Promise<Pid> {
  const pid = (await server.start(kit)) as Pid;
  kit.runtime.inbound.call(asker, new Ref(PEER, 7, ++asked), 1000, pid.local, [tag, [], []]);
  await kit.settle();
  return pid;
}

it('G4 the second from.reply is false, and sends nothing', async () => {
  await ask('later');
  expect([from.reply('one'), from.reply('two'), from.reply('three')]).toEqual([true, false, false]);
  expect(frames).toEqual([[1, ReplyStatus.ok, 'one']]);
});

it('G4 so is replyTo after from.reply, from.reply after replyTo, and replyTo after replyTo', async () => {
  await ask('later');
  const { ref } = from;
  expect([replyTo(kit, ref, 'one'), from.reply('two'), replyTo(kit, ref, 'three')]).toEqual([
    true,
    false,
    false,
  ]);
  await ask('later');
  expect([from.reply('one'), replyTo(kit, from.ref, 'two')]).toEqual([true, false]);
  expect(frames).toHaveLength(2);
});

it('G4 what a handler returns after it has answered is not sent', async () => {
  await ask('both');
  expect(frames).toEqual([[1, ReplyStatus.ok, 'early']]);
});

it('G4 the end of the server is an answer, too', async () => {
  const pid = await ask('later');
  const { ref } = from;
  kit.runtime.sendExit(pid, 'over');
  await kit.settle();
  expect(frames).toEqual([[1, ReplyStatus.exit, 'over']]);
  expect([replyTo(kit, ref, 'late'), from.reply('late')]).toEqual([false, false]);
  expect(frames).toHaveLength(1);
});

it('G4 an answer that cannot be sent throws, and leaves the call open', async () => {
  await ask('later');
  expect(() => from.reply('bad')).toThrow('unsendable');
  expect([from.reply('one'), from.reply('two')]).toEqual([true, false]);
});

it('From names the calling actor, and none for code outside of actors', async () => {
  await ask('later');
  expect(from.pid?.equals(far)).toBe(true);
  await ask('later', new Pid(PEER, 0));
  expect(from.pid).toBeUndefined();
});

it('Call.from is the calling actor, and undefined for code outside of actors', async () => {
  const seen: unknown[] = [];
  const pid = kit.runtime.spawn(async (self: Self) => {
    for (;;) seen.push((await self.receive(Call)).from);
  });
  for (const asker of [far, new Pid(PEER, 0)])
    kit.runtime.inbound.call(asker, new Ref(PEER, 7, ++asked), 1000, pid.local, ['who', [], []]);
  await kit.settle();
  expect(seen).toEqual([far, undefined]);
});
