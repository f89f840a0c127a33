// Ports for what has to listen at the same address again after it was gone, and for addresses without a listener. A port that
// the system gave and that was closed may be given to any other process; these are below the range that it gives, and a UDP
// socket on the same number keeps other tests away until this process ends.
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';

const FIRST = 12_000;
const COUNT = 18_000;
const MAX_TRIES = 500;
let next = (process.pid * 101) % COUNT;

/**
 * A port without a listener that no other test takes while this process runs; so are those at these offsets from it. After MAX_TRIES
 * it is any port that the system gives.
 */
export async function reservePort(offsets: readonly number[] = [0]): Promise<number> {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const port = FIRST + (next++ % COUNT);
    const locks = await Promise.all(offsets.map((offset) => lock(port + offset)));
    const isFree = locks.every((socket) => socket !== undefined);
    if (isFree && (await Promise.all(offsets.map((offset) => listens(port + offset)))).every(Boolean))
      return port;
    for (const socket of locks) socket?.close();
  }
  return (await listens(0)) ?? 0;
}

async function lock(port: number): Promise<Socket | undefined> {
  const socket = createSocket('udp4');
  socket.unref();
  try {
    socket.bind({ port, exclusive: true });
    await once(socket, 'listening');
    return socket;
  } catch {
    socket.close();
    return undefined;
  }
}

/** The port, when a server could listen on it for a moment. */
async function listens(port: number): Promise<number | undefined> {
  const server = createServer();
  try {
    server.listen(port, '0.0.0.0');
    await once(server, 'listening');
  } catch {
    return undefined;
  }
  const { port: given } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return given;
}
