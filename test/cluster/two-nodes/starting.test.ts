// Starts on another node: they end as starts here do, when the init there is done (I1-I3, S5).
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Cluster, ClusterNode } from '../../support/cluster.ts';
import type { Workbench } from '../../support/cluster-node.ts';
import { until } from '../../support/deadline.ts';
import { connectedPair } from '../../support/pair.ts';

type AnySelf = import('../../../ts/index.ts').Self<unknown>;
type Options = import('../../../ts/index.ts').StartOptions;

let cluster: Cluster;
let a: ClusterNode;
let b: ClusterNode;
beforeEach(async () => {
  ({ cluster, a, b } = await connectedPair(prepare, expose));
});
afterEach(() => cluster.stop());

/** What can be started on b. `box.living` counts who lives, `box.ends` says how they ended. */
const expose = (bench: Workbench): void => {
  const { box, snow, node } = bench;
  box['ends'] = [];
  box['living'] = 0;
  box['go'] = bench.deferred();
  const enter = (self: AnySelf): void => {
    box['living']++;
    node.runtime.onDeath(self.pid, (_pid, reason) => {
      box['living']--;
      box['ends'].push(reason);
    });
  };
  const handler = (name: string, init: (self: AnySelf) => unknown): void =>
    node.expose(
      snow.defineHandler(name, ((self: AnySelf) => {
        enter(self);
        self.trapExit(true);
        return init(self);
      }) as never) as never,
    );
  const body = { onMessage: (): void => {} };
  handler('quick', () => body);
  handler('slow', async (self) => {
    await self.sleep(1);
    return body;
  });
  handler('gated', () => box['go'].promise.then(() => body));
  handler('unwilling', () => snow.IGNORE);
  handler('broken', () => {
    throw new Error('no such table');
  });
  handler('leaving', (self) => self.exit({ why: 'busy' }));
  handler('announced', async (self) => {
    self.send({ name: 'parent', node: box['peer'] }, self.pid);
    await self.receive();
    throw new Error('after all');
  });
  handler('verbose', (self) => self.exit('x'.repeat(200 * 1024 * 1024)));
  handler('shortlived', (self) => {
    self.startTimer(0, self.pid as never, 'over');
    return { onMessage: () => self.exit('over') };
  });
};

/** On a: `box.start(peer, name, options)` starts from an actor that traps exits; gives the result and what else it got. */
const prepare = (bench: Workbench): void => {
  const { box, snow, node } = bench;
  box['start'] = async (peer: string, name: string, options: Options = {}) => {
    const probe = await bench.probe(undefined, true);
    const spec = snow.defineHandler(name, (() => {}) as never);
    const result = await snow.start(probe.self, spec as never, [], { link: true, ...options, node: peer });
    await bench.turns(3);
    const got = probe.messages.map((each: any) => [each.constructor.name, each.reason]);
    const shown = result.ok ? { ok: true, on: node.nodeOf(result.pid as never) } : result;
    return { result: shown, got, probe };
  };
  box['outcome'] = async (peer: string, name: string, options?: Options) => {
    const { result, got } = await box['start'](peer, name, options);
    return { result, got };
  };
  box['open'] = () => [
    node.runtime.spawns.size,
    node.runtime.links.remoteCount,
    node.runtime.monitors.remoteCount,
  ];
};

interface Outcome {
  readonly result: { readonly ok: boolean; readonly reason?: any };
  readonly got: unknown[];
}
const start = (name: string, options?: Options): Promise<Outcome> =>
  a.run((bench, peer, what, how) => bench.box['outcome'](peer, what, how), b.name, name, options);
/** Nothing of a start is left on a: its replies have come. */
const untilClosed = (): Promise<unknown> =>
  a.run((bench) =>
    bench.until('every reply', () => bench.box['open']().every((count: number) => count === 0)),
  );
const living = (): Promise<number> => b.run((bench) => bench.box['living']);
const ends = (): Promise<unknown[]> => b.run((bench) => bench.box['ends']);

