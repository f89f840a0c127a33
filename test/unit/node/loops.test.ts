// A loop that awaits what is known at once must let timers in, and with them all that could change the outcome.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  call,
  callWith,
  defineHandler,
  defineServer,
  IGNORE,
  multiCall,
  type Node,
  type Pid,
  type Self,
  start,
  startNode,
  stop,
  task,
} from '../../../ts/index.ts';

/** Far above the budget of one turn of the event loop. */
const MAX_STEPS = 300_000;
const UNREACHABLE = 'nobody@127.0.0.1:1';
const server = defineServer({ name: 'server', init: () => ({}), calls: { ask: () => 1 } });
const exposed = defineHandler('exposed', () => ({ onMessage() {} }));
const declining = defineHandler('declining', () => IGNORE);
const ABORTED = AbortSignal.abort('given up');

let node: Node;
let far: Node;
let dead: Pid<never>;
beforeEach(async () => {
  node = await startNode({ name: 'loops@127.0.0.1:0', cookie: 'a cookie of loops', autoConnect: 'never' });
  far = await startNode({ name: 'far@127.0.0.1:0', cookie: 'a cookie of loops' });
  node.spawnWith({ name: 'taken' }, (self: Self) => self.sleep(Number.MAX_SAFE_INTEGER));
  dead = node.spawn(() => {}) as Pid<never>;
});
afterEach(async () => {
  await Promise.all([node.stop(), far.stop()]);
});

/** Repeats `step` until a timer has fired. False: it did not in very many steps. */
async function letsTimersIn(step: () => unknown): Promise<boolean> {
  let hasFired = false;
  const timer = setTimeout(() => {
    hasFired = true;
  }, 1);
  for (let steps = 0; !hasFired && steps < MAX_STEPS; steps++) {
    try {
      await step();
    } catch {
      // what an impatient caller does: once more
    }
  }
  clearTimeout(timer);
  return hasFired;
}

describe('a loop outside of actors lets timers in', () => {
  it.each<[string, (address: { name: string; node: string }) => unknown]>([
    ['connect, with the policy never', () => node.connect(far.name)],
    ['connect to what is no name', () => node.connect('no name')],
    ['connect to port 0', () => far.connect('nobody@127.0.0.1:0')],
    ['connect to itself', () => node.connect(node.name)],
    ['disconnect', () => node.disconnect(far.name)],
    ['ready', () => node.ready({ peers: 0 })],
    ['ready, refused', () => node.ready({ signal: ABORTED })],
    ['sendWait to an unreachable node', (address) => node.sendWait(address, 1)],
    ['sendWait to a dead actor', () => node.sendWait(dead as Pid<unknown>, 1)],
    ['sendWait to a name that is free', () => node.sendWait('nobody', 1)],
    ['call of a dead actor', () => call(node, dead, 'ask')],
    ['call of a name that is free', () => call(node, 'nobody', 'ask')],
    ['call of an unreachable node', (address) => call(node, address, 'ask')],
    ['call that is aborted', () => callWith(node, { signal: ABORTED }, 'nobody', 'ask')],
    ['multiCall of nobody', () => multiCall(node, [], 'ask', [])],
    ['stop of a dead actor', () => stop(node, dead)],
    ['stop of a name that is free', () => stop(node, 'nobody')],
    ['start under a name that is taken', () => server.startWith(node, { name: 'taken' })],
    ['start under a name that is taken, for a result', () => start(node, exposed, [], { name: 'taken' })],
    ['start that is declined at once', () => start(node, declining, [])],
    ['start on an unreachable node', () => server.startWith(node, { node: UNREACHABLE })],
  ])('%s', async (_what, step) => {
    expect(await letsTimersIn(() => step({ name: 'inbox', node: UNREACHABLE }))).toBe(true);
  });

  it.each<[string, () => unknown]>([
    ['connect', () => node.connect(far.name)],
    ['start', () => server.startWith(node, { node: far.name })],
    ['call', () => call(node, 'nobody', 'ask')],
  ])('%s on a stopped node', async (_what, step) => {
    await node.stop();
    expect(await letsTimersIn(step)).toBe(true);
  });
});

describe('a loop of an actor lets timers in', () => {
  it.each<[string, (self: Self) => unknown]>([
    ['sendWait to an unreachable node', (self) => self.sendWait({ name: 'inbox', node: UNREACHABLE }, 1)],
    ['sendWait to a dead actor', (self) => self.sendWait(dead as Pid<unknown>, 1)],
    ['call of itself', (self) => call(self, self.pid as Pid<never>, 'ask')],
    ['receive that is aborted', (self) => self.receive('never', { signal: ABORTED })],
    ['receive without a wait', (self) => self.receive('never', { timeout: 0 })],
    ['stop of itself', (self) => stop(self, self.pid as Pid<never>)],
    ['start under a name that is taken', (self) => start(self, exposed, [], { name: 'taken' })],
    ['spawnOn an unreachable node', (self) => self.spawnOn(UNREACHABLE, exposed, [])],
    ['spawnOn of what is not exposed', (self) => self.spawnOn(node.name, exposed, [])],
  ])('%s', async (_what, step) => {
    const outcome = new Promise<boolean>((resolve) => {
      node.spawn(async (self: Self) => resolve(await letsTimersIn(() => step(self))));
    });
    expect(await outcome).toBe(true);
  });

  it('a look at a task that is not done', async () => {
    const outcome = new Promise<boolean>((resolve) => {
      node.spawn(async (self: Self) => {
        const endless = task(self, () => new Promise<never>(() => {}));
        resolve(await letsTimersIn(() => endless.yield(self, 0)));
      });
    });
    expect(await outcome).toBe(true);
  });
});
