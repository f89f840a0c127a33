// `sendWait` of another node: its message is answered when it is in the mailbox, or refused.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ReplyStatus, type Self } from '../../../ts/actor/index.ts';
import type { InboundCalls } from '../../../ts/call/index.ts';
import { Pid, Ref } from '../../../ts/term/index.ts';
import type { TestRuntime } from '../../../ts/testing/index.ts';
import { FOR_EVER, NC, OTHER_NC, PeerCalls } from './peer-calls.ts';

let kit: TestRuntime;
let calls: InboundCalls;
let answers: PeerCalls['answers'];
let arrive: PeerCalls['arrive'];
let drop: PeerCalls['drop'];
beforeEach(() => {
  const peer = new PeerCalls();
  ({ kit, calls, answers } = peer);
  arrive = peer.arrive.bind(peer);
  drop = peer.drop.bind(peer);
});
afterEach(() => kit.stop());

const message = (to: Pid<never>, id: number, nc = NC): void =>
  arrive(to, id, ['$snowmesh.send', [id], []], nc);

/** An actor that takes one message each time it is told to. */
async function inbox(mailbox: { max: number; policy: 'block' | 'drop-new' }) {
  const got: unknown[] = [];
  let alias!: Ref;
  const steps: (() => void)[] = [];
  const pid = kit.runtime.spawnWith({ mailbox }, async (self: Self<unknown>) => {
    alias = self.alias();
    for (;;) {
      await new Promise<void>((resolve) => steps.push(resolve));
      got.push(await self.receive());
    }
  }) as Pid<never>;
  await kit.settle();
  const take = async (): Promise<void> => {
    steps.pop()?.();
    await kit.settle();
  };
  return { pid, got, take, alias };
}

describe('the loss of a node', () => {
  const call = (to: Pid<never>, id: number, nc: number): void => arrive(to, id, ['tag', [], []], nc);
  const open = (): Pid<never> => kit.runtime.spawn(() => new Promise(() => {})) as Pid<never>;

  it('P6 looks at no call behind the last one of that node', () => {
    const to = open();
    call(to, 1, OTHER_NC);
    call(to, 2, NC);
    for (const id of [3, 4]) call(to, id, OTHER_NC);
    expect(Array.from(calls.nodeLost(NC))).toHaveLength(2);
    expect([1, 2, 3, 4].filter((id) => calls.targetOf(new Ref(OTHER_NC, 1, id)))).toEqual([1, 3, 4]);
    expect(calls.size).toBe(3);
  });

  it('drops no call that arrives while it is under way', () => {
    const to = open();
    for (const id of [1, 2]) call(to, id, NC);
    const steps = calls.nodeLost(NC);
    steps.next();
    call(to, 3, NC);
    expect(Array.from(steps)).toHaveLength(1);
    expect(calls.size).toBe(1);
    expect(calls.targetOf(new Ref(NC, 1, 3))?.pid).toEqual(to);
  });
});

