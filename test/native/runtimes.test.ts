// Deno and Bun run the addon, too. They implement Node-API by themselves, and end an environment in other ways than Node.js.
import { afterEach, describe, expect, it } from 'vitest';
import { Down, type Pid, startNode } from '../../ts/index.ts';
import { hasSignals, killChildren } from '../support/child.ts';
import { COOKIE } from '../support/cluster.ts';
import { deferred, within } from '../support/deadline.ts';
import { RUNTIMES, startInRuntime } from '../support/runtimes.ts';

const program = new URL('./runtime-child.ts', import.meta.url);

afterEach(killChildren);

describe.each(RUNTIMES)('a node in %s', (runtime) => {
  it.each([
    ['a natural exit', 0],
    ['an uncaught error', 1],
    ['a rejected promise', 1],
    ['process.exit', 3],
    ['a stop', 0],
    ['the end of a worker', 0],
    ...(hasSignals ? [['a signal', 'SIGTERM'] as const] : []),
  ] as const)('exchanges messages with Node.js and ends in order at %s', async (end, expected) => {
    await using node = await startNode({ name: 'here@127.0.0.1:0', cookie: COOKIE });
    const child = startInRuntime(runtime, program, { args: [COOKIE, node.name, end] });
    const name = (await child.line(/^up /)).slice('up '.length);
    const bytes = Buffer.alloc(300_000, 'long');
    const down = deferred<unknown>();
    node.spawn(async (self) => {
      self.send({ name: 'echo', node: name }, { from: self.pid, value: [1n, 'two', bytes] });
      const { from, value } = (await self.receive()) as { from: Pid; value: [bigint, string, Uint8Array] };
      const isWhole = Buffer.from(value[2]).equals(bytes);
      self.monitor(from);
      self.send({ name: 'done', node: name }, 'end');
      const { reason } = await self.receive(Down);
      down.resolve({ node: node.nodeOf(from), value: [value[0], value[1], isWhole], reason });
    });
    if (expected === 'SIGTERM') {
      await child.line('waits for a signal');
      child.kill('SIGTERM');
    }
    const { code, signal } = await child.exit();
    const isError = end === 'an uncaught error' || end === 'a rejected promise';
    expect({ ended: signal ?? code, output: child.stderr() }).toEqual({
      ended: expected,
      output: isError ? expect.stringContaining('on purpose') : '',
    });
    expect(child.stderr()).not.toMatch(/fatal|panic|abort/i);
    expect(child.stdout()).toContain('received within one process');
    expect(await within('the notice of its end', down.promise)).toEqual({
      node: name,
      value: [1n, 'two', true],
      reason: 'noconnection',
    });
  });
});
