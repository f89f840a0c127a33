// Deno runs the addon, too, and ends an environment in another way than Node.js.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { root } from '../support/child.ts';
import { COOKIE } from '../support/cluster.ts';

const hasDeno = spawnSync('deno', ['--version']).status === 0;
const index = new URL('../../ts/index.ts', import.meta.url).href;

/** Starts a named node in Deno, does `then`, and gives how the process ended. */
async function inDeno(then: string): Promise<{ code: number | null; signal: string | null; output: string }> {
  const source = `import { startNode } from ${JSON.stringify(index)};
    const node = await startNode({ name: 'deno@127.0.0.1:0', cookie: ${JSON.stringify(COOKIE)} });
    console.log('up');
    ${then}`;
  const child = spawn('deno', ['run', '--allow-all', `data:text/javascript,${encodeURIComponent(source)}`], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (text: Buffer) => void (output += text.toString()));
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  return { code, signal, output };
}

describe.skipIf(!hasDeno)('a Deno process with a named node', () => {
  it.each([
    ['a natural exit', 'node.unref();', 0],
    ['an uncaught error', "setTimeout(() => { throw new Error('seen'); }, 1);", 1],
    ['process.exit', "(await import('node:process')).exit(3);", 3],
    ['a stop', 'await node.stop();', 0],
  ])('ends in order at %s', async (_, then, expected) => {
    const { code, signal, output } = await inDeno(then);
    expect({ code, signal, output }).toMatchObject({ code: expected, signal: null });
    expect(output).toContain('up');
    expect(output).not.toContain('Fatal error');
  });
});
