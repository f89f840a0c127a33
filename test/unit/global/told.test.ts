// What one node tells its peers, word by word, and what it does not: the peers are spoken for by hand.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ConflictResolver, type GlobalNames, startGlobalNames } from '../../../ts/global/index.ts';
import { ANSWER_MS, MAX_SYNCS, MAX_VOTE_ROUNDS } from '../../../ts/global/limits.ts';
import { LOG_PAUSE_MS } from '../../../ts/kernel/throttled-log.ts';
import type { ChannelPeer } from '../../../ts/node/index.ts';
import { Pid } from '../../../ts/term/index.ts';
import { handed } from './fake-mesh.ts';
import { LoneNode } from './lone-node.ts';

const [B, C] = [256, 512];
let node: LoneNode;
let names: GlobalNames;
let resolver: ConflictResolver | undefined;
beforeEach(() => {
  resolver = undefined;
  node = new LoneNode();
  names = startGlobalNames(node, {
    onConflict: (...given) => (resolver ?? ((_name, first) => first.pid))(...given),
  });
});
afterEach(() => node.kit.stop());

const up = (name: string, nc: number): ChannelPeer =>
  node.up(`${name}@fake:1`, nc, ['hello', 1], ['sync', []]);
const actor = (): Pid<unknown> => node.runtime.spawnHandler(() => ({ onMessage() {} }));
const ofB = (local: number): Pid<unknown> => new Pid(B, local);
const ofC = (local: number): Pid<unknown> => new Pid(C, local);
/** What was said since the last call, without greetings and pings. */
const said = (): unknown[] =>
  node.sent
    .splice(0)
    .map(([, value]) => value as unknown[])
    .filter(([kind]) => kind !== 'hello' && kind !== 'ping' && kind !== 'sync');
const last = (kind: string): readonly unknown[] =>
  node.sent.map(([, value]) => value as unknown[]).findLast((message) => message[0] === kind) ?? [];
const numberOf = (kind: string): number => last(kind)[1] as number;

/** Registers a name; every peer given votes and acknowledges. */
async function registered(
  name: string,
  voters: readonly ChannelPeer[],
  how: 'register' | 'reregister' = 'register',
) {
  const pid = actor();
  const answer = names[how](name, pid);
  const id = numberOf('claim');
  for (const peer of voters) node.say(peer, ['vote', id, 'yes', 1, []]);
  const stamp = last('commit')[4] as number;
  for (const peer of voters) node.say(peer, ['ack', id]);
  expect(await answer).toBe(true);
  node.sent.length = 0;
  return { pid, stamp };
}

/** Lets time pass in which the peers answer pings. */
async function pass(ms: number, ...peers: readonly ChannelPeer[]): Promise<void> {
  const { clock } = node.kit;
  const end = clock.now() + ms;
  for (let at = 0; clock.step(end); ) {
    for (; at < node.sent.length; at++) {
      const [connection, value] = node.sent[at] as [number, unknown[]];
      const peer = peers.find((each) => each.connection === connection);
      if (value[0] === 'ping' && peer !== undefined) node.say(peer, ['pong', value[1]]);
    }
    await handed();
  }
}
interface Refusal {
  readonly code: string;
  readonly details: { readonly nodes: readonly string[] };
}
const refusal = (answer: Promise<boolean>): Promise<Refusal> =>
  answer.then(
    () => expect.fail('it was not refused'),
    (error: unknown) => error as Refusal,
  );