describe('a start on another node', () => {
  it('I1 waits for the init there', async () => {
    const quick = await start('quick');
    expect(quick).toMatchObject({ result: { ok: true, on: b.name }, got: [] });
    let isOver = false;
    const gated = start('gated', { monitor: true }).finally(() => (isOver = true));
    await until('the child', async () => (await living()) === 2);
    await start('quick');
    expect(isOver).toBe(false);
    await b.run((bench) => bench.box['go'].resolve());
    expect(await gated).toMatchObject({ result: { ok: true, on: b.name }, got: [] });
    expect(await living()).toBe(3);
  });

  it('I1, I2 says why there is no child, and tells a linked parent that traps exits', async () => {
    expect(await start('unwilling')).toMatchObject({
      result: { ok: false, ignore: true },
      got: [['Exit', 'normal']],
    });
    const broken = await start('broken');
    expect(broken.result.reason.error.message).toBe('no such table');
    expect(broken.got).toEqual([['Exit', broken.result.reason]]);
    expect(await start('leaving', { link: false })).toMatchObject({
      result: { ok: false, reason: { why: 'busy' } },
      got: [],
    });
    expect(await start('leaving', { monitor: true, link: false })).toMatchObject({
      got: [['Down', { why: 'busy' }]],
    });
    expect(await start('unheard-of')).toMatchObject({ result: { reason: 'unknown_function' }, got: [] });
    await untilClosed();
    expect(await living()).toBe(0);
  });

  it('I2 tells a parent once that has linked itself to the child during its init', async () => {
    await b.run((bench, peer) => void (bench.box['peer'] = peer), a.name);
    const reasons = await a.run(async (bench, node) => {
      const { snow } = bench;
      const probe = await bench.probe('parent', true);
      const spec = snow.defineHandler('announced', (() => {}) as never);
      const started = snow.start(probe.self, spec as never, [], { link: true, node });
      const [child] = (await probe.count(1)) as [never];
      probe.self.link(child);
      probe.self.send(child, 'go on' as never);
      const { reason } = (await started) as { reason: unknown };
      // Whatever that node sends about the child comes before this answer.
      await snow.call(bench.node, { name: 'nobody', node }, 'x').catch(() => {});
      await bench.turns(3);
      return [reason, ...probe.messages.slice(1).map((each) => (each as { reason: unknown }).reason)];
    }, b.name);
    expect(reasons).toHaveLength(2);
    expect(reasons[1]).toEqual(reasons[0]);
  });

  it('P8 fails with a reason that says so when the true one cannot travel', async () => {
    const reason = { unsendable: 'SNOW_ERR_TOO_LARGE' };
    expect(await start('verbose')).toMatchObject({ result: { ok: false, reason }, got: [['Exit', reason]] });
  });

  it('I2 registers a name there, and frees it when the init fails', async () => {
    const whereis = (): Promise<string> => b.run((bench) => String(bench.node.whereis('clerk')));
    expect((await start('broken', { name: 'clerk' })).result.ok).toBe(false);
    expect(await whereis()).toBe('undefined');
    expect((await start('quick', { name: 'clerk' })).result.ok).toBe(true);
    const holder = await whereis();
    expect(holder).not.toBe('undefined');
    const isHolder = await a.run(async (bench, peer) => {
      const { result } = await bench.box['start'](peer, 'quick', { name: 'clerk' });
      return [bench.node.nodeOf(result.reason.alreadyStarted), result.reason.alreadyStarted.local];
    }, b.name);
    expect(isHolder[0]).toBe(b.name);
    expect(holder).toContain(String(isHolder[1]));
    expect((await start('quick', { name: '' })).result.reason).toContain('SNOW_ERR_BAD_NAME');
    expect(await living()).toBe(1);
  });

  it('I3 kills a child whose init takes too long, and leaves nothing', async () => {
    for (const options of [{}, { link: false }, { name: 'late' }]) {
      expect(await start('gated', { timeout: 100, ...options })).toMatchObject({
        result: { ok: false, reason: 'timeout' },
        got: [],
      });
    }
    await until('the end of the children', async () => (await living()) === 0);
    expect(await ends()).toEqual(['killed', 'killed', 'killed']);
    await untilClosed();
    await b.run((bench) => bench.box['go'].resolve());
    expect((await start('gated', { name: 'late', timeout: 10_000 })).result.ok).toBe(true);
  });

  it('I3 an asked-for monitor says killed', async () => {
    const seen = await a.run(async (bench, peer) => {
      const { probe } = await bench.box['start'](peer, 'gated', { timeout: 100, monitor: true });
      const [down] = await probe.count(1);
      return [down.constructor.name, down.reason];
    }, b.name);
    expect(seen).toEqual(['Down', 'killed']);
  });

  it('I3 gives up in time on a node that stands still; the late child is killed', async () => {
    b.freeze();
    const outcome = await start('quick', { timeout: 200 });
    expect(outcome).toMatchObject({ result: { ok: false, reason: 'timeout' }, got: [] });
    b.thaw();
    await until('the end of the child', async () => (await ends()).length === 1);
    expect(await ends()).toEqual(['killed']);
    await untilClosed();
  });

  it('S3, I3 a child whose starter is lost during its init is killed', async () => {
    const asked = start('gated').catch(() => 'gone');
    await until('the child', async () => (await living()) === 1);
    await a.kill();
    await asked;
    await until('the end of the child', async () => (await living()) === 0);
    expect(await ends()).toEqual(['killed']);
  });

  it('S5, N3 fails with noconnection when the node is lost during the init', async () => {
    const asked = start('gated');
    await until('the child', async () => (await living()) === 1);
    await b.kill();
    expect(await asked).toMatchObject({ result: { ok: false, reason: 'noconnection' }, got: [] });
  });

  it('N5 tells the PID before the end of a child that ends right after its init', async () => {
    const seen = await a.run(async (bench, peer) => {
      const outcomes = new Set<string>();
      for (let round = 0; round < 200; round++) {
        const { result, probe } = await bench.box['start'](peer, 'shortlived');
        const [exit] = await probe.count(1);
        outcomes.add(`${result.ok} ${exit.reason} ${probe.messages.length}`);
      }
      return [...outcomes];
    }, b.name);
    expect(seen).toEqual(['true over 1']);
  });
});

