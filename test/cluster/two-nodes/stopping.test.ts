// Stops of actors on another node: they end in order there, and whoever asked waits until they have (I6).
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Cluster, ClusterNode } from '../../support/cluster.ts';
import type { Workbench } from '../../support/cluster-node.ts';
import { until } from '../../support/deadline.ts';
import { connectedPair } from '../../support/pair.ts';

type AnySelf = import('../../../ts/index.ts').Self<unknown>;

let cluster: Cluster;
let a: ClusterNode;
let b: ClusterNode;
beforeEach(async () => {
  ({ cluster, a, b } = await connectedPair(prepare, expose));
});
afterEach(() => cluster.stop());

/** What can be stopped on b; `box.log` says what happened there. */
const expose = (bench: Workbench): void => {
  const { box, snow, node } = bench;
  box['log'] = [];
  box['go'] = bench.deferred();
  const log = (...entry: unknown[]): void => void box['log'].push(entry);
  const handler = (name: string, onTerminate: (reason: unknown, self: AnySelf) => unknown): void =>
    node.expose(
      snow.defineHandler(name, (self: AnySelf) => {
        self.trapExit(true);
        node.runtime.onDeath(self.pid, (_pid, reason) => log('end', reason));
        return { onMessage: (message: unknown) => log('message', message), onTerminate } as never;
      }) as never,
    );
  handler('orderly', (reason) => log('terminate', reason));
  handler('gated', () => box['go'].promise);
  handler('stray', (_reason, self) => self.exit('otherwise'));
  const actor = (name: string, isTrapping: boolean): void =>
    node.expose(
      snow.defineActor(name, async (self: AnySelf) => {
        self.trapExit(isTrapping);
        node.runtime.onDeath(self.pid, (_pid, reason) => log('end', reason));
        const exit = await self.receive(snow.Exit);
        log('exit', exit.from.equals(self.parent), exit.reason);
        self.exit(exit.reason);
      }) as never,
    );
  actor('simple', false);
  actor('trapping', true);
};

/** On a: `box.stop(peer, what, from, reason, timeout)` starts one, sends it two messages and stops it. */
const prepare = (bench: Workbench): void => {
  const { box, snow, node } = bench;
  const outcome = (ending: Promise<void>): Promise<unknown> =>
    ending.then(
      () => 'stopped',
      (error) => [error.code, error.state, error.reason],
    );
  box['stop'] = async (peer: string, what: string, how: string, reason: unknown, timeout?: number) => {
    const spec = snow.defineHandler(what, (() => {}) as never);
    const probe = await bench.probe(undefined, true);
    const { pid } = (await snow.start(probe.self, spec as never, [], { node: peer })) as never as {
      pid: never;
    };
    box['pid'] = pid;
    const by = how === 'actor' ? probe.self : node;
    for (const message of ['one', 'two']) (by as AnySelf).send(pid, message as never);
    return outcome(snow.stop(by as never, pid, reason as never, timeout === undefined ? {} : { timeout }));
  };
  box['again'] = () => outcome(snow.stop(node, box['pid']));
};

const stop = (what: string, how: string, reason: unknown, timeout?: number): Promise<unknown> =>
  a.run((bench, ...args) => bench.box['stop'](...args), b.name, what, how, reason, timeout);
const again = (): Promise<unknown> => a.run((bench) => bench.box['again']());
const log = (): Promise<unknown[]> => b.run((bench) => bench.box['log'].splice(0));

for (const how of ['actor', 'code outside of actors']) {
  it(`I6 a handler there that traps exits ends in order when asked by ${how}`, async () => {
    for (const reason of ['normal', 'shutdown', { because: [1, 'two'] }, 'kill']) {
      expect(await stop('orderly', how, reason)).toBe('stopped');
      expect(await log()).toEqual([
        ['message', 'one'],
        ['message', 'two'],
        ['terminate', reason],
        ['end', reason],
      ]);
    }
  });
}

it('I6 a function there ends at once, or as it decides on the Exit of its parent', async () => {
  expect(await stop('simple', 'actor', 'normal')).toBe('stopped');
  expect(await log()).toEqual([['end', 'normal']]);
  expect(await stop('trapping', 'outside', 'over')).toBe('stopped');
  expect(await log()).toEqual([
    ['exit', true, 'over'],
    ['end', 'over'],
  ]);
});

it('I6 says what it ended with instead, and that there is nobody', async () => {
  expect(await stop('stray', 'actor', 'normal')).toEqual(['SNOW_ERR_CALL_EXIT', 'exit', 'otherwise']);
  expect(await again()).toEqual(['SNOW_ERR_CALL_NOPROC', 'noproc', undefined]);
});

it('I6 a stop that times out leaves the order to end', async () => {
  expect(await stop('gated', 'actor', 'normal', 100)).toEqual([
    'SNOW_ERR_CALL_TIMEOUT',
    'timeout',
    undefined,
  ]);
  await b.run((bench) => bench.box['go'].resolve());
  await until('the end', async () => (await b.run((bench) => bench.box['log'])).length === 3);
  expect((await log()).at(-1)).toEqual(['end', 'normal']);
});

it('I6 tells nodedown when the node is lost meanwhile', async () => {
  const stopping = stop('gated', 'actor', 'normal');
  await until('the messages', async () => (await b.run((bench) => bench.box['log'])).length === 2);
  await b.kill();
  expect(await stopping).toEqual(['SNOW_ERR_CALL_NODEDOWN', 'nodedown', 'noconnection']);
});

it('I6, B9 a reason that cannot travel is refused, and ends nobody', async () => {
  const seen = await a.run(async (bench, peer) => {
    const refused = bench.box['stop'](peer, 'orderly', 'actor', () => {});
    const code = await refused.catch((error: { code: string }) => error.code);
    return [code, bench.node.runtime.calls.size];
  }, b.name);
  expect(seen).toEqual(['SNOW_ERR_UNSENDABLE', 0]);
  expect(await again()).toBe('stopped');
});
