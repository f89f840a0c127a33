// The processes of the example chat: they start, end together, and none stays behind.
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { type Child, hasSignals, killChildren, root, startChild } from '../support/child.ts';
import { until } from '../support/deadline.ts';
import { freePorts } from './chat-ports.ts';

afterEach(killChildren);

const start = (port: number): Child =>
  startChild(join(root, 'dist/examples/chat/main.js'), { args: ['--port', `${port}`, '--restart', '0'] });

const pidsOf = (child: Child): number[] =>
  [...child.stdout().matchAll(/^ {2}node . .* process (\d+)$/gm)].map(([, pid]) => Number(pid));

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe.runIf(hasSignals)('the processes of the chat', () => {
  it.each(['SIGINT', 'SIGTERM', 'SIGKILL'] as const)(
    'end with the one that started them: %s',
    async (signal) => {
      const child = start(await freePorts());
      await child.line(/Ctrl-C ends it/);
      const pids = pidsOf(child);
      expect(pids).toHaveLength(3);
      child.kill(signal);
      expect(await child.exit()).toEqual(
        signal === 'SIGKILL' ? { code: null, signal } : { code: 0, signal: null },
      );
      await until('all are gone', () => !pids.some(isAlive));
    },
  );

  it('serve the page and its files, and nothing else', async () => {
    const port = await freePorts();
    const child = start(port);
    await child.line(/Ctrl-C ends it/);
    const get = (path: string): Promise<Response> => fetch(`http://127.0.0.1:${port + 2}${path}`);
    for (const path of ['/', '/chat.js', '/theme.css', '/snowmesh-client.min.js', '/cluster.json']) {
      const { status, headers } = await get(path);
      expect([path, status, headers.get('content-security-policy')]).toEqual([
        path,
        200,
        expect.stringContaining("default-src 'none'; script-src 'self';"),
      ]);
    }
    for (const path of ['/main.js', '/..%2fmain.js', '/page/', '/chat.js/'])
      expect([path, (await get(path)).status]).toEqual([path, 404]);
  });

  it('start again when they are killed, and go on without the one that is away', async () => {
    const child = start(await freePorts());
    await child.line(/Ctrl-C ends it/);
    const [, second = 0] = pidsOf(child);
    process.kill(second, 'SIGKILL');
    await child.line('Node b is gone (SIGKILL)');
    await child.line(/Node b is back, as process \d+/);
    expect(isAlive(second)).toBe(false);
  });

  it('say so when a port is taken, and end', async () => {
    const port = await freePorts();
    const taken = createServer().listen(port + 1, '127.0.0.1');
    await once(taken, 'listening');
    const child = start(port);
    expect((await child.exit()).code).toBe(1);
    expect(child.stderr()).toContain('Node b did not start. Is a port in use? Try --port 5100.');
    taken.close();
  });
});
