import { afterEach, describe, expect, it } from 'vitest';
import { hasSignals, killChildren, startChild } from '../support/child.ts';

const file = (name: string): URL => new URL(`../../examples/presence/${name}.ts`, import.meta.url);
afterEach(killChildren);

describe('the example presence', () => {
  it.runIf(hasSignals)('knows who is online, also when a process is killed or leaves in order', async () => {
    const tracker = startChild(file('tracker'), { args: ['0'] });
    const [address = ''] = (await tracker.line(/is listening/)).split(' ');
    const first = startChild(file('sessions'), { args: [address, 'ann', 'bob'] });
    await first.line(/^online: ann, bob$/);
    const second = startChild(file('sessions'), { args: [address, 'bob', 'cyn'] });
    await second.line(/^online: ann, bob, cyn$/);
    first.kill('SIGKILL');
    await tracker.line(/^ann is offline: noconnection$/);
    second.kill('SIGINT');
    expect((await second.exit()).code).toBe(0);
    await tracker.line(/^cyn is offline: noconnection$/);
    tracker.kill('SIGINT');
    expect((await tracker.exit()).code).toBe(0);
    const lines = tracker.stdout().trim().split('\n').slice(1);
    expect(lines.slice(0, 4)).toEqual([
      'ann is online',
      'bob is online',
      'cyn is online',
      'ann is offline: noconnection',
    ]);
    expect(lines.slice(4).sort()).toEqual(['bob is offline: noconnection', 'cyn is offline: noconnection']);
  });
});
