// Answers to calls that are over: they have no effect, and what comes after them is not part of the call.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { request as ask, Call, ReplyStatus, type Self } from '../../../ts/actor/index.ts';
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

describe('a call of another node', () => {
  /** The chain and the deadline of a call that is made after `answer`, 100 ms after the first call arrived. */
  async function nested(answer: (self: Self, call: Call) => unknown) {
    let inner: Call | undefined;
    const target = server((_self, call) => void (inner = call));
    const pid = server(async (self, call) => {
      await self.sleep(100);
      answer(self, call);
      void ask(self, target, 'ask').catch(() => {});
    });
    callFrom(pid, 2000);
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

  it('gives its time and its chain to the calls that are made before its answer', async () => {
    const { pid, over } = await nested(() => {});
    expect(await over()).toEqual({ chain: [from, pid], deadline: 2000 });
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
