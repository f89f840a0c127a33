// Ports for what has to listen at the same address again after it was gone, and for addresses where nobody listens. A port that
// the system gave and that was closed may be given to any other process; these are below the range that it gives, and a UDP
// socket on the same number keeps other tests away until this process ends.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';

const FIRST = 12_000;
const COUNT = 18_000;
let next = (process.pid * 101) % COUNT;

/** A port on which no one listens and which no one else takes while this process lives, and with it those at these distances. */
export async function reservePort(offsets: readonly number[] = [0]): Promise<number> {
  for (let tries = 0; tries < COUNT; tries++) {
    const port = FIRST + (next++ % COUNT);
    const isReserved = async (offset: number): Promise<boolean> =>
      (await isOurs(port + offset)) && isFree(port + offset);
    if ((await Promise.all(offsets.map(isReserved))).every(Boolean)) return port;
  }
  throw new Error(`no port from ${FIRST} to ${FIRST + COUNT} is free`);
}

async function isOurs(port: number): Promise<boolean> {
  const socket = createSocket('udp4');
  socket.unref();
  try {
    socket.bind({ port, exclusive: true });
    await once(socket, 'listening');
    return true;
  } catch {
    socket.close();
    return false;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, '0.0.0.0');
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}
