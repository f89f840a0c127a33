// The calls of other nodes that wait for an answer: how many of one peer, and how much memory they may take.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ReplyStatus, type Self } from '../../../ts/actor/index.ts';
import { InboundCalls } from '../../../ts/call/index.ts';
import { cellOf } from '../../../ts/kernel/index.ts';
import { Pid, Ref } from '../../../ts/term/index.ts';
import type { TestRuntime } from '../../../ts/testing/index.ts';
import { NC, OTHER_NC, PeerCalls } from './peer-calls.ts';

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

describe('open calls of a peer', () => {
  it('P7 are limited: more are answered with overload, those of other peers are not', async () => {
    const server = kit.runtime.spawn(async (self: Self) => void (await self.receive('never'))) as Pid<never>;
    for (let id = 1; id <= 5; id++) arrive(server, id, ['ask', [], []], NC, 1000);
    arrive(server, 6, ['ask', [], []], OTHER_NC, 1000);
    arrive(server, 7, ['$snowmesh.stop', ['late'], []]);
    expect(answers).toEqual([
      [5, 'overload', undefined],
      [7, 'overload', undefined],
    ]);
    // Their callers have given up: they count no more.
    await kit.advance(1000);
    arrive(server, 8, ['ask', [], []], NC, 1000);
    expect(answers).toHaveLength(2);
    expect(calls.size).toBe(1);
  });

  it('P7 beyond the limit are looked through at most once a second', async () => {
    const server = kit.runtime.spawn(async (self: Self) => void (await self.receive('never'))) as Pid<never>;
    for (let id = 1; id <= 5; id++) arrive(server, id, ['ask', [], []], NC, 10);
    await kit.advance(999);
    arrive(server, 6, ['ask', [], []], NC, 10);
    expect(answers.map(([id, status]) => `${id} ${status}`)).toEqual(['5 overload', '6 overload']);
    await kit.advance(1);
    arrive(server, 7, ['ask', [], []], NC, 10);
    expect(answers).toHaveLength(2);
  });

  it('P7 are looked through only when they have doubled', async () => {
    const server = kit.runtime.spawn(async (self: Self) => void (await self.receive('never'))) as Pid<never>;
    const many = new InboundCalls(kit.runtime, kit.runtime.sender);
    const clock = vi.spyOn(kit.runtime, 'now');
    for (let id = 1; id <= 5000; id++)
      many.arrive(cellOf(server), new Pid(NC, 1), new Ref(NC, 1, id), 1000, ['ask', [], []]);
    // Once for each call, and for each look.
    expect(clock.mock.calls.length).toBeLessThan(5010);
  });

  it('P7 with one reference twice count once', async () => {
    const server = kit.runtime.spawn(async (self: Self) => void (await self.receive('never'))) as Pid<never>;
    for (let n = 0; n < 20; n++) arrive(server, 1, ['ask', [], []]);
    for (let id = 2; id <= 4; id++) arrive(server, id, ['ask', [], []]);
    expect(answers).toEqual([]);
    drop(NC);
    expect(calls.size).toBe(0);
    for (let id = 1; id <= 4; id++) arrive(server, id, ['ask', [], []]);
    expect(answers).toEqual([]);
  });

  it('hold no arguments that the server has taken and forgotten', async () => {
    const { gc } = globalThis as { gc?: () => void };
    if (gc === undefined) throw new Error('run with --expose-gc');
    let taken = 0;
    const server = kit.runtime.spawnHandler(() => ({ onMessage: () => void taken++ })) as Pid<never>;
    const args = [1, 2, 3].map((id) => {
      const arg = new Uint8Array(1000);
      arrive(server, id, ['ask', [arg], []]);
      return new WeakRef(arg);
    });
    await kit.settle();
    await nextTurn();
    gc();
    expect([taken, calls.size]).toEqual([3, 3]);
    expect(args.filter((arg) => arg.deref() !== undefined)).toEqual([]);
  });
});

describe('P7 the memory of what one peer asks and gets no answer to is limited', () => {
  const long = (id: number, length: number): unknown[] => ['ask', [new Uint8Array(length), id], []];
  const overloaded = (): number[] => answers.filter(([, status]) => status === 'overload').map(([id]) => id);
  let to: Pid<never>;
  beforeEach(() => void (to = kit.runtime.spawn(() => new Promise(() => {})) as Pid<never>));

  it('together with stops, and for each peer; a single call may take more', () => {
    arrive(to, 1, long(1, 20_000));
    arrive(to, 2, ['ask', [], []]);
    arrive(to, 3, ['$snowmesh.stop', ['why'], []]);
    arrive(to, 4, long(4, 8000), OTHER_NC);
    arrive(to, 5, ['$snowmesh.stop', ['x'.repeat(8000)], []], OTHER_NC);
    expect(overloaded()).toEqual([2, 3, 5]);
  });

  it('and an answer, a deadline, the end of the target and the loss of the peer make room', async () => {
    const full = (id: number): void => {
      arrive(to, id, ['ask', [], []]);
      expect(overloaded()).toEqual([id]);
      answers.length = 0;
    };
    arrive(to, 1, long(1, 20_000));
    full(2);
    calls.reply(new Ref(NC, 1, 1), ReplyStatus.ok, 'answer');
    arrive(to, 3, long(3, 20_000), NC, 10);
    full(4);
    await kit.advance(2000);
    const other = kit.runtime.spawn(() => new Promise(() => {})) as Pid<never>;
    arrive(other, 5, long(5, 20_000));
    full(6);
    kit.runtime.sendExit(other, 'kill');
    arrive(to, 7, long(7, 20_000));
    full(8);
    drop(NC);
    arrive(to, 9, long(9, 20_000));
    expect(overloaded()).toEqual([]);
  });
});