describe('an actor of this node', () => {
  it('Q5 ends its name with one message, and nothing waits for answers', async () => {
    const b = up('b', B);
    const { pid, stamp } = await registered('x', [b]);
    await pass(2 * ANSWER_MS, b);
    expect(node.kit.clock.next).toBe(Number.POSITIVE_INFINITY);
    node.runtime.sendExit(pid, 'kill');
    expect(said()).toEqual([['drop', 0, 'x', stamp]]);
    expect(node.kit.clock.next).toBe(Number.POSITIVE_INFINITY);
  });

  it('Q11 keeps its name when a peer frees that of an earlier owner', async () => {
    const b = up('b', B);
    const { pid } = await registered('x', [b]);
    node.say(b, ['ask', 7, 'unregister', 'x', actor()]);
    node.say(b, ['ask', 8, 'unregister', 'y', pid]);
    expect(said()).toEqual([
      ['answer', 7, 'gone', []],
      ['answer', 8, 'gone', []],
    ]);
    expect(names.whereis('x')).toBe(pid);
  });

  it('Q5 has no name any more when the names are closed, and its death is told nobody', async () => {
    const b = up('b', B);
    const { pid } = await registered('x', [b]);
    names.close();
    node.runtime.sendExit(pid, 'kill');
    expect(said()).toEqual([['bye']]);
  });

  it('P7 is refused more names than its node may have, without peers, too', async () => {
    const alone = new LoneNode();
    const few = startGlobalNames(alone, { maxNamesPerNode: 1 });
    const pid = alone.runtime.spawnHandler(() => ({ onMessage() {} }));
    expect(await few.register('x', pid)).toBe(true);
    expect((await refusal(few.register('y', pid))).code).toBe('SNOW_ERR_TOO_MANY_NAMES');
    alone.kit.stop();
  });
});

describe('a claim', () => {
  it('Q1 is made once, however long nothing waited before and however long it waits', async () => {
    const b = up('b', B);
    await pass(3_600_000);
    const answers = ['x', 'y'].map((name) => names.register(name, actor()));
    node.say(b, ['claim', 1, 'z', 1, false]);
    await pass(10_000, b);
    const kinds = node.sent.map(([, value]) => (value as unknown[])[0]);
    expect(['claim', 'ping'].map((kind) => kinds.filter((each) => each === kind).length)).toEqual([2, 10]);
    names.close();
    expect((await refusal(answers[0]!)).code).toBe('SNOW_ERR_NOT_ALIVE');
  });

  it('Q1 that nobody decides ends with the names of all that did not vote, or hold the vote of this node', async () => {
    const [b, c] = [up('b', B), up('c', C)];
    node.say(c, ['claim', 1, 'x', 1, false]);
    const refused = refusal(names.register('x', actor()));
    node.say(c, ['vote', numberOf('claim'), 'yes', 1, []]);
    await pass((MAX_VOTE_ROUNDS + 2) * 1000, b, c);
    const { code, details } = await refused;
    expect([code, details.nodes.toSorted()]).toEqual(['SNOW_ERR_NO_VOTE', ['b@fake:1', 'c@fake:1']]);
  });

  it('Q4 is told to a peer that joins with what it replaces', async () => {
    const b = up('b', B);
    node.say(b, ['commit', 1, 'x', ofB(1), 5, null]);
    const answer = names.reregister('x', actor());
    node.say(b, ['vote', numberOf('claim'), 'yes', 5, [[ofB(1), 5]]]);
    const late = node.up('c@fake:1', C);
    node.sent.length = 0;
    node.say(late, ['hello', 1]);
    expect(said()).toEqual([
      ['commit', expect.any(Number), 'x', expect.anything(), expect.any(Number), [[ofB(1), 5]]],
    ]);
    names.close();
    await refusal(answer);
  });
});

