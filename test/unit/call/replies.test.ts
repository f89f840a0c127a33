// Answers to calls that are over: they have no effect, and what comes after them is not part of the call.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { request as ask, Call, ReplyStatus, type Self } from '../../../ts/actor/index.ts';
import { cellOf } from '../../../ts/kernel/index.ts';
import { Pid, Ref } from '../../../ts/term/index.ts';
import { startTestRuntime, type TestRuntime } from '../../../ts/testing/index.ts';

const PEER = 256;
const from = new Pid(PEER, 7);
const DEFAULT_MS = 5000;

let kit: TestRuntime;
let sent: [ref: number, status: ReplyStatus, value: unknown][];
beforeEach(() => {
  kit = startTestRuntime();
  sent = [];
  kit.runtime.remote.reply = (_from, ref, status, value) => void sent.push([ref.id, status, value]);
});
afterEach(() => kit.stop());

/** An actor that passes each call on to `act`. */
function server(act: (self: Self, call: Call) => unknown): Pid<never> {
  return kit.runtime.spawn(async (self: Self) => {
    for (;;) await act(self, await self.receive(Call));
  }) as Pid<never>;
}

const callFrom = (to: Pid<never>, ms: number, id = 1): void =>
  kit.runtime.inbound.call(from, new Ref(PEER, 7, id), ms, to.local, ['ask', [], [from]]);

it('G3 a second answer is refused before it is copied, and is no lost message', async () => {
  const answers: boolean[] = [];
  const pid = server((self, call) => {
    answers.push(self.runtime.replies.succeed(call, 'first'));
    answers.push(self.runtime.replies.succeed(call, () => {}));
  });
  const { self } = await kit.probe();
  expect(await ask(self, pid, 'ask')).toBe('first');
  expect(answers).toEqual([true, false]);
  expect(kit.runtime.deadLetters.total).toBe(0);
});

it('T12 an answer counts only with the whole reference of the call, and from the node that was called', async () => {
  let asked: Ref | undefined;
  const callers: unknown[] = [];
  kit.runtime.remote.call = (caller, ref) => {
    callers.push(caller);
    asked = ref;
  };
  void ask(kit.runtime, new Pid(PEER, 9) as Pid<never>, 'ask').catch(() => {});
  const { self } = await kit.probe();
  const answer = ask(self, new Pid(PEER, 9) as Pid<never>, 'ask');
  expect(callers).toEqual([null, self.pid]);
  const { nc, local, id } = asked as Ref;
  const { calls, deadLetters } = kit.runtime;
  expect(calls.answered(null, new Ref(nc, local + 1, id), ReplyStatus.ok, 'forged')).toBe(false);
  const stranger = { nc: PEER + 1, name: 'stranger@host:1' };
  expect(calls.answered(stranger, asked as Ref, ReplyStatus.ok, 'forged')).toBe(false);
  expect(deadLetters.counts.unasked).toBe(2);
  expect(calls.answered({ nc: PEER, name: 'peer@host:1' }, asked as Ref, ReplyStatus.ok, 'true')).toBe(true);
  expect(await answer).toBe('true');
  expect([calls.size, calls.remoteCount]).toEqual([1, 1]); // the other one
});

it.each([
  ...(['error', 'noproc', 'exit', 'cycle', 'overload', 'unknown'] as const).map(
    (state) => [state, ReplyStatus[state]] as const,
  ),
  ['error', 99 as ReplyStatus] as const, // of a later version
])(
  'G4 an answer of another node that says %s (%i) fails the call with it, and with its reason',
  async (state, status) => {
    let asked: Ref | undefined;
    kit.runtime.remote.call = (_from, ref) => void (asked = ref);
    const answer = ask(kit.runtime, new Pid(PEER, 9) as Pid<never>, 'ask');
    expect(kit.runtime.calls.answered(null, asked as Ref, status, ['why'])).toBe(true);
    await expect(answer).rejects.toMatchObject({ state, reason: ['why'] });
  },
);

