// Rings of waiting actors over several nodes (G4): the other nodes are imitated by what their probes say.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type CallError,
  type RemotePort,
  ReplyStatus,
  type RingProbe,
  type Self,
  start,
} from '../../../ts/actor/index.ts';
import { callWith, cast, defineServer } from '../../../ts/behaviour/index.ts';
import { PEER_PARTS } from '../../../ts/call/ring-search.ts';
import { MAX_RING, MAX_STEPS } from '../../../ts/call/wait-graph.ts';
import { Pid, Ref } from '../../../ts/term/index.ts';
import { startTestRuntime, type TestRuntime } from '../../../ts/testing/index.ts';

const FOR_EVER = Number.POSITIVE_INFINITY;
const Q = 256;
const R = 512;
const NODES: Record<number, string> = { [Q]: 'q@h:1', [R]: 'r@h:1' };
/** The actor of node R that waits for p. */
const r = new Pid(R, 5);
const itsCall = new Ref(R, 5, 77, 3);

let kit: TestRuntime;
let sent: { node: number | string; probe: RingProbe }[];
let outcomes: unknown[];
let p: Pid<never>;
beforeEach(async () => {
  kit = startTestRuntime();
  sent = [];
  outcomes = [];
  kit.runtime.remote = {
    ...kit.runtime.remote,
    nodeName: 'm@h:1',
    call: () => {},
    reply: () => {},
    spawn: () => {},
    nodeOf: ({ nc }) => NODES[nc],
    probe: (node, probe) => void sent.push({ node, probe }),
  };
  p = await asker.startWith(kit, { name: 'p' });
});
afterEach(() => kit.stop());

const asker = defineServer({
  name: 'asker',
  init: () => ({}),
  calls: { hello: () => 'hello' },
  casts: {
    ask: async ({ self }, name: string, node: string) => {
      const answer = callWith(self, { timeout: FOR_EVER }, { name, node }, 'hello');
      outcomes.push(await answer.catch(({ state, reason }: CallError) => [state, reason]));
    },
  },
});

/** p calls q by name, and r has called p. */
async function waits(): Promise<void> {
  cast(kit, 'p', 'ask', 'q', 'q@h:1');
  await kit.settle();
  calls(itsCall);
  await kit.settle();
}

function calls(ref: Ref, ms = FOR_EVER): void {
  kit.runtime.inbound.call(r, ref, ms, p.local, ['hello', [], [r]]);
}

const q = new Pid(Q, 9);
const throughQ = new Ref(Q, 9, 4, 1);

/** What a probe becomes on its way over q and r, when both wait. */
function round(probe: RingProbe, followed = itsCall): RingProbe {
  const [kind, first, , , way, number] = probe;
  return [kind, first, followed, 500, [...way, q, throughQ, r, followed], number];
}

const arrive = (probe: unknown, nc = R): void => kit.runtime.rings.arrived(nc, probe);

async function probed(index: number): Promise<RingProbe> {
  await kit.settle();
  return sent[index]?.probe as RingProbe;
}

