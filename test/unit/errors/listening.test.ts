import { createServer } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { startPortmap } from '../../../ts/discovery/index.ts';
import { listening } from '../../../ts/errors/index.ts';

const HOST = '127.0.0.1';

function server() {
  const made = createServer();
  onTestFinished(() => void made.close());
  return made;
}

it('gives the port that a server listens on', async () => {
  const made = server();
  const port = await listening(made, { port: 0, host: HOST }, 'the server');
  expect(made.address()).toMatchObject({ address: HOST, port });
});

it('says who cannot listen where, and why', async () => {
  const port = await listening(server(), { port: 0, host: HOST }, 'the server');
  await expect(listening(server(), { port, host: HOST }, 'the other')).rejects.toMatchObject({
    code: 'SNOW_ERR_LISTEN',
    message: expect.stringMatching(`the other cannot listen on ${HOST}:${port}: .*EADDRINUSE`),
    cause: { code: 'EADDRINUSE' },
  });
});

it('lets a server outlive failures to accept', async () => {
  const made = server();
  await listening(made, { port: 0, host: HOST }, 'the server');
  expect(made.emit('error', new Error('EMFILE'))).toBe(true);
  expect(made.listening).toBe(true);
});

it.each([
  { port: 70_000 },
  { port: -1 },
  { port: 1.5 },
  { port: '80' },
  { host: 5 },
  { host: '' },
  { host: null },
])('refuses %j before anything listens', async (wrong) => {
  const made = server();
  const address = { port: 0, ...wrong } as { port: number };
  await expect(listening(made, address, 'the server')).rejects.toMatchObject({ code: 'SNOW_ERR_BAD_OPTION' });
  expect(made.listening).toBe(false);
  await expect(startPortmap(address)).rejects.toMatchObject({ code: 'SNOW_ERR_BAD_OPTION' });
});