describe('a message of sendWait', () => {
  it('P7 takes of the memory that its node has for calls as long as it waits', async () => {
    const { pid, take } = await inbox({ max: 1, policy: 'block' });
    kit.runtime.send<unknown>(pid as Pid<unknown>, 'first');
    arrive(pid, 1, ['$snowmesh.send', ['x'.repeat(20_000)], []]);
    arrive(pid, 2, ['ask', [], []]);
    expect(answers).toEqual([[2, 'overload', undefined]]);
    await take();
    await take();
    arrive(pid, 3, ['ask', [], []]);
    expect(answers.slice(1)).toEqual([[1, 'ok', true]]);
  });

  it('is answered at once by a mailbox without the policy block: the next ones need no answer', async () => {
    const { pid } = await inbox({ max: 1, policy: 'drop-new' });
    const unlimited = kit.runtime.spawn(() => new Promise(() => {})) as Pid<never>;
    message(pid, 1);
    message(unlimited, 2);
    expect(answers).toEqual([
      [1, 'ok', false],
      [2, 'ok', false],
    ]);
    expect([kit.mailbox(pid), kit.mailbox(unlimited)]).toEqual([[1], [2]]);
  });

  it('P7 is refused when too many bytes of its node wait, also for other mailboxes; what enters makes room', async () => {
    const limit = { max: 1, policy: 'block' } as const;
    const [one, other] = [await inbox(limit), await inbox(limit)];
    for (const { pid } of [one, other]) kit.runtime.send<unknown>(pid as Pid<unknown>, 'first');
    const long = (to: Pid<never>, id: number, bytes: number, nc = NC): void =>
      arrive(to, id, ['$snowmesh.send', [id], []], nc, FOR_EVER, bytes);
    long(one.pid, 1, 1000); // one alone may be longer than all together
    long(other.pid, 2, 1);
    long(other.pid, 3, 90, OTHER_NC);
    expect(answers).toEqual([[2, 'overload', undefined]]);
    await one.take();
    expect(answers).toContainEqual([1, 'ok', true]);
    long(other.pid, 4, 100);
    expect(answers).toHaveLength(2);
  });

  it('P7 counts for its node as long as it waits, and no longer', async () => {
    const limit = { max: 1, policy: 'block' } as const;
    const [one, other] = [await inbox(limit), await inbox(limit)];
    for (const { pid } of [one, other]) kit.runtime.send<unknown>(pid as Pid<unknown>, 'first');
    const long = (to: Pid<never>, id: number, bytes: number): void =>
      arrive(to, id, ['$snowmesh.send', [id], []], NC, FOR_EVER, bytes);
    long(one.pid, 1, 90);
    long(one.pid, 2, 10); // as much as may wait
    expect(answers).toEqual([]);
    long(other.pid, 3, 1);
    expect(answers).toEqual([[3, 'overload', undefined]]);
    await one.take();
    expect(answers.at(-1)).toEqual([1, 'ok', true]);
    long(other.pid, 4, 91);
    expect(answers.at(-1)).toEqual([4, 'overload', undefined]);
    long(other.pid, 5, 90);
    expect(answers).toHaveLength(3);
  });

  it('is answered when there is room, in turn, and never lost', async () => {
    const { pid, got, take } = await inbox({ max: 1, policy: 'block' });
    for (const id of [1, 2, 3]) message(pid, id);
    expect(answers).toEqual([[1, 'ok', true]]);
    for (const expected of [[1], [1, 2], [1, 2, 3]]) {
      await take();
      expect(got).toEqual(expected);
    }
    expect(answers.map(([id, status]) => `${id} ${status}`)).toEqual(['1 ok', '2 ok', '3 ok']);
    expect(kit.runtime.deadLetters.total).toBe(0);
    expect(calls.size).toBe(0);
  });

  it('is refused when too many wait for that mailbox, or of that peer', async () => {
    const one = await inbox({ max: 1, policy: 'block' });
    for (const id of [1, 2, 3, 4]) message(one.pid, id);
    expect(answers).toEqual([
      [1, 'ok', true],
      [4, 'overload', undefined],
    ]);
    const [two, three] = [await inbox({ max: 1, policy: 'block' }), await inbox({ max: 1, policy: 'block' })];
    for (const id of [5, 6, 7]) message(two.pid, id);
    answers.length = 0;
    message(three.pid, 8);
    message(three.pid, 9);
    message(three.pid, 10, OTHER_NC);
    expect(answers).toEqual([
      [8, 'ok', true],
      [9, 'overload', undefined],
    ]);
  });

  it('of a lost node gives its place to the next', async () => {
    const { pid, got, take } = await inbox({ max: 1, policy: 'block' });
    message(pid, 1);
    message(pid, 2);
    message(pid, 3, OTHER_NC);
    drop(NC);
    await take();
    await take();
    expect(got).toEqual([1, 3]);
    expect(answers.map(([id]) => id)).toEqual([1, 3]);
  });

  it('of a node that is lost when there is room is not taken any more', async () => {
    const got: unknown[] = [];
    const body = {
      onMessage(message: unknown): void {
        got.push(message);
        drop(NC); // the next message has got its place and has not come in yet
      },
    };
    const spec = { kind: 'handler', name: 'slow', init: () => body } as const;
    const pid = kit.runtime.spawnWith({ mailbox: { max: 1, policy: 'block' } }, spec) as Pid<never>;
    message(pid, 1);
    message(pid, 2);
    await kit.settle();
    expect(got).toEqual([1]);
    expect(answers.map(([id]) => id)).toEqual([1]);
  });

  it('of a lost node makes room among those that may wait', async () => {
    const { pid } = await inbox({ max: 1, policy: 'block' });
    for (const id of [1, 2, 3]) message(pid, id);
    drop(NC);
    answers.length = 0;
    for (const id of [4, 5, 6]) message(pid, id, OTHER_NC);
    expect(answers).toEqual([[6, 'overload', undefined]]);
  });

  it('ends with the actor', async () => {
    const { pid } = await inbox({ max: 1, policy: 'block' });
    message(pid, 1);
    message(pid, 2);
    kit.runtime.sendExit(pid, 'kill');
    await kit.settle();
    message(pid, 3);
    expect(answers).toEqual([
      [1, 'ok', true],
      [2, 'exit', 'killed'],
      [3, 'noproc', undefined],
    ]);
    // The second and the third message; the first one had arrived.
    expect(kit.runtime.deadLetters.counts).toMatchObject({ noproc: 2, unread: 1 });
  });

  it('for an alias reaches its owner while the alias is active', async () => {
    const { pid, alias } = await inbox({ max: 3, policy: 'block' });
    const stranger = await inbox({ max: 3, policy: 'block' });
    arrive(pid, 1, ['$snowmesh.send', ['by alias', alias], []]);
    arrive(stranger.pid, 2, ['$snowmesh.send', ['of another', alias], []]);
    arrive(pid, 3, ['$snowmesh.send', ['no alias', 'text'], []]);
    expect([...kit.mailbox(pid), ...kit.mailbox(stranger.pid)]).toEqual(['by alias']);
    expect(kit.runtime.deadLetters.counts).toMatchObject({ alias: 2 });
  });
});

