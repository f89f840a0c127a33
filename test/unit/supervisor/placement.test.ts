// Where children live: a node by name, or a function that is asked before every start (S1, S2, S5).
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { defineActor, type Self } from '../../../ts/actor/index.ts';
import {
  type ChildOptions,
  childSpec,
  defineDynamicSupervisor,
  defineSupervisor,
  startChild,
} from '../../../ts/supervisor/index.ts';
import type { Pid } from '../../../ts/term/index.ts';
import { type Probe, startTestRuntime, type TestRuntime } from '../../../ts/testing/index.ts';
import { type Family, family } from './family.ts';
import { FAR, FarNode } from './far-node.ts';

const OTHER = 'other@host:1';

let kit: TestRuntime;
let f: Family;
let far: FarNode;
let other: FarNode;
let probe: Probe;
beforeEach(async () => {
  kit = startTestRuntime();
  f = family(kit);
  far = new FarNode(kit.runtime);
  other = new FarNode(kit.runtime, OTHER, 512);
  probe = await kit.probe();
});
afterEach(() => kit.stop());

const sitter = defineActor('sitter', async (self: Self) => void (await self.receive()));

async function supervise(options: ChildOptions, intensity = 3): Promise<Pid> {
  const children = [childSpec('x', sitter, options)];
  const pid = await defineSupervisor({ name: 'tree', intensity, children }).start(kit);
  probe.watch(pid);
  return pid;
}
const where = async (supervisor: Pid): Promise<string | undefined> => {
  const { x } = await f.pids(supervisor);
  return typeof x === 'object' ? kit.runtime.nodeOf(x) : x;
};

describe('the node of a child', () => {
  it('S1 is the one its spec names, also when it is restarted', async () => {
    const pid = await supervise({ node: FAR });
    expect(await where(pid)).toBe(FAR);
    far.end(1, 'oops');
    await kit.settle();
    expect(await where(pid)).toBe(FAR);
    expect(far.living).toEqual(new Set([2]));
    expect(far.logged()).toEqual(['start', 'start']);
  });

  it('S2 is asked for with the id before every start, so a child can fall over', async () => {
    const asked: string[] = [];
    const pid = await supervise({ node: (id) => (asked.push(id) === 1 ? FAR : OTHER) });
    expect(await where(pid)).toBe(FAR);
    far.crash();
    await kit.settle();
    expect(await where(pid)).toBe(OTHER);
    expect(asked).toEqual(['x', 'x']);
  });

  it('S3 is rid of a child that was lost while it was stopped for its sibling, and fell over', async () => {
    const children = [
      childSpec('x', sitter, { node: () => (far.isUp ? FAR : OTHER) }),
      childSpec('y', sitter, { node: OTHER }),
    ];
    const pid = await defineSupervisor({ name: 'tree', strategy: 'one_for_all', children }).start(kit);
    far.isUp = false; // as the supervisor is about to learn
    other.end(1, 'oops');
    await kit.settle();
    expect(await where(pid)).toBe(OTHER);
    expect(far.living).toEqual(new Set([1]));
    far.isUp = true;
    await kit.advance(60_000);
    expect(far.living).toEqual(new Set());
  });

  const superviseDynamic = async (options: ChildOptions): Promise<Pid> => {
    const pid = await defineDynamicSupervisor({ name: 'dynamic' }).start(kit);
    await startChild(kit, pid, childSpec('x', sitter, options));
    return pid;
  };
  it.each([
    ['static', supervise],
    ['dynamic', superviseDynamic],
  ])(
    'S2 is chosen once for a check and the start that follows, when the child waits: %s',
    async (_kind, begin) => {
      let asked = 0;
      const pid = await begin({ node: () => (asked++ % 2 === 0 ? FAR : OTHER), onNodeLost: 'wait' });
      far.crash();
      await kit.settle();
      other.isUp = false;
      far.logged();
      for (let round = 0; round < 20; round++) await kit.advance(30_000);
      expect([far.logged(), other.logged()].flat()).not.toContain('start');
      other.isUp = true;
      await kit.advance(60_000);
      expect(await where(pid)).toBe(OTHER);
      expect(other.logged()).toEqual(expect.arrayContaining(['check', 'start']));
      expect(far.logged()).not.toContain('start');
      far.connect(); // and kills what may have outlived a split
      await kit.settle();
      expect(kit.runtime.arrivals.size).toBe(0);
    },
  );

  it('S5 that cannot be chosen is why the start failed', async () => {
    const cases: [ChildOptions['node'], string][] = [
      [
        () => {
          throw new Error('no node has room');
        },
        'no node has room',
      ],
      [
        () => {
          throw Object.create(null); // which has no text
        },
        'bad placement',
      ],
      [() => Object.create(null), '`node` returned an object'],
      [() => undefined as never, '`node` returned undefined, not the name of a node'],
      [() => 7 as never, '`node` returned a number'],
      [(async () => Promise.reject(new Error('unhandled'))) as never, '`node` returned a promise'], // fails this file if nobody handles it
    ];
    for (const [node, text] of cases) {
      const tree = defineSupervisor({
        name: 'tree',
        children: [childSpec('x', sitter, { node: node as never })],
      });
      const reason = { shutdown: { failedToStartChild: 'x', reason: expect.stringContaining(text) } };
      await expect(tree.start(kit)).rejects.toMatchObject({ details: { reason } });
    }
  });

  it('S2 that cannot be chosen at a restart uses up intensity, also of a child that waits', async () => {
    for (const onNodeLost of ['restart', 'wait'] as const) {
      let asked = 0;
      const node = (): string => {
        if (asked++ === 0) return FAR;
        throw asked === 2 ? Object.create(null) : new Error('no node has room');
      };
      far.isUp = true;
      const pid = await supervise({ node, onNodeLost });
      far.crash();
      await kit.advance(1000);
      await probe.expectDown(pid, 'shutdown');
    }
  });

  it('S5 takes only what another node can start', async () => {
    const dynamic = await defineDynamicSupervisor({ name: 'dynamic' }).start(kit);
    const bare = childSpec('x', async () => {}, { node: FAR });
    expect(await startChild(kit, dynamic, bare)).toEqual({
      ok: false,
      error: 'start_failed',
      reason: 'SNOW_ERR_NOT_SPAWNABLE',
    });
    const unsendable = childSpec('x', sitter as never, { node: FAR, args: [() => {}] } as never);
    expect(await startChild(kit, dynamic, unsendable)).toMatchObject({ reason: 'SNOW_ERR_UNSENDABLE' });
    expect(far.logged()).toEqual([]);
  });

  it('J3 is checked with the rest of the spec', () => {
    for (const options of [
      { node: 7 },
      { node: null },
      { node: FAR, onNodeLost: 'ignore' },
      { onNodeLost: 'wait' },
    ]) {
      const refused = expect.objectContaining({ code: 'SNOW_ERR_BAD_CHILD_SPEC' });
      const name = JSON.stringify(options);
      expect(() => childSpec('x', sitter, options as never), name).toThrow(refused);
      const children = [{ id: 'x', start: sitter as never, ...(options as object) }];
      expect(() => defineSupervisor({ name: 'tree', children }), name).toThrow(refused);
    }
  });
});
