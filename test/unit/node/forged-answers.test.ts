// A peer that answers what another node, or nobody, was asked. Its frames carry the right references: it was told them.
import fc from 'fast-check';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Down, request, type Self } from '../../../ts/actor/index.ts';
import type { Cluster } from '../../../ts/node/cluster.ts';
import { Pid } from '../../../ts/term/index.ts';
import type { TestRuntime } from '../../../ts/testing/index.ts';
import { FrameTag } from '../../../ts/wire/index.ts';
import { openScripted } from './scripted-cluster.ts';
import { Body, type ScriptedNative, type Sent } from './scripted-native.ts';

const ASKED = { session: 1, nc: 0x101, name: 'asked@127.0.0.1:4001' };
const HOSTILE = { session: 2, nc: 0x201, name: 'hostile@127.0.0.1:4002' };
const LOCAL = 5;
/** Small integers as terms. */
const term = (value: number): Uint8Array => new Uint8Array([2, 0x40 + value]);

let kit: TestRuntime;
let native: ScriptedNative;
let cluster: Cluster;
beforeEach(() => {
  ({ kit, native, cluster } = openScripted('me@127.0.0.1:4000'));
  for (const { session, nc, name: peer } of [ASKED, HOSTILE]) native.up(session, nc, peer);
});
afterEach(async () => {
  kit.stop();
  await cluster.close();
});

const asked = (): Pid => new Pid(ASKED.nc, LOCAL);

/** The frames with that tag that went to the node that is asked. */
const sent = (tag: number): Sent[] => {
  kit.runtime.remote.flush();
  return native.sent.filter((frame) => frame.tag === tag && frame.session === ASKED.session);
};

/** The reference of a question, as the peer reads it, or a reference of the peer itself. */
const refOf = ({ body }: Sent, { from, guess }: Answer): [owner: bigint, id: bigint] =>
  guess === undefined
    ? [body.readBigUInt64LE(8), body.readBigUInt64LE(16)]
    : [(BigInt(from.nc) << 40n) | (body.readBigUInt64LE(8) & 0xff_ffff_ffffn), guess];

const unasked = (): number => kit.runtime.deadLetters.counts.unasked;

interface Answer {
  readonly from: typeof ASKED;
  /** Whose actor a spawn says to have made. */
  readonly of?: typeof ASKED;
  readonly value: number;
  /** The id of a reference of its own under which it answers, instead of the reference that it was told. */
  readonly guess?: bigint;
}

/** An actor asks in one way; `answer` is the frame that answers it. */
interface Question {
  ask(self: Self): Promise<unknown>;
  answer(answer: Answer): void;
  /** What the asker gets for the value. */
  outcome(value: number): unknown;
}

const QUESTIONS: Record<string, () => Question> = {
  call: () => ({
    ask: (self) => request(self, asked() as never, 'get', [], { timeout: Number.POSITIVE_INFINITY }),
    answer(answer) {
      const { from, value } = answer;
      const [owner, id] = refOf(sent(FrameTag.CALL)[0]!, answer);
      native.emit(FrameTag.REPLY, from.session, new Body().u64(owner).u64(id).u8(0).bytes(term(value)));
    },
    outcome: (value) => value,
  }),
  monitor: () => ({
    async ask(self) {
      self.monitor(asked());
      return (await self.receive((message): message is Down => message instanceof Down)).reason;
    },
    answer(answer) {
      const { from, value } = answer;
      const frame = sent(FrameTag.MONITOR)[0]!;
      const [owner, id] = refOf(frame, answer);
      const body = new Body().u64(frame.body.readBigUInt64LE(0)).u64(owner).u64(id).bytes(term(value));
      native.emit(FrameTag.MONITOR_EXIT, from.session, body);
    },
    outcome: (value) => value,
  }),
  spawn: () => ({
    async ask(self) {
      const spec = { kind: 'function', name: 'worker', what: () => {} } as never;
      return (await self.spawnOn(ASKED.name, spec, [])).pid.local;
    },
    answer(answer) {
      const { from, of = from, value } = answer;
      const frame = sent(FrameTag.SPAWN)[0]!;
      const [owner, id] = refOf(frame, answer);
      const child = (BigInt(of.nc) << 40n) | BigInt(value);
      const body = new Body().u64(frame.body.readBigUInt64LE(0)).u64(owner).u64(id).u8(0).u64(child);
      native.emit(FrameTag.SPAWN_REPLY, from.session, body.bytes(term(0)));
    },
    outcome: (value) => value,
  }),
};