describe('a wait for another node', () => {
  it('G4 is probed when it lasts, then each time its age has doubled', async () => {
    await kit.advance(1000); // the age of a wait is not that of the runtime
    await waits();
    await kit.advance(49);
    expect(sent).toEqual([]);
    await kit.advance(1);
    expect(sent).toHaveLength(1);
    const { node, probe } = sent[0] as (typeof sent)[0];
    const [kind, first, followed, , way, number] = probe;
    expect({ node, kind, number }).toEqual({ node: 'q@h:1', kind: 'call', number: null });
    expect(first.equals(followed)).toBe(true);
    expect(way).toEqual([p, first]);
    await kit.advance(10_000);
    expect(sent).toHaveLength(8);
  });

  it('G4 is probed when its actor does not run yet, and its starter waits', async () => {
    const curious = defineServer({
      name: 'curious',
      init: (self) => callWith(self, { timeout: FOR_EVER }, { name: 'q', node: 'q@h:1' }, 'hello'),
    });
    kit.runtime.spawn(async (self: Self) => void (await curious.start(self)));
    await kit.advance(50);
    expect(sent).toHaveLength(1);
  });

  it('G4 is not probed when nobody waits for its actor', async () => {
    cast(kit, 'p', 'ask', 'q', 'q@h:1');
    await kit.advance(10_000);
    expect(sent).toEqual([]);
  });

  it('G4 is not probed while its actor receives', async () => {
    const receiver = kit.runtime.spawn(async (self: Self) => {
      const answer = callWith(self, { timeout: FOR_EVER }, { name: 'q', node: 'q@h:1' }, 'hello');
      outcomes.push(await self.receive('go'));
      await answer;
    });
    await kit.settle();
    kit.runtime.inbound.call(r, itsCall, FOR_EVER, receiver.local, ['hello', [], [r]]);
    await kit.advance(10_000);
    expect(sent).toEqual([]);
    kit.runtime.send<unknown>(receiver, 'go');
    await kit.advance(20_000);
    expect(sent).not.toEqual([]);
  });
});