describe('code outside of actors', () => {
  const startOutside = (name: string, options: Options = {}, node = b.name): Promise<any> =>
    a.run(
      async (bench, peer, what, how) => {
        const spec = bench.snow.defineHandler(what, (() => {}) as never);
        const { runtime } = bench.node;
        const result = await bench.snow.start(runtime, spec as never, [], { ...how, node: peer });
        if (!result.ok) return result;
        bench.box['child'] = result.pid;
        return { ok: true, on: bench.node.nodeOf(result.pid as never), ref: result.ref };
      },
      node,
      name,
      options,
    );

  it('I1, S5 starts on another node as on its own, without a link or a monitor', async () => {
    const options = { link: true, monitor: true, name: 'clerk' };
    expect(await startOutside('slow', options)).toEqual({ ok: true, on: b.name, ref: undefined });
    expect(await b.run((bench) => bench.node.whereis('clerk') !== undefined)).toBe(true);
    await untilClosed();
    expect((await startOutside('quick', { name: 'clerk' })).reason).toHaveProperty('alreadyStarted');
    await a.run((bench) => bench.snow.stop(bench.node.runtime, bench.box['child'], 'shutdown'));
    expect(await living()).toBe(0);
  });

  it('I1, I3, S5 hears why there is no child, and leaves none', async () => {
    expect(await startOutside('unwilling')).toEqual({ ok: false, ignore: true });
    expect((await startOutside('broken')).reason.error.message).toBe('no such table');
    expect(await startOutside('unheard-of')).toEqual({ ok: false, reason: 'unknown_function' });
    const nowhere = await startOutside('quick', {}, 'nobody@127.0.0.1:1');
    expect(nowhere).toEqual({ ok: false, reason: 'noconnection' });
    expect(await startOutside('gated', { timeout: 100 })).toEqual({ ok: false, reason: 'timeout' });
    await until('the end of the children', async () => (await living()) === 0);
    await untilClosed();
  });

  it('I3 gives up in time on a node that stands still; the late child is killed', async () => {
    b.freeze();
    expect(await startOutside('quick', { timeout: 200 })).toEqual({ ok: false, reason: 'timeout' });
    b.thaw();
    await until('the end of the child', async () => (await ends()).length === 1);
    expect(await ends()).toEqual(['killed']);
  });

  it('S3 keeps a child beyond the loss of the connection, and loses one under way', async () => {
    expect((await startOutside('quick')).ok).toBe(true);
    const asked = startOutside('gated');
    await until('the child', async () => (await living()) === 2);
    await a.run((bench, peer) => bench.node.disconnect(peer), b.name);
    expect(await asked).toEqual({ ok: false, reason: 'noconnection' });
    await until('the end of the child', async () => (await ends()).length === 1);
    expect([await living(), await ends()]).toEqual([1, ['killed']]);
  });

  it('S5 is answered when its own node stops, and afterwards', async () => {
    const asked = startOutside('gated');
    await until('the child', async () => (await living()) === 1);
    await a.run((bench) => bench.node.stop());
    expect(await asked).toEqual({ ok: false, reason: 'noconnection' });
    expect(await startOutside('quick')).toEqual({ ok: false, reason: 'SNOW_ERR_STOPPED' });
    await until('the end of the child', async () => (await living()) === 0);
  });
});

it('J2, S5, I3 a supervisor does not start when the init of a child there fails or takes too long', async () => {
  const reasons = await a.run(async (bench, peer) => {
    const { childSpec, defineHandler, defineSupervisor, start } = bench.snow;
    const far = (name: string): never => defineHandler(name, (() => {}) as never) as never;
    const failed: any[] = [];
    for (const bad of ['broken', 'leaving', 'gated']) {
      const children = [
        childSpec('before', far('quick'), { node: peer }),
        childSpec('bad', far(bad), { node: peer, startTimeout: bad === 'gated' ? 200 : 20_000 }),
        childSpec('after', far('quick'), { node: peer }),
      ];
      const result: any = await start(
        bench.node.runtime,
        defineSupervisor({ name: 'tree', children }) as never,
        [],
      );
      failed.push(result.reason.shutdown);
    }
    return failed;
  }, b.name);
  expect(reasons.map(({ failedToStartChild }) => failedToStartChild)).toEqual(['bad', 'bad', 'bad']);
  expect(reasons[0].reason.error.message).toBe('no such table');
  expect(reasons[1].reason).toEqual({ why: 'busy' });
  expect(reasons[2].reason).toBe('timeout');
  await until('the end of the children', async () => (await living()) === 0);
  const ended = await ends();
  expect(ended).toHaveLength(6);
  expect(ended.filter((reason) => reason === 'shutdown')).toHaveLength(3);
  await untilClosed();
});
