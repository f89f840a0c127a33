// What the observer asks of the nodes of a cluster, and when: over views that a test answers.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { CrashInfo } from '../../../ts/index.ts';
import { type ClusterView, ClusterWatch } from '../../../ts/observe/cluster-watch.ts';

const EVERY = 2000;
const ROOT = 'root@h:1';

/** A node that is asked. */
class Asked {
  asks = 0;
  views = 0;
  crashes: CrashInfo[] = [];
  readonly crashesAfter: number[] = [];
  count = 0;
  startedAt = Date.now();
  isStuck = false;
  /** Questions to it end with their time limit. */
  isSilent = false;
  readonly limits = new Set<number>();
  peers: string[] = [];
  stalled: string[] = [];

  overview(timeout: number): Promise<unknown> {
    this.asks++;
    if (this.isStuck) return new Promise(() => {});
    this.limits.add(timeout);
    if (this.isSilent) {
      const late = Object.assign(new Error('no answer'), { details: { reason: 'timeout' } });
      return new Promise((_, reject) => setTimeout(() => reject(late), timeout));
    }
    const { count: crashes, startedAt, stalled: stalledPeers } = this;
    const clock = Date.now();
    return Promise.resolve({ crashes, uptimeMs: clock - startedAt, clock, stalledPeers });
  }

  async sessions(): Promise<unknown> {
    const line = { hidden: false, waiting: 7, rates: { bytesIn: 1.4, bytesOut: 2.6 } };
    return this.peers.map((node) => ({ ...line, node, stalled: this.stalled.includes(node) }));
  }

  async pageOfCrashes(after: number): Promise<unknown> {
    this.crashesAfter.push(after);
    return { items: this.crashes.filter(({ id }) => id > after), total: this.crashes.length };
  }
}

let asked: Map<string, Asked>;
/** Nodes that are not connected any more. */
let lost: Set<string>;
let heard: [string, readonly CrashInfo[]][];
let views: ClusterView[];
let watch: ClusterWatch;
let stop: () => void;
beforeEach(() => {
  vi.useFakeTimers();
  [asked, lost, heard, views] = [new Map(), new Set(), [], []];
});
afterEach(() => {
  stop();
  watch.close();
  vi.useRealTimers();
});

/** A root with these peers, and somebody who looks. */
function look(...peers: string[]): void {
  for (const name of [ROOT, ...peers]) asked.set(name, new Asked());
  at(ROOT).peers = peers;
  const node = {
    name: ROOT,
    isHidden: false,
    nodes: () => [...asked.keys()].filter((name) => !lost.has(name)),
    introspect(name: string, { timeout }: { timeout: number }) {
      const view = asked.get(name);
      if (view !== undefined) view.views++;
      else throw new Error(`${name} is no name`);
      return {
        overview: () => view.overview(timeout),
        sessions: () => view.sessions(),
        crashes: ({ after }: { after: number }) => view.pageOfCrashes(after),
      };
    },
  };
  watch = new ClusterWatch(node as never, ROOT, EVERY, (name, crashes) => heard.push([name, crashes]));
  stop = watch.follow((status) => views.push(status));
}

const at = (name: string): Asked => asked.get(name) as Asked;
const states = (): unknown => views.at(-1)?.nodes.map(({ node, state }) => [node, state]);