describe('a ring over nodes', () => {
  it('G4 fails a call when the probe of a second round comes back on the same way', async () => {
    await waits();
    await kit.advance(50);
    arrive(round(await probed(0)));
    const second = await probed(1);
    expect(second[5]).toBeInstanceOf(Ref);
    expect(outcomes).toEqual([]);
    arrive(round(second));
    await kit.settle();
    expect(outcomes).toEqual([['cycle', [p, q, r]]]);
  });

  it('G4 is followed through actors of this node, within what the probe may still look at', async () => {
    await asker.startWith(kit, { name: 'first' });
    kit.runtime.spawn(async (self: Self) => void (await callWith(self, {}, p, 'hello')));
    await waits();
    const middle = kit.runtime.spawn(
      async (self: Self) => void (await callWith(self, { timeout: FOR_EVER }, p, 'hello')),
    );
    await kit.settle();
    const theirs = new Ref(R, 8, 1, 1);
    const begun = new Ref(Q, 3, 1, 1);
    kit.runtime.inbound.call(new Pid(R, 8), theirs, FOR_EVER, middle.local, ['hello', [], []]);
    arrive(['call', begun, theirs, 500, [new Pid(Q, 3), begun], null]);
    const [, first, followed, steps, way] = await probed(0);
    expect(first).toBe(begun);
    expect(followed.nc).toBe(0);
    expect(steps).toBe(498);
    expect(way).toEqual([new Pid(Q, 3), begun, middle, p, followed]);
    arrive(['call', begun, theirs, 2, [new Pid(Q, 3), begun], null]);
    expect(sent).toHaveLength(1);
  });

  it('G4 is not followed through an actor that can still receive', async () => {
    const receiver = kit.runtime.spawn(async (self: Self) => {
      const answer = callWith(self, { timeout: FOR_EVER }, { name: 'q', node: 'q@h:1' }, 'hello');
      await self.receive('go');
      await answer;
    }) as Pid<never>;
    const middle = kit.runtime.spawn(
      async (self: Self) => void (await callWith(self, { timeout: FOR_EVER }, receiver, 'hello')),
    );
    await kit.settle();
    for (const [id, { local }] of [receiver, middle].entries()) {
      const theirs = new Ref(R, 5, 100 + id, 1);
      kit.runtime.inbound.call(r, theirs, FOR_EVER, local, ['hello', [], []]);
      arrive(['call', new Ref(R, 99, 1, 1), theirs, 500, [], null]);
    }
    await kit.settle();
    expect(sent).toEqual([]);
  });

  it('G4 is followed once to each wait, however many ways lead there', async () => {
    await waits();
    const middle = kit.runtime.spawn(async (self: Self) => {
      await Promise.all([1, 2].map(() => callWith(self, { timeout: FOR_EVER }, p, 'hello')));
    });
    await kit.settle();
    const theirs = new Ref(R, 5, 100, 1);
    kit.runtime.inbound.call(r, theirs, FOR_EVER, middle.local, ['hello', [], []]);
    arrive(['call', new Ref(R, 99, 1, 1), theirs, 500, [], null]);
    await kit.settle();
    expect(sent).toHaveLength(1);
  });

  it('G4 of 64 actors is found, whether they wait within this node or over others', async () => {
    const local = Array.from({ length: MAX_RING - 2 }, (_, at) => `p${at}`);
    const pids: Pid[] = [];
    for (const name of local) pids.push(await asker.startWith(kit, { name }));
    for (const [at, name] of local.entries()) {
      const next = local[at + 1];
      if (next === undefined) cast(kit, name, 'ask', 'q', 'q@h:1');
      else cast(kit, name, 'ask', next, 'm@h:1');
    }
    await kit.settle();
    kit.runtime.inbound.call(r, itsCall, FOR_EVER, (pids[0] as Pid).local, ['hello', [], [r]]);
    await kit.advance(50);
    // Each of the others waits over a node of its own.
    const others = Array.from({ length: MAX_RING - 3 }, (_, at) => [
      new Pid(Q, at + 20),
      new Ref(Q, at + 20, 1, 1),
    ]).flat();
    arrive(round(await probed(0)));
    arrive(round(await probed(1)));
    await kit.settle();
    expect(outcomes[0]).toEqual(['cycle', [pids.at(-1), q, r, ...pids.slice(0, -1)]]);
    await waits();
    await kit.advance(50);
    const far = (probe: RingProbe): RingProbe => {
      const [kind, first, followed, steps, way, number] = round(probe);
      return [kind, first, followed, steps, [...way.slice(0, 2), ...others, ...way.slice(2)], number];
    };
    arrive(far(await probed(2)));
    arrive(far(await probed(3)));
    await kit.settle();
    const [state, ring] = outcomes.at(-1) as [string, Pid[]];
    expect([state, ring.length]).toEqual(['cycle', MAX_RING]);
  });

  it('G4 ends one wait: a probe that meets that of a greater actor ends, and that one is probed', async () => {
    await waits();
    await kit.advance(50);
    const own = (await probed(0))[1];
    await kit.advance(50);
    sent.length = 0;
    await kit.advance(60);
    const greater = new Ref(R, 5, 6, 1);
    const lesser = new Ref(700, 5, 6, 1);
    NODES[700] = 'a@h:1';
    arrive(['call', greater, itsCall, 500, [], null]);
    expect((await probed(0))[1]).toBe(greater);
    arrive(['call', lesser, itsCall, 500, [], null]);
    expect((await probed(1))[1].equals(own)).toBe(true);
    arrive(['start', greater, itsCall, 500, [], null]);
    expect(sent).toHaveLength(2); // it was probed just now
    await kit.advance(60);
    sent.length = 0;
    arrive(['start', greater, itsCall, 500, [], null]);
    expect((await probed(0))[1].equals(own)).toBe(true);
  });

  it('G4 ends one wait also of two actors of this node: the greater is the later one', async () => {
    const later = await asker.startWith(kit, { name: 'later' });
    await waits();
    cast(kit, 'later', 'ask', 'q', 'q@h:1');
    await kit.settle();
    const laterCall = new Ref(R, 5, 78, 3);
    kit.runtime.inbound.call(r, laterCall, FOR_EVER, later.local, ['hello', [], [r]]);
    await kit.advance(50);
    const [ofP, ofLater] = [(await probed(0))[1], (await probed(1))[1]];
    sent.length = 0;
    arrive(['call', ofP, laterCall, 500, [], null]);
    expect(sent).toEqual([]);
    arrive(['call', ofLater, itsCall, 500, [], null]);
    expect(sent.map(({ probe }) => probe[1])).toEqual([ofLater]);
  });

  it('G4 fails a start whose child waits for the starter', async () => {
    const there = defineServer({ name: 'there', init: () => ({}) });
    const starter = kit.runtime.spawn(async (self: Self) => {
      outcomes.push(await start(self, there, [], { node: 'q@h:1' }));
    });
    await kit.settle();
    kit.runtime.inbound.call(r, itsCall, FOR_EVER, starter.local, ['hello', [], [r]]);
    await kit.advance(50);
    expect((await probed(0))[0]).toBe('start');
    arrive(round(await probed(0)));
    arrive(round(await probed(1)));
    await kit.settle();
    expect(outcomes).toEqual([{ ok: false, reason: { cycle: [starter, q, r] } }]);
    await kit.advance(1000);
    expect(kit.runtime.timers.size).toBe(0); // no wait is looked at any more
  });

  it('G4 goes through the init of a child that another node waits for', async () => {
    const curious = defineServer({
      name: 'curious',
      init: async (self) => void (await callWith(self, {}, { name: 'q', node: 'q@h:1' }, 'hello')),
    });
    kit.runtime.expose(curious as never);
    const request = new Ref(R, 5, 60, 1);
    const order = {
      from: r,
      request,
      flags: 4,
      monitor: request,
      function: 'curious',
      term: [[], null, null],
    };
    kit.runtime.inboundSpawns.order(order);
    await kit.settle();
    const begun = new Ref(R, 5, 61, 1);
    arrive(['call', begun, request, 500, [], null]);
    expect((await probed(0))[1]).toBe(begun);
  });
});

