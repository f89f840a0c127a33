// Our server process: one node, one HTTP server with rooms. Every client is admitted.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createRooms } from '../../ts/rooms/index.ts';
import { openLab } from '../lab.ts';
import { answerOrders } from './orders.ts';

interface ServerOrder {
  readonly number: number;
  readonly cookie: string;
  /** The node to connect to; empty: none. */
  readonly seed: string;
  readonly bytes: number;
  readonly compress?: boolean;
}

const order = JSON.parse(process.argv[2] ?? '{}') as ServerOrder;
const lab = await openLab({ name: `n${order.number}@127.0.0.1:0`, cookie: order.cookie });
const rooms = createRooms(lab, {
  join: () => true,
  limits: order.bytes < 10_000 ? {} : { bufferBytes: 64 * 1024 * 1024 },
});
if (order.seed !== '') await lab.connect(order.seed);
const server = createServer();
rooms.attach(server, { compress: order.compress ?? false });
await new Promise<void>((done) => server.listen(0, '127.0.0.1', 4096, done));
answerOrders(order.bytes, (text) => rooms.broadcast('room', text));
process.on('disconnect', () => {
  rooms.close();
  server.closeAllConnections();
  void lab.stop().then(() => process.exit(0));
});
process.send?.({ port: (server.address() as AddressInfo).port, node: lab.name });
