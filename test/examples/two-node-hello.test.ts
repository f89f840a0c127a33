import { afterEach, describe, expect, it } from 'vitest';
import { hasSignals, killChildren, startChild } from '../support/child.ts';

const file = (name: string): URL => new URL(`../../examples/two-node-hello/${name}.ts`, import.meta.url);
afterEach(killChildren);

describe('the example two-node-hello', () => {
  it.runIf(hasSignals)('greets, and both nodes end in order', async () => {
    const greeter = startChild(file('greeter'), { args: ['0'] });
    const [name] = (await greeter.line(/is listening/)).split(' ');
    const visitor = startChild(file('visitor'), { args: [name ?? '', 'Mike'] });
    expect((await visitor.exit()).code).toBe(0);
    expect(visitor.stdout()).toBe(`Hello Mike, this is ${name}\n`);
    await greeter.line(/^visitor@.* left: goodbye$/);
    greeter.kill('SIGINT');
    expect((await greeter.exit()).code).toBe(0);
  });

  it('says so when there is nobody', async () => {
    const visitor = startChild(file('visitor'), { args: ['greeter@127.0.0.1:1'] });
    expect((await visitor.exit()).code).toBe(0);
    expect(visitor.stdout()).toBe('there is no greeter: noconnection\n');
  });
});
