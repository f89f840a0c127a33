// Peers with the cookie that speak the channel of global names from docs/wire.md alone: one as it should, others as they like.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Cluster, type ClusterNode, COOKIE } from '../support/cluster.ts';
import type { Workbench } from '../support/cluster-node.ts';
import { PlainPeer } from '../support/plain-peer.ts';
import { type PlainPid, pidTerm, type Term } from '../support/plain-terms.ts';

const say = (peer: PlainPeer, message: unknown): void => peer.send('SYSTEM', 'global', message);

/** The next message of the channel that begins with `kind`; what comes before it is passed over. */
async function hear(peer: PlainPeer, kind: string): Promise<unknown[]> {
  for (;;) {
    const [channel, message] = await peer.next('SYSTEM');
    if (channel === 'global' && Array.isArray(message) && message[0] === kind) return message;
  }
}

/** The same for the vote on one claim. */
async function hearVote(peer: PlainPeer, id: number): Promise<unknown[]> {
  for (;;) {
    const vote = await hear(peer, 'vote');
    if (vote[1] === id) return vote;
  }
}

let cluster: Cluster;
let victim: ClusterNode;
beforeEach(async () => {
  cluster = new Cluster();
  victim = await cluster.node({ name: 'victim' });
  await victim.run((bench) => void (bench.box['names'] = bench.snow.startGlobalNames(bench.node)));
});
afterEach(() => cluster.stop());

const join = (): Promise<PlainPeer> =>
  PlainPeer.dial(Number(victim.name.split(':')[1]), COOKIE, 'x@127.0.0.1:1', victim.name);
const register = async (bench: Workbench, name: string): Promise<boolean> => {
  bench.box[name] = await bench.probe();
  return bench.box['names'].register(name, bench.box[name].pid);
};
const names = (bench: Workbench): string[] => bench.box['names'].names().sort();

