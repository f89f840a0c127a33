// Starts on another node whose connection breaks between the child's "ready" and its starter's "I know".
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Cluster, ClusterNode } from '../../support/cluster.ts';
import type { Workbench } from '../../support/cluster-node.ts';
import { until } from '../../support/deadline.ts';
import { proxiedPair } from '../../support/pair.ts';
import type { Proxy } from '../../support/proxy.ts';

type AnySelf = import('../../../ts/index.ts').Self<unknown>;
type Info = import('../../../ts/index.ts').ChildInfo;

let cluster: Cluster;
let a: ClusterNode;
let b: ClusterNode;
let proxy: Proxy;
beforeEach(async () => {
  ({ cluster, a, b, proxy } = await proxiedPair(prepare, expose));
});
afterEach(() => cluster.stop());

/** `stubborn` ends only when it is killed, and is ready when `box.go` is. */
const expose = (bench: Workbench): void => {
  const { box, node } = bench;
  box['living'] = 0;
  box['most'] = 0;
  box['ends'] = [];
  box['go'] = bench.deferred();
  const body = async (self: AnySelf): Promise<void> => {
    self.trapExit(true);
    box['most'] = Math.max(box['most'], ++box['living']);
    node.runtime.onDeath(self.pid, (_pid, reason) => {
      box['living']--;
      box['ends'].push(reason);
    });
    await box['go'].promise;
    self.initAck();
    for (;;) await self.receive();
  };
  node.expose({ kind: 'function', name: 'stubborn', ack: true, body } as never);
};

/** `box.start(peer, link)` starts one from an actor of its own. */
const prepare = (bench: Workbench): void => {
  const { box, snow } = bench;
  box['spec'] = snow.defineActor('stubborn', async () => {});
  box['start'] = async (peer: string, link: boolean) => {
    box['probe'] = await bench.probe(undefined, true);
    return snow.start(box['probe'].self, box['spec'], [], { node: peer, link });
  };
};

const start = (link: boolean): Promise<{ ok: boolean; reason?: unknown }> =>
  a.run(
    async (bench, peer, isLinked) => {
      const { ok, reason } = await bench.box['start'](peer, isLinked);
      return { ok, reason };
    },
    b.name,
    link,
  );
const living = (node: ClusterNode): Promise<number> => node.run((bench) => bench.box['living']);
const untilLiving = (count: number): Promise<unknown> =>
  until(`${count} children`, async () => (await living(b)) === count);
const ends = (): Promise<unknown[]> => b.run((bench) => bench.box['ends']);
const ready = (): Promise<void> => b.run((bench) => void bench.box['go'].resolve());
/** Waits until something of b, or of a, is held back. */
async function held(toServer: boolean): Promise<() => Promise<unknown>> {
  let parts = 0;
  proxy.tamper = (part, isToServer) => {
    if (isToServer !== toServer) return part;
    parts++;
    return undefined;
  };
  return () => until('something held back', () => parts > 0);
}

for (const link of [true, false]) {
  const kind = link ? 'linked' : 'free';

  it(`S3, I3 a ${kind} child that gets ready when its word cannot arrive any more is ended`, async () => {
    const asked = start(link);
    await untilLiving(1);
    const somethingHeld = await held(false);
    await ready();
    await somethingHeld();
    proxy.partition();
    expect(await asked).toEqual({ ok: false, reason: 'noconnection' });
    await untilLiving(0);
    expect(await ends()).toEqual(['killed']);
  });

  it(`S3 a ${kind} child whose starter's word is lost is ended by its node`, async () => {
    const asked = start(link);
    await untilLiving(1);
    const somethingHeld = await held(true);
    await ready();
    expect((await asked).ok).toBe(true);
    await somethingHeld();
    proxy.partition();
    await untilLiving(0);
    expect(await ends()).toEqual(['killed']);
    const got = await a.run(async (bench, count) => {
      await bench.box['probe'].count(count);
      return bench.box['probe'].messages.map(({ reason }: { reason: unknown }) => reason);
    }, Number(link));
    expect(got).toEqual(link ? ['noconnection'] : []);
  });

  it(`S3, O2 a ${kind} child whose starter knows of it runs on`, async () => {
    const asked = start(link);
    await untilLiving(1);
    await ready();
    expect((await asked).ok).toBe(true);
    // Answered after the confirmation, which went before it (B1).
    await a.run(
      (bench, peer) =>
        bench.snow.call(bench.box['probe'].self, { name: 'echo', node: peer }, 'x').catch(() => {}),
      b.name,
    );
    proxy.partition();
    await b.run((bench) => bench.event('nodedown'));
    await b.run((bench) => bench.turns(5));
    expect(await living(b)).toBe(1);
  });
}

it('S3 a supervisor that counts such a start as lost does not end up with two children', {
  timeout: 60_000,
}, async () => {
  await a.run(async (bench, peer) => {
    const { box, snow, node } = bench;
    const child = snow.childSpec('x', box['spec'], { node: peer, onNodeLost: 'wait' });
    box['tree'] = snow.start(
      node.runtime,
      snow.defineSupervisor({ name: 'tree', intensity: 5, period: 3_600_000, children: [child] }) as never,
      [],
    );
  }, b.name);
  await untilLiving(1);
  await ready();
  await a.run(async (bench) => void (bench.box['tree'] = (await bench.box['tree']).pid));
  for (let round = 1; round <= 5; round++) {
    // The next child gets ready at once, and its word is held back.
    await b.run((bench) => void (bench.box['go'] = bench.deferred()));
    proxy.cut();
    await until(
      'another child',
      async () => (await ends()).length === 2 * round - 1 && (await living(b)) === 1,
    );
    const somethingHeld = await held(false);
    await ready();
    await somethingHeld();
    proxy.cut();
    proxy.tamper = undefined;
    await until('the end of it', async () => (await ends()).length === 2 * round);
    await until('an active child', async () => {
      const list = (await a.run((bench) =>
        bench.snow
          .whichChildren(bench.node.runtime, bench.box['tree'])
          .then((all: Info[]) => all.map(({ pid }) => typeof pid)),
      )) as string[];
      return list[0] === 'object';
    });
    expect(await living(b)).toBe(1);
  }
  expect(await b.run((bench) => bench.box['most'])).toBe(1);
});
