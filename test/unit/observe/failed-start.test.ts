import { hasSubscribers } from 'node:diagnostics_channel';
import { createServer } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { listening } from '../../../ts/errors/index.ts';
import { startNode } from '../../../ts/node/index.ts';
import { type ObserverOptions, startObserver } from '../../../ts/observe/index.ts';

const HOST = '127.0.0.1';

it('an observer that cannot start leaves nothing behind', async () => {
  const node = await startNode({ name: `a@${HOST}:0`, cookie: 'a cookie for tests of observers' });
  onTestFinished(() => node.stop());
  const taken = createServer();
  onTestFinished(() => void taken.close());
  const port = await listening(taken, { port: 0, host: HOST }, 'the server');
  const wrong = [
    [{ port }, 'SNOW_ERR_LISTEN'],
    [{ port: -1 }, 'SNOW_ERR_BAD_OPTION'],
    [{ host: 5 }, 'SNOW_ERR_BAD_OPTION'],
    [{ host: '' }, 'SNOW_ERR_BAD_OPTION'],
    [{ node: 'a@b@c' }, 'SNOW_ERR_NODE_NAME'],
  ] as [ObserverOptions, string][];
  for (const [options, code] of wrong)
    await expect(startObserver(node, options)).rejects.toMatchObject({ code });
  expect(hasSubscribers('snowmesh:session:up')).toBe(false);
});