it.each(Object.keys(QUESTIONS))(
  'T12 an answer to a %s counts only from the node that was asked, once',
  async (kind) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ isHostile: fc.boolean(), value: fc.integer({ min: 1, max: 9 }) }), {
          maxLength: 8,
        }),
        async (answers) => {
          native.sent.length = 0;
          const before = unasked();
          const question = QUESTIONS[kind]!();
          const outcomes: unknown[] = [];
          const pid = kit.runtime.spawn(async (self: Self) => {
            outcomes.push(await question.ask(self));
          });
          await kit.settle();
          for (const { isHostile, value } of answers) {
            question.answer({ from: isHostile ? HOSTILE : ASKED, value });
            await kit.settle();
          }
          await kit.settle();
          const first = answers.find(({ isHostile }) => !isHostile);
          expect(outcomes).toEqual(first === undefined ? [] : [question.outcome(first.value)]);
          // What comes after the answer is late, whoever sent it.
          expect(unasked() - before).toBe(first === undefined ? answers.length : answers.indexOf(first));
          kit.runtime.sendExit(pid, 'kill');
          await kit.settle();
        },
      ),
      { numRuns: 50 },
    );
  },
);

it('T12 a child that is not of the node that answers is ignored, and counted', async () => {
  const question = QUESTIONS['spawn']!();
  const outcomes: unknown[] = [];
  kit.runtime.spawn(async (self: Self) => void outcomes.push(await question.ask(self)));
  await kit.settle();
  question.answer({ from: HOSTILE, of: ASKED, value: 3 });
  question.answer({ from: ASKED, of: HOSTILE, value: 4 });
  await kit.settle();
  expect(outcomes).toEqual([]);
  expect(unasked()).toBe(2);
  question.answer({ from: ASKED, value: 5 });
  await kit.settle();
  expect(outcomes).toEqual([question.outcome(5)]);
});

it('T12 a call and a monitor that stay on this node are answered by no peer', async () => {
  const other = kit.runtime.spawn(async (self: Self) => void (await self.receive()));
  const reasons: unknown[] = [];
  let owner = 0n;
  let ref = 0n;
  kit.runtime.spawn(async (self: Self) => {
    const made = self.monitor(other);
    owner = BigInt(self.pid.local);
    self.send(asked() as Pid<unknown>, made); // the peer is told the reference
    for (;;) reasons.push(((await self.receive()) as Down).reason);
  });
  await kit.settle();
  const { body } = sent(FrameTag.SEND)[0]!;
  ref = body.readBigUInt64LE(8 + 2 + 8);
  native.emit(FrameTag.MONITOR_EXIT, ASKED.session, new Body().u64(owner).u64(owner).u64(ref).bytes(term(1)));
  await kit.settle();
  expect(reasons).toEqual([]);
  expect(unasked()).toBe(1);
  kit.runtime.sendExit(other, 'gone');
  await kit.settle();
  expect(reasons).toEqual(['gone']);
});

it.each([
  ['MONITOR', new Body().u64(1n)],
  ['CALL', new Body().u64(1n)],
])('T12 %s with the reference of a third node is ignored: that node did not ask', (name) => {
  const theirs = (BigInt(HOSTILE.nc) << 40n) | 9n;
  const third = (BigInt(ASKED.nc) << 40n) | 9n;
  const head = new Body().u64(theirs).u64(third).u64(7n);
  const before = native.sent.length;
  if (name === 'MONITOR') native.emit(FrameTag.MONITOR, HOSTILE.session, head.u8(0).u64(99n));
  else native.emit(FrameTag.CALL, HOSTILE.session, head.u32(10).u64(99n).bytes(term(0)));
  kit.runtime.remote.flush();
  expect(native.sent.length).toBe(before);
  expect(unasked()).toBe(1);
});

it.each(Object.keys(QUESTIONS))(
  'T12 an answer to a %s counts under its reference only, not one of the peer',
  async (kind) => {
    const question = QUESTIONS[kind]!();
    const outcomes: unknown[] = [];
    kit.runtime.spawn(async (self: Self) => {
      outcomes.push(await question.ask(self));
    });
    await kit.settle();
    // This node counts its references, and encrypts the ids of its own only.
    for (let guess = 0n; guess < 100n; guess++) question.answer({ from: ASKED, value: 1, guess });
    await kit.settle();
    expect(outcomes).toEqual([]);
    question.answer({ from: ASKED, value: 2 });
    await kit.settle();
    expect(outcomes).toEqual([question.outcome(2)]);
  },
);
