// A server of rooms for rooms-client.mjs, the program of a client in another runtime.
import { once } from 'node:events';
import { copyFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import { expect } from 'vitest';
import { startNode } from '../../ts/index.ts';
import { createRooms } from '../../ts/rooms/index.ts';
import type { Child } from '../support/child.ts';

/** Copies the program to where the package is installed; gives its path. */
export function roomsClient(folder: string): string {
  const program = join(folder, 'rooms-client.mjs');
  copyFileSync(new URL('rooms-client.mjs', import.meta.url), program);
  return program;
}

/** Starts the program, cuts its connection, and checks that it has what was sent meanwhile, and ends. */
export async function joinsAndResumes(start: (url: string) => Child): Promise<void> {
  await using node = await startNode();
  const rooms = createRooms(node, {
    join: () => true,
    message: (connection, data) => connection.broadcast('g', data),
  });
  const server = createServer().listen(0, '127.0.0.1');
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => sockets.add(socket));
  await once(server, 'listening');
  rooms.attach(server);
  try {
    const child = start(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/rooms`);
    await child.line('received hello', 60_000);
    for (const socket of sockets) socket.destroy();
    for (const message of ['missed', 'last']) rooms.broadcast('g', message);
    expect(await child.exit(60_000), child.stderr()).toEqual({ code: 0, signal: null });
    expect(child.stdout().trim().split(/\r?\n/)).toEqual([
      'received hello',
      'received missed',
      'received last',
    ]);
    expect(sockets.size).toBe(2);
  } finally {
    rooms.close();
    server.closeAllConnections();
    server.close();
  }
}