describe('a request to another node', () => {
  const waiting = (): Promise<boolean> => names.register('x', ofB(1));

  it('Q1 ends with the names of that node, and at once when it has none', async () => {
    const [b, c] = [up('b', B), up('c', C)];
    const answer = waiting();
    node.say(c, ['bye']);
    node.down(c);
    let isOver = false;
    void answer.then(() => (isOver = true));
    await handed();
    expect(isOver).toBe(false);
    node.say(b, ['bye']);
    expect(await answer).toBe(false);
    expect(await waiting()).toBe(false);
  });

  it('Q1 is asked of that node alone, once that has names', () => {
    const b = node.up('b@fake:1', B);
    waiting().catch(() => {});
    up('c', C);
    expect(said()).toEqual([]);
    node.say(b, ['hello', 1]);
    expect(said()).toEqual([['ask', expect.any(Number), 'register', 'x', ofB(1)]]);
    names.close();
  });

  it('Q1 is refused at once by an answer that does not say who has the name', async () => {
    const b = up('b', B);
    const answer = waiting();
    node.say(b, ['answer', numberOf('ask'), 'taken', []]);
    expect(await answer).toBe(false);
  });

  it('Q1 that is asked again after a pause is refused when the names are closed meanwhile', async () => {
    const b = up('b', B);
    const answer = waiting();
    node.say(b, ['answer', numberOf('ask'), 'taken', [[actor(), 1]]]);
    await handed();
    names.close();
    expect((await refusal(answer)).code).toBe('SNOW_ERR_NOT_ALIVE');
    expect(node.kit.clock.next).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('a request of a peer', () => {
  it('Q1 for a name that is taken is answered with who has it', () => {
    const [b, c] = [up('b', B), up('c', C)];
    node.say(c, ['commit', 1, 'x', ofC(1), 5, null]);
    node.say(b, ['ask', 7, 'register', 'x', actor()]);
    expect(said()).toEqual([
      ['ack', 1],
      ['answer', 7, 'taken', [[ofC(1), 5]]],
    ]);
  });

  it('Q1 is not answered when the peer has closed its names meanwhile', async () => {
    const [b, c] = [up('b', B), up('c', C)];
    node.say(b, ['ask', 7, 'register', 'x', actor()]);
    node.say(b, ['bye']);
    for (const kind of ['claim', 'commit'] as const)
      node.say(c, kind === 'claim' ? ['vote', numberOf(kind), 'yes', 1, []] : ['ack', numberOf(kind)]);
    await handed();
    expect(said().map((message) => (message as unknown[])[0])).toEqual(['claim', 'claim', 'commit']);
  });
});

describe('a switch from an actor of this node', () => {
  const switched = async () => {
    const b = up('b', B);
    const { pid, stamp } = await registered('x', [b]);
    node.say(b, ['commit', 1, 'x', ofB(1), stamp + 1, [[pid, stamp]]]);
    expect(said()).toEqual([['ack', 1]]);
    return { b, pid, dropped: ['drop', 0, 'x', stamp] };
  };

  it('Q4 leaves the old entry until all know the new one, also if the old actor dies', async () => {
    const { b, pid, dropped } = await switched();
    node.runtime.sendExit(pid, 'kill');
    expect(said()).toEqual([]);
    node.say(b, ['settled', 1]);
    expect(said()).toEqual([dropped]);
  });

  it.each(['freed', 'lost'])('Q4 does not bring the old owner back when the new one is %s', async (how) => {
    const { b, dropped } = await switched();
    if (how === 'lost') node.down(b);
    else node.say(b, ['drop', 0, 'x', (dropped[3] as number) + 1]);
    expect(names.whereis('x')).toBeUndefined();
    if (how === 'freed') expect(said()).toEqual([dropped]);
  });
});

describe('a switch between two peers', () => {
  it('Q4 is acknowledged, and nothing else is told', () => {
    const [b, c] = [up('b', B), up('c', C)];
    node.say(b, ['commit', 1, 'x', ofB(1), 5, null]);
    node.say(c, ['commit', 1, 'x', ofC(1), 6, [[ofB(1), 5]]]);
    node.say(c, ['settled', 1]);
    node.say(b, ['commit', 2, 'y', ofB(1), 5, null]);
    node.say(c, ['sync', [['y', ofC(1), 6, [[ofB(1), 5]]]]]);
    expect(said()).toEqual([1, 1, 2].map((id) => ['ack', id]));
  });

  it('Q4 is not remembered beyond the entry that it replaced', () => {
    const [b, c] = [up('b', B), up('c', C)];
    node.say(b, ['commit', 1, 'x', ofB(1), 5, null]);
    node.say(c, [
      'commit',
      1,
      'x',
      ofC(1),
      6,
      [
        [ofB(1), 5],
        [ofB(2), 4],
      ],
    ]);
    node.say(b, ['drop', 0, 'x', 5]);
    said();
    node.say(b, ['claim', 2, 'x', 7, true]);
    expect(said()).toEqual([
      [
        'vote',
        2,
        'yes',
        expect.any(Number),
        [
          [ofC(1), 6],
          [ofB(2), 4],
        ],
      ],
    ]);
  });
});

describe('an actor that lost its name', () => {
  it('Q4 to a switch is neither told nor killed, whoever has the name by then', async () => {
    const [b, c] = [up('b', B), up('c', C)];
    const { pid, stamp } = await registered('x', [b, c]);
    node.say(b, ['commit', 1, 'x', ofB(1), stamp + 1, [[pid, stamp]]]);
    node.say(c, ['commit', 1, 'x', ofC(1), stamp + 2, null]);
    node.say(c, ['lost', 'x', pid, stamp, ofC(1)]);
    expect(node.runtime.isAlive(pid)).toBe(true);
    expect(names.whereis('x')).toEqual(ofC(1));
    expect(said()).toContainEqual(['drop', 0, 'x', stamp]);
  });

  it('T12, Q7 in a conflict lost it to an actor of the node that says so', async () => {
    const [b, c] = [up('b', B), up('c', C)];
    const { pid, stamp } = await registered('x', [b, c]);
    node.say(b, ['commit', 1, 'x', ofB(1), stamp + 1, null]);
    for (const lie of [ofB(2), ofC(1), pid]) node.say(b, ['lost', 'x', pid, stamp, lie]);
    node.say(b, ['lost', 'x', actor(), stamp, ofB(1)]); // it is another actor, or another entry
    node.say(b, ['lost', 'x', pid, stamp + 1, ofB(1)]);
    for (const winner of [null, ofC(1)]) node.say(c, ['lost', 'x', pid, stamp, winner]); // has no entry
    expect([node.runtime.isAlive(pid), node.kit.logged('global_name_conflict')]).toEqual([true, []]);
    node.say(b, ['lost', 'x', pid, stamp, ofB(1)]);
    expect(node.runtime.isAlive(pid)).toBe(false);
  });

  it('Q7 by the choice of the resolver is killed, and the winner is told nothing', async () => {
    const b = up('b', B);
    const { pid, stamp } = await registered('x', [b]);
    resolver = (_name, _first, second) => second.pid;
    node.say(b, ['commit', 1, 'x', ofB(1), 0, null]);
    expect(node.runtime.isAlive(pid)).toBe(false);
    expect(said()).toEqual([
      ['drop', 0, 'x', stamp],
      ['ack', 1],
    ]);
    expect(node.kit.logged('global_name_conflict')).toMatchObject([
      { facts: { name: 'x', node: 'b@fake:1' } },
    ]);
  });
});

describe('a peer', () => {
  it('T7 that sends nonsense for long is logged once in its session', () => {
    const b = up('b', B);
    for (let count = 0; count < 3; count++) {
      node.say(b, ['pong', 99]);
      node.kit.clock.skip(2 * LOG_PAUSE_MS);
    }
    expect(node.kit.logged('global_names_bad_message')).toHaveLength(1);
  });

  it('P7 that starts anew too often is told nothing more, and none of its names count', async () => {
    const b = node.up('b@fake:1', B);
    for (let count = 0; count < MAX_SYNCS; count++) {
      node.say(b, ['hello', 1]);
      node.say(b, ['bye']);
    }
    node.sent.length = 0;
    node.say(b, ['sync', [['x', ofB(1), 1, []]]]);
    expect([node.sent, names.whereis('x'), names.names()]).toEqual([[], undefined, []]);
  });

  it('Q5 that is gone leaves nothing to be done', () => {
    node.down(node.up('b@fake:1', B));
    names.close();
    expect(node.kit.clock.next).toBe(Number.POSITIVE_INFINITY);
  });
});