describe('the observer', () => {
  it('W10 shows the others within a second when one node does not answer, and asks that one once', async () => {
    look('b@h:1', 'c@h:1');
    at('b@h:1').isStuck = true;
    await vi.advanceTimersByTimeAsync(999);
    expect(views).toHaveLength(0);
    await vi.advanceTimersByTimeAsync(1);
    expect(states()).toEqual([
      [ROOT, 'up'],
      ['b@h:1', 'asked'],
      ['c@h:1', 'up'],
    ]);
    await vi.advanceTimersByTimeAsync(2 * (EVERY + 1000));
    expect([views.length, at('b@h:1').asks, at('c@h:1').asks]).toEqual([3, 1, 3]);
  });

  it.each(['isStuck', 'isSilent'] as const)(
    'W10 shows the others when more nodes are %s than it waits for',
    async (how) => {
      const stuck = Array.from({ length: 40 }, (_, number) => `n${number}@h:1`);
      look(...stuck, 'z@h:1');
      for (const name of stuck) at(name)[how] = true;
      const asks = (): number => stuck.reduce((sum, name) => sum + at(name).asks, 0);
      await vi.advanceTimersByTimeAsync(1000);
      expect([asks(), at('z@h:1').asks]).toEqual([16, 0]);
      await vi.advanceTimersByTimeAsync(2 * (EVERY + 1000));
      expect([views.length, at('z@h:1').asks]).toEqual([3, 1]);
      expect(states()).toContainEqual(['z@h:1', 'up']);
      for (let round = 2; round < 10; round++) {
        await vi.advanceTimersByTimeAsync(EVERY + 1000);
        expect([views.length, at('z@h:1').asks]).toEqual([round + 2, round]);
      }
      for (const name of stuck) expect(at(name).asks > 0).toBe(true);
    },
  );

  it('W10 shows what it knew while the node whose cluster it is does not answer', async () => {
    look('b@h:1');
    await vi.advanceTimersByTimeAsync(0);
    expect(states()).toEqual([
      [ROOT, 'up'],
      ['b@h:1', 'up'],
    ]);
    at(ROOT).isStuck = true;
    await vi.advanceTimersByTimeAsync(EVERY + 1000);
    expect([views.length, at(ROOT).asks, at('b@h:1').asks]).toEqual([2, 2, 2]);
    await vi.advanceTimersByTimeAsync(EVERY + 1000);
    expect([views.length, at(ROOT).asks, at('b@h:1').asks]).toEqual([3, 2, 3]);
    expect(views.at(-1)?.nodes.map(({ node }) => node)).toEqual([ROOT, 'b@h:1']);
  });

  it('shows the last figures of a node that does not answer until its query times out after three seconds', async () => {
    look('b@h:1');
    await vi.advanceTimersByTimeAsync(0);
    at('b@h:1').isSilent = true;
    const shown = (): unknown[] => {
      const { state, overview } = views.at(-1)?.nodes[1] ?? {};
      return [views.length, state, overview !== undefined];
    };
    await vi.advanceTimersByTimeAsync(EVERY + 2999);
    expect(shown()).toEqual([2, 'up', true]);
    await vi.advanceTimersByTimeAsync(1001);
    expect(shown()).toEqual([3, 'silent', false]);
    expect([...at('b@h:1').limits]).toEqual([3000]);
    at('b@h:1').isSilent = false;
    await vi.advanceTimersByTimeAsync(EVERY);
    expect(shown()).toEqual([4, 'up', true]);
  });

  it('W9 asks nobody when nobody looks any more', async () => {
    look('b@h:1');
    await vi.advanceTimersByTimeAsync(3 * EVERY);
    stop();
    await vi.advanceTimersByTimeAsync(0);
    const before = at('b@h:1').asks;
    expect(before).toBeGreaterThan(1);
    await vi.advanceTimersByTimeAsync(100 * EVERY);
    expect(at('b@h:1').asks).toBe(before);
  });

  it('shows a lost node for thirty rounds, and asks it no more then', async () => {
    look('b@h:1', 'c@h:1');
    await vi.advanceTimersByTimeAsync(0);
    at(ROOT).peers = ['c@h:1'];
    lost.add('b@h:1');
    const { asks } = at('b@h:1');
    for (let round = 0; round < 30; round++) await vi.advanceTimersByTimeAsync(EVERY);
    expect(states()).toEqual([
      [ROOT, 'up'],
      ['b@h:1', 'lost'],
      ['c@h:1', 'up'],
    ]);
    await vi.advanceTimersByTimeAsync(EVERY);
    expect(views.at(-1)?.nodes.map(({ node }) => node)).toEqual([ROOT, 'c@h:1']);
    expect(at('b@h:1').asks).toBe(asks);
    lost.clear();
    at(ROOT).peers = ['b@h:1', 'c@h:1'];
    await vi.advanceTimersByTimeAsync(EVERY);
    expect(views.at(-1)?.nodes.map(({ node }) => node)).toEqual([ROOT, 'b@h:1', 'c@h:1']);
    expect([at('b@h:1').views, at('c@h:1').views]).toEqual([2, 1]); // nothing of it was kept
  });

  it('W9 asks once a round however many look, and shows who comes later what it knows', async () => {
    look('b@h:1');
    await vi.advanceTimersByTimeAsync(0);
    const late: ClusterView[] = [];
    const stops = [1, 2].map(() => watch.follow((view) => late.push(view)));
    expect(late).toEqual([views[0], views[0]]);
    await vi.advanceTimersByTimeAsync(EVERY - 1);
    expect([at(ROOT).asks, views.length, late.length]).toEqual([1, 1, 2]);
    await vi.advanceTimersByTimeAsync(1);
    expect([at(ROOT).asks, views.length, late.length]).toEqual([2, 2, 4]);
    for (const one of stops) one();
    await vi.advanceTimersByTimeAsync(EVERY);
    expect([at(ROOT).asks, views.length, late.length]).toEqual([3, 3, 4]);
  });

  it('W9 begins no second round for who leaves and comes again, and leaves no timer', async () => {
    look('b@h:1', 'c@h:1');
    at('b@h:1').isStuck = true;
    for (let times = 0; times < 5; times++) {
      stop();
      stop = watch.follow((view) => views.push(view));
      await vi.advanceTimersByTimeAsync(100);
    }
    expect([at(ROOT).asks, at('c@h:1').asks, views.length]).toEqual([1, 1, 0]);
    await vi.advanceTimersByTimeAsync(1000);
    expect(views).toHaveLength(1);
    expect(vi.getTimerCount()).toBe(1); // the next round
    stop();
    expect(vi.getTimerCount()).toBe(0);
    for (const end of [(): void => stop(), (): void => watch.close()]) {
      stop = watch.follow((view) => views.push(view));
      await vi.advanceTimersByTimeAsync(100);
      end();
      await vi.advanceTimersByTimeAsync(1000); // the round ends, and no other begins
      expect([views.length, vi.getTimerCount()]).toEqual([2, 0]); // the second is what was known
      stop();
      views.length = 1;
    }
    lost.add('b@h:1');
    stop = watch.follow((view) => views.push(view));
    await vi.advanceTimersByTimeAsync(0);
    expect(vi.getTimerCount()).toBe(1); // a round that ends early leaves no time limit
  });

  it.each([
    [{ details: { reason: 'off' } }, 'off'],
    [{ details: { reason: 'nodedown' } }, 'lost'],
    [{ details: { reason: 'timeout' } }, 'silent'],
    [{}, 'silent'],
  ])('shows a node whose query fails with %j as %s', async (more, state) => {
    look('b@h:1');
    at('b@h:1').sessions = () => Promise.reject(Object.assign(new Error('no'), more));
    await vi.advanceTimersByTimeAsync(EVERY);
    expect(states()).toEqual([
      [ROOT, 'up'],
      ['b@h:1', state],
    ]);
  });

  it('shows a node once although it says that it is its own peer', async () => {
    look('b@h:1');
    at(ROOT).peers = [ROOT, 'b@h:1', 'b@h:1'];
    await vi.advanceTimersByTimeAsync(EVERY);
    expect(views.at(-1)?.nodes.map(({ node }) => node)).toEqual([ROOT, 'b@h:1']);
  });

  it('reads crashes of a node that has new ones, and all again after a new start', async () => {
    const crash = (id: number): CrashInfo => ({ id, label: 'clerk' }) as CrashInfo;
    look('b@h:1');
    const b = at('b@h:1');
    await vi.advanceTimersByTimeAsync(EVERY);
    expect(b.crashesAfter).toEqual([]);
    [b.crashes, b.count] = [[crash(1), crash(2)], 2];
    await vi.advanceTimersByTimeAsync(EVERY);
    await vi.advanceTimersByTimeAsync(EVERY);
    expect(heard).toEqual([['b@h:1', [crash(1), crash(2)]]]);
    [b.crashes, b.count] = [[crash(2), crash(3)], 3];
    await vi.advanceTimersByTimeAsync(EVERY);
    expect(heard.at(-1)).toEqual(['b@h:1', [crash(3)]]);
    [b.crashes, b.count] = [[crash(1), crash(5)], 5];
    b.startedAt += 100_000; // it is another start
    await vi.advanceTimersByTimeAsync(EVERY);
    expect(b.crashesAfter).toEqual([0, 2, 0]);
    expect(heard.at(-1)).toEqual(['b@h:1', [crash(1), crash(5)]]);
    [b.crashes, b.count] = [[], 6]; // it is not kept any more
    for (let round = 0; round < 3; round++) await vi.advanceTimersByTimeAsync(EVERY);
    expect(b.crashesAfter).toEqual([0, 2, 0, 5]);
    expect(heard).toHaveLength(3);
  });

  it('tells connections by the place of the peer, in whole bytes', async () => {
    look('b@h:1', 'c@h:1');
    at('c@h:1').peers = [ROOT, 'unknown@h:1'];
    at('c@h:1').stalled = [ROOT];
    await vi.advanceTimersByTimeAsync(0);
    expect(views.at(-1)?.nodes.map(({ sessions }) => sessions)).toEqual([
      [
        [1, 0, 7, 1, 3],
        [2, 0, 7, 1, 3],
      ],
      [],
      [[0, 1, 7, 1, 3]],
    ]);
  });

  it('shows each connection once, and no nodes but those of its list, whatever a node answers', async () => {
    look('b@h:1');
    const liar = at('b@h:1');
    liar.peers = new Array<string>(1000).fill(ROOT);
    liar.stalled = [ROOT, 'unknown@h:1', ...liar.peers];
    await vi.advanceTimersByTimeAsync(0);
    const { overview, sessions } = views.at(-1)?.nodes[1] ?? {};
    expect([sessions, overview?.stalledPeers]).toEqual([[[0, 1, 7, 1, 3]], [ROOT]]);
  });

  it('is not stopped by a name that is none, and shows at most 128 nodes', async () => {
    look(...Array.from({ length: 200 }, (_, number) => `n${number}@h:1`));
    asked.delete('n7@h:1');
    await vi.advanceTimersByTimeAsync(1000);
    const [status] = views;
    expect([status?.nodes.length, status?.omitted]).toEqual([128, 73]);
    asked.set('', new Asked());
    at(ROOT).peers = ['', 'n1@h:1'];
    await vi.advanceTimersByTimeAsync(EVERY);
    expect(views).toHaveLength(2);
  });
});