describe('a peer that speaks the channel of global names', () => {
  it('Q1, Q5 takes part by what docs/wire.md says', async () => {
    await using peer = await join();
    expect(await hear(peer, 'hello')).toEqual(['hello', 1]);
    say(peer, ['hello', 1]);
    expect(await hear(peer, 'sync')).toEqual(['sync', []]);
    say(peer, ['sync', [['told', pidTerm(peer.mine(7)), 3, []]]]);
    // It asks, and gets the vote; then it tells, and is acknowledged.
    say(peer, ['claim', 1, 'asked', 4, false]);
    expect(await hear(peer, 'vote')).toEqual(['vote', 1, 'yes', expect.any(Number), []]);
    say(peer, ['commit', 1, 'asked', pidTerm(peer.mine(8)), 5, null]);
    expect(await hear(peer, 'ack')).toEqual(['ack', 1]);
    expect(await victim.run(names)).toEqual(['asked', 'told']);
    const where = await victim.run((bench) => bench.node.nodeOf(bench.box['names'].whereis('asked')));
    expect(where).toBe('x@127.0.0.1:1');
    // It is asked, and says yes.
    const registered = victim.run(register, 'of the victim');
    const [, id, name, stamp] = await hear(peer, 'claim');
    expect([name, stamp]).toEqual(['of the victim', expect.any(Number)]);
    expect(stamp).toBeGreaterThan(5);
    say(peer, ['vote', id as number, 'yes', stamp as number, []]);
    const commit = await hear(peer, 'commit');
    expect(commit.slice(0, 3)).toEqual(['commit', id, 'of the victim']);
    say(peer, ['ack', id as number]);
    expect(await registered).toBe(true);
    say(peer, ['claim', 2, 'of the victim', 9, false]);
    expect(await hear(peer, 'vote')).toEqual([
      'vote',
      2,
      'taken',
      expect.any(Number),
      [[expect.anything(), expect.any(Number)]],
    ]);
    say(peer, ['drop', 3, 'told', 3]);
    expect(await hear(peer, 'ack')).toEqual(['ack', 3]);
    expect(await victim.run(names)).toEqual(['asked', 'of the victim']);
    await peer.close();
    await victim.run((bench) => bench.event('nodedown'));
    expect(await victim.run(names)).toEqual(['of the victim']);
  });

  it('Q12, Q16, T12 with nonsense harms no names and no registration of others', async () => {
    const other = await cluster.node({ name: 'other' });
    await other.run((bench) => void (bench.box['names'] = bench.snow.startGlobalNames(bench.node)));
    expect(await other.run((bench, peer) => bench.node.connect(peer), victim.name)).toBe(true);
    expect([await victim.run(register, 'mine'), await other.run(register, 'theirs')]).toEqual([true, true]);
    await using peer = await join();
    // The PIDs of the two actors, as this peer has to write them.
    say(peer, ['hello', 1]);
    const [, entries] = (await hear(peer, 'sync')) as [string, [string, Term<'pid', PlainPid>, number][]];
    const [[, mine, stamp]] = entries as [(typeof entries)[0]];
    expect(entries).toHaveLength(1);
    const victims = pidTerm(peer.ours(mine.value));
    for (const lie of [
      ['drop', 5, 'mine', stamp],
      ['drop', 6, 'theirs', stamp + 1],
      ['commit', 7, 'stolen', victims, stamp + 9, null],
      ['sync', [['stolen', victims, stamp + 9, []]]],
      ['lost', 'mine', victims, stamp, null],
      ['lost', 'mine', victims, stamp, pidTerm(peer.mine(3))],
    ])
      say(peer, lie);
    const random = cluster.random;
    const pick = <T>(all: readonly T[]): T => all[Math.floor(random() * all.length)] as T;
    // Neither a greeting, which begins anew, nor what a member may do: register an actor of its own and ask for a switch.
    const kinds = [
      ...['sync', 'claim', 'vote', 'inquire', 'yield', 'abort', 'settled', 'drop', 'ack', 'lost', 'answer'],
      ...['', 'x', 'constructor'],
    ];
    const any = (depth = 0): unknown =>
      pick<() => unknown>([
        () => pick(['mine', 'theirs', 'yes', 'taken', '', 'x'.repeat(300), 'undefined']),
        () => pick([0, 1, 2, 3, 10, -1, 0.5, 2 ** 40, Number.NaN]),
        () => pick([true, false, null, undefined, { a: 1 }]),
        () => pick([victims, pidTerm(peer.mine(9))]),
        () => (depth > 2 ? 0 : Array.from({ length: Math.floor(random() * 5) }, () => any(depth + 1))),
      ])();
    for (let count = 0; count < 5000; count++) {
      const more = Array.from({ length: Math.floor(random() * 6) }, () => any());
      say(peer, random() < 0.1 ? any() : [pick(kinds), ...more]);
    }
    // Marks the end of what was said.
    say(peer, ['claim', 999_999, 'the end', 1, false]);
    expect(await hearVote(peer, 999_999)).toEqual(['vote', 999_999, 'yes', expect.any(Number), []]);
    for (const [node, name] of [
      [victim, 'mine'],
      [other, 'theirs'],
    ] as const) {
      const isLocal = await node.run((bench, key) => {
        const pid = bench.box['names'].whereis(key);
        return pid?.isLocal && bench.node.runtime.isAlive(pid);
      }, name);
      expect(isLocal, name).toBe(true);
    }
    expect(await other.run((bench) => bench.node.nodeOf(bench.box['names'].whereis('mine')))).toBe(
      victim.name,
    );
    const logged = await victim.run(
      (bench) => bench.seen('log').filter(([, level]) => level === 'warn' || level === 'error').length,
    );
    expect(logged).toBe(1);
    await peer.close();
    await victim.run((bench) => bench.event('nodedown'));
    expect(await victim.run(names)).toEqual(['mine', 'theirs']);
    expect([await victim.run(register, 'more'), await other.run(register, 'yet more')]).toEqual([true, true]);
  });

  it('P7 that answers pings and acknowledges nothing loses its session, and holds no registration up', async () => {
    await using peer = await join();
    say(peer, ['hello', 1]);
    await hear(peer, 'hello');
    say(peer, ['sync', []]);
    const registered = victim.run(register, 'mine');
    const [, id, , stamp] = await hear(peer, 'claim');
    say(peer, ['vote', id as number, 'yes', stamp as number, []]);
    await hear(peer, 'commit');
    const [, number] = await hear(peer, 'ping');
    say(peer, ['pong', number as number]);
    expect(await registered).toBe(true);
    const [down] = await victim.run((bench) => bench.event('nodedown'));
    expect(down?.slice(0, 3)).toEqual(['nodedown', 'x@127.0.0.1:1', 'protocol']);
    expect(await victim.run((bench) => bench.node.connectFailure('x@127.0.0.1:1'))).toEqual({
      why: 'protocol',
      detail: expect.stringContaining('it broke the protocol: channel global: '),
    });
    const logged = await victim.run((bench) => bench.seen('log').map(([, level]) => level));
    expect(logged).toContain('error');
  });
});