describe('sendWait to another node', () => {
  const far = (): Pid<unknown> => new Pid(NC, 5) as Pid<unknown>;

  /** Answers each message, and counts those that need no answer. */
  function answerWith(status: ReplyStatus, value?: unknown): { answered: number; plain: number } {
    const seen = { answered: 0, plain: 0 };
    kit.runtime.remote.callInSlices = (_from, ref) => {
      seen.answered++;
      queueMicrotask(() => kit.runtime.calls.answered(null, ref, status, value));
      return undefined;
    };
    kit.runtime.remote.sendInSlices = () => {
      seen.plain++;
      return undefined;
    };
    return seen;
  }

  it('rejects when the message is refused', async () => {
    answerWith(ReplyStatus.overload);
    await expect(kit.runtime.sendWait(far(), 1)).rejects.toMatchObject({
      code: 'SNOW_ERR_CALL_OVERLOAD',
      tag: 'sendWait',
    });
    expect(kit.runtime.calls.size).toBe(0);
  });

  it.each(['exit', 'noproc'] as const)('resolves when the target is gone: %s', async (status) => {
    answerWith(ReplyStatus[status], 'killed');
    await expect(kit.runtime.sendWait(far(), 1)).resolves.toBeUndefined();
    expect(kit.runtime.calls.size).toBe(0);
  });

  it.each(['an actor', 'code outside of actors'])(
    'resolves when %s sent, and it is in the mailbox',
    async (who) => {
      const sent: [Ref, unknown][] = [];
      kit.runtime.remote.callInSlices = (_from, ref, _to, request) => void sent.push([ref, request]);
      const sender = who === 'an actor' ? (await kit.probe()).self : kit.runtime;
      const named = { name: 'x', node: 'far@host:1' };
      const inMailbox = [sender.sendWait(far(), 1), sender.sendWait(named, 1)];
      await kit.settle();
      expect(sent.map(([, request]) => request)).toEqual([1, 2].map(() => ['$snowmesh.send', [1], []]));
      expect(kit.runtime.calls.remoteCount).toBe(2);
      for (const [ref] of sent) kit.runtime.calls.answered(null, ref, ReplyStatus.ok, true);
      expect(await Promise.all(inMailbox)).toEqual([undefined, undefined]);
      expect([kit.runtime.calls.size, kit.runtime.calls.remoteCount]).toEqual([0, 0]);
    },
  );

  it('to an alias goes to its actor, and says which alias', async () => {
    const sent: unknown[] = [];
    kit.runtime.remote.callInSlices = (_from, ref, to, request) => {
      sent.push(String(to), request);
      queueMicrotask(() => kit.runtime.calls.answered(null, ref, ReplyStatus.ok, true));
      return undefined;
    };
    const alias = new Ref(NC, 5, 9);
    await kit.runtime.sendWait(alias, 'hello');
    expect(sent).toEqual([String(new Pid(NC, 5)), ['$snowmesh.send', ['hello', alias], []]]);
  });

  it('P7 knows of so many mailboxes only that they do not make it wait', async () => {
    const seen = answerWith(ReplyStatus.ok, false);
    const send = (local: number): Promise<void> =>
      kit.runtime.sendWait(new Pid(NC, local) as Pid<unknown>, 1);
    for (let local = 1; local <= 4097; local++) await send(local);
    await send(2);
    expect(seen).toEqual({ answered: 4097, plain: 1 });
    await send(1);
    expect(seen).toEqual({ answered: 4098, plain: 1 });
  });

  it('that fails on its way leaves nothing behind', async () => {
    kit.runtime.remote.callInSlices = () => Promise.reject(new Error('too large'));
    await expect(kit.runtime.sendWait(far(), 1)).rejects.toThrow('too large');
    expect(kit.runtime.calls.remoteCount).toBe(0);
  });

  it('A4 is not an unhandled rejection when its node is lost while slices are copied', async () => {
    let copied!: () => void;
    kit.runtime.remote.callInSlices = () => new Promise<void>((resolve) => (copied = resolve));
    const sent = kit.runtime.sendWait(far(), 1);
    await kit.settle();
    kit.runtime.losses.begin(NC, 'peer@host:1');
    await kit.settle();
    copied();
    await sent;
    expect(kit.runtime.deadLetters.counts.noconnection).toBe(1);
  });

  it('A7 leaves nothing behind when its sender ends while slices are copied', async () => {
    let copied!: () => void;
    kit.runtime.remote.callInSlices = () => new Promise<void>((resolve) => (copied = resolve));
    const { self } = await kit.probe();
    void self.sendWait(far(), 1);
    await kit.settle();
    expect(kit.runtime.calls.remoteCount).toBe(1);
    kit.runtime.sendExit(self.pid as Pid, 'kill');
    copied();
    await kit.settle();
    expect(kit.runtime.calls.remoteCount).toBe(0);
  });

  it('waits for an answer each time only while the mailbox can make it wait', async () => {
    for (const [isBlocking, expected] of [
      [true, { answered: 3, plain: 0 }],
      [false, { answered: 1, plain: 2 }],
    ] as const) {
      const seen = answerWith(ReplyStatus.ok, isBlocking);
      for (let n = 0; n < 3; n++) await kit.runtime.sendWait(far(), n); // each message brings the PID in another object
      expect(seen).toEqual(expected);
    }
  });
});