describe('a probe that lies', () => {
  let first: RingProbe;
  let second: RingProbe;
  beforeEach(async () => {
    await waits();
    await kit.advance(50);
    first = await probed(0);
    arrive(round(first));
    second = await probed(1);
    sent.length = 0;
  });

  it.each<[string, () => unknown, number?]>([
    ['brings the first round again', () => round(first)],
    ['guesses the number of the round', () => [...round(second).slice(0, 5), new Ref(0, p.local, 999)]],
    [
      'comes on another way',
      () => {
        const [kind, wait, followed, steps, way, number] = round(second);
        return [kind, wait, followed, steps, [...way.slice(0, -2), new Pid(R, 6), followed], number];
      },
    ],
    ['follows no call of this node', () => round(second, new Ref(R, 5, 78, 3))],
    ['follows a call of another node', () => round(second), Q],
    ['is no probe', () => [...round(second), 1]],
    ['has no steps', () => round(second).with(3, 0)],
    ['has a way without end', () => round(second).with(4, Array.from({ length: 1000 }, () => r) as never)],
    ['has a way of other terms', () => round(second).with(4, ['x'] as never)],
    ['has a reference that is none', () => round(second).with(1, 'x' as never)],
  ])('T12 and %s fails no call', async (_title, make, nc = R) => {
    arrive(make(), nc);
    await kit.advance(10);
    expect(outcomes).toEqual([]);
  });

  it('T12 fails no call when its own call to the actor is over', async () => {
    const late = new Ref(R, 5, 80, 1);
    calls(late, 0);
    Array.from(kit.runtime.inboundCalls.nodeLost(R));
    arrive(round(second));
    arrive(round(second, late));
    await kit.settle();
    expect(outcomes).toEqual([]);
  });

  it('T12 with callers that a peer makes up fails only the call that names them', async () => {
    const answers: unknown[] = [];
    const reply: RemotePort['reply'] = (_from, { id }, status) => void answers.push([id, status]);
    kit.runtime.remote = { ...kit.runtime.remote, reply };
    const relay = await asker.startWith(kit, { name: 'relay' });
    cast(kit, 'relay', 'ask', 'p', 'm@h:1'); // p waits for q
    await kit.settle();
    kit.runtime.inbound.call(r, new Ref(R, 5, 90, 1), FOR_EVER, relay.local, ['hello', [], [p, r]]);
    await kit.advance(60);
    expect(answers).toEqual([[90, ReplyStatus.cycle]]);
    expect(outcomes).toEqual([]);
  });

  it('T12 with callers that a peer makes up fails no call that is made to answer it', async () => {
    const answers: unknown[] = [];
    const reply: RemotePort['reply'] = (_from, { id }, status) => void answers.push([id, status]);
    kit.runtime.remote = { ...kit.runtime.remote, reply };
    const nested = defineServer({
      name: 'nested',
      init: () => ({}),
      calls: { hello: ({ self }) => callWith(self, { timeout: FOR_EVER }, p, 'hello') as never },
    });
    for (const [id, made] of [[p], [q], [p, q]].entries()) {
      const server = await nested.startWith(kit, {});
      const ref = new Ref(R, 5, 90 + id, 1);
      kit.runtime.inbound.call(r, ref, FOR_EVER, server.local, ['hello', [], [...made, r]]);
      await kit.settle();
    }
    await kit.advance(60);
    expect([answers, outcomes]).toEqual([[], []]);
  });

  it('T12 goes on with as many steps as a search may have, whatever it claims', () => {
    arrive(['call', new Ref(R, 99, 1, 1), itsCall, 2 ** 40, [], null]);
    expect(sent.map(({ probe }) => probe[3] <= MAX_STEPS)).toEqual([true]);
  });

  it('T12 costs a peer its share: what goes beyond that is dropped for a while', async () => {
    const begun = new Ref(Q, 3, 1, 1);
    const stranger: RingProbe = ['call', new Ref(R, 99, 1, 1), itsCall, 500, [], null];
    for (let count = 0; count < 20_000; count++) arrive(stranger);
    const { length } = sent;
    expect(length).toBe(4999); // each costs two steps, and so did that of the first round
    arrive(round(second));
    await kit.settle();
    expect(outcomes).toEqual([]);
    expect(sent).toHaveLength(length);
    // Another peer has its own share, and time renews it.
    kit.runtime.inbound.call(q, begun, FOR_EVER, p.local, ['hello', [], []]);
    arrive(['call', begun, begun, 500, [], null], Q);
    await kit.advance(60);
    arrive(round(second));
    await kit.settle();
    expect(outcomes).toEqual([['cycle', [p, q, r]]]);
  });

  it('T12 costs a peer the length of its way, in each of the probes that it becomes', async () => {
    const many = kit.runtime.spawn(async (self: Self) => {
      const all = Array.from({ length: 300 }, () =>
        callWith(self, { timeout: FOR_EVER }, { name: 'q', node: 'q@h:1' }, 'hello'),
      );
      await Promise.all(all);
    });
    await kit.settle();
    await kit.advance(60);
    const mine = new Ref(R, 5, 90, 1);
    kit.runtime.inbound.call(r, mine, FOR_EVER, many.local, ['hello', [], []]);
    const way = Array.from({ length: 180 }, () => r);
    sent.length = 0;
    for (let count = 0; count < 30; count++) arrive(['call', new Ref(R, 99, 1, 1), mine, 1000, way, null]);
    const parts = sent.reduce((sum, { probe }) => sum + probe[4].length, 0);
    expect(sent.length).toBeGreaterThan(0);
    expect(parts).toBeLessThanOrEqual(PEER_PARTS);
  });
});

it('G4 those that wait for a call are carried along to a limit, whoever names more', async () => {
  const chains: number[] = [];
  kit.runtime.remote = {
    ...kit.runtime.remote,
    call: (_from, _ref, _ms, _to, [, , chain]) => void chains.push(chain.length),
  };
  const nested = defineServer({
    name: 'nested',
    init: () => ({}),
    calls: { hello: ({ self }) => callWith(self, {}, { name: 'q', node: 'q@h:1' }, 'hello') as never },
  });
  const server = await nested.startWith(kit, {});
  const endless = Array.from({ length: 10_000 }, () => r);
  kit.runtime.inbound.call(r, itsCall, FOR_EVER, server.local, ['hello', [], endless]);
  await kit.settle();
  expect(chains).toEqual([MAX_RING]);
});