describe('a call of another node', () => {
  /** The chain and the deadline of a call that is made after `answer`, 100 ms after the first call arrived. */
  async function nested(answer: (self: Self, call: Call) => unknown, ms = 2000) {
    let inner: Call | undefined;
    const target = server((_self, call) => void (inner = call));
    const pid = server(async (self, call) => {
      await self.sleep(100);
      answer(self, call);
      void ask(self, target, 'ask').catch(() => {});
    });
    callFrom(pid, ms);
    await kit.advance(50);
    return {
      lose: () => kit.runtime.losses.begin(PEER, 'peer@host:1'),
      pid,
      over: async () => {
        await kit.advance(50);
        return { chain: inner?.chain, deadline: inner?.deadline };
      },
    };
  }

  it.each([
    ['2000 ms', 2000, 2000],
    ['no time that is left', 20, 100],
    ['any time', Number.POSITIVE_INFINITY, 100 + DEFAULT_MS],
  ])(
    'that has %s gives its time and its chain to the calls that are made before its answer',
    async (_what, ms, deadline) => {
      const { pid, over } = await nested(() => {}, ms);
      expect(await over()).toEqual({ chain: [from, pid], deadline });
    },
  );

  it('T12 gives no actor of other nodes to the calls that are made for it', async () => {
    const chains: unknown[] = [];
    const pid = server((_self, call) => chains.push(call.chain));
    const chain = [new Pid(2 * PEER, 1), from];
    kit.runtime.inbound.call(from, new Ref(PEER, 7, 1), 1000, pid.local, ['ask', [], chain]);
    await kit.settle();
    expect(chains).toEqual([[from]]);
  });

  it('G5 leaves nothing on the actor that answered it', async () => {
    const pid = server((self, call) => self.runtime.replies.succeed(call, 'done'));
    for (let id = 1; id <= 3; id++) callFrom(pid, 1000, id);
    await kit.settle();
    expect(sent).toHaveLength(3);
    expect(cellOf(pid)?.extra?.callers ?? null).toBeNull();
  });

  it('says who calls, unless code outside of actors does', async () => {
    const callers: unknown[] = [];
    const pid = server((_self, call) => callers.push(call.from));
    for (const [id, local] of [7, 0].entries())
      kit.runtime.inbound.call(new Pid(PEER, local), new Ref(PEER, local, id), 1000, pid.local, [
        'ask',
        [],
        [],
      ]);
    await kit.settle();
    expect(callers).toEqual([from, undefined]);
  });

  it.each<[string, (self: Self, call: Call) => boolean, isLost: boolean, isOpen: boolean]>([
    ['was answered', (self, call) => self.runtime.replies.succeed(call, 'done'), false, true],
    [
      'was answered by its reference',
      (self, { ref }) => self.runtime.replies.succeed(ref, 'done'),
      false,
      true,
    ],
    ['was answered too late', (self, call) => self.runtime.replies.succeed(call, 'done'), true, false],
  ])('gives neither to those that are made when it %s', async (_how, answer, isLost, isOpen) => {
    let accepted: boolean | undefined;
    const { pid, lose, over } = await nested((self, call) => (accepted = answer(self, call)));
    if (isLost) lose();
    expect(await over()).toEqual({ chain: [pid], deadline: 100 + DEFAULT_MS });
    expect(accepted).toBe(isOpen);
    expect(sent).toEqual(isOpen ? [[1, ReplyStatus.ok, 'done']] : []);
  });

  it('G3 that was answered is not answered again when its reference is in use for another one', async () => {
    const calls: Call[] = [];
    const pid = server((_self, call) => void calls.push(call));
    const { replies } = kit.runtime;
    callFrom(pid, 1000);
    await kit.settle();
    const [first] = calls as [Call];
    expect(replies.succeed(first.ref, 'first')).toBe(true);
    callFrom(pid, 1000);
    await kit.settle();
    expect(replies.succeed(first.ref, 'again')).toBe(false);
    expect(replies.succeed(first, 'again')).toBe(false);
    expect(replies.succeed(calls[1] as Call, 'second')).toBe(true);
    expect(sent.map(([, , value]) => value)).toEqual(['first', 'second']);
  });
});