describe('a request of a peer', () => {
  const none = [undefined, null, 1, '$snowmesh.send', {}, [], ['ask'], ['ask', []], [1, [], []]];
  const odd = [...none, ['ask', {}, []], ['ask', [], {}], ['ask', [], [1]]];

  it('that is none is refused, whatever it is, and has no effect', async () => {
    const server = kit.runtime.spawn(() => new Promise(() => {})) as Pid<never>;
    for (const request of odd) arrive(server, 1, request);
    kit.runtime.sendExit(server, 'kill');
    await kit.settle();
    for (const request of [...odd, ['ask', [], []]]) arrive(server, 2, request);
    expect(answers).toEqual([
      ...odd.map(() => [1, 'unknown', undefined]),
      ...[...odd, 'ask'].map(() => [2, 'noproc', undefined]),
    ]);
    expect([calls.size, kit.runtime.deadLetters.total]).toEqual([0, 0]);
  });

  it('I6 that stops an actor is answered by its end, as are calls that it has not answered', async () => {
    const server = kit.runtime.spawnHandler(() => ({ onMessage() {} })) as Pid<never>;
    arrive(server, 1, ['ask', [], []]);
    arrive(server, 2, ['$snowmesh.stop', ['over'], []]);
    await kit.settle();
    expect(answers.toSorted()).toEqual([
      [1, 'exit', 'over'],
      [2, 'exit', 'over'],
    ]);
    expect([calls.size, kit.runtime.deadLetters.total]).toEqual([0, 0]);
  });

  it('P7 that is refused for a full mailbox is not kept', async () => {
    const { pid } = await inbox({ max: 1, policy: 'drop-new' });
    kit.runtime.send<unknown>(pid as Pid<unknown>, 'first');
    arrive(pid, 1, ['ask', [], []]);
    expect(answers).toEqual([[1, 'overload', undefined]]);
    expect([calls.size, kit.mailbox(pid)]).toEqual([0, ['first']]);
  });
});
