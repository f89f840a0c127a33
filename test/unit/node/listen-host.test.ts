// Where a node listens, by the host in its name: an address means that address, and localhost no other machine.
import { once } from 'node:events';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { expect, it } from 'vitest';
import { type NodeOptions, startNode } from '../../../ts/index.ts';

/** Another address of this machine. */
const OTHER = process.platform === 'linux' ? '127.0.0.2' : addressOf('IPv4');

function addressOf(family: string): string | undefined {
  const all = Object.values(networkInterfaces()).flat();
  return all.find((each) => each?.family === family && !each.internal)?.address;
}

async function isOpen(host: string, port: number): Promise<boolean> {
  const socket = connect(port, host);
  const opened = await once(socket, 'connect').then(
    () => true,
    () => false,
  );
  socket.destroy();
  return opened;
}

it.skipIf(OTHER === undefined).each<[string, NodeOptions['listen'], boolean]>([
  ['127.0.0.1', undefined, false],
  ['localhost', undefined, false],
  ['a-host.invalid', undefined, true],
  ['localhost', { host: '0.0.0.0' }, true],
  ['a-host.invalid', { host: '127.0.0.1' }, false],
])(
  'T7 a node whose host is %s, with listen %o: on other addresses %s',
  async (host, listen, isEverywhere) => {
    await using node = await startNode({
      name: `a@${host}:0`,
      cookie: 'only for tests: 0123456789',
      ...(listen === undefined ? {} : { listen }),
    });
    expect(await isOpen('127.0.0.1', node.port)).toBe(true);
    expect(await isOpen(OTHER as string, node.port)).toBe(isEverywhere);
  },
);
