// In one terminal:   node dist/examples/traced-orders/stock.js
// The node that keeps the stock. Browsers that watch it are in its room `orders`.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { call, defineServer, startNode } from '../../ts/index.ts';
import { createRooms } from '../../ts/rooms/index.ts';
import { traceToConsole } from './tracing.ts';

const [port = '9100'] = process.argv.slice(2);
const node = await startNode({ name: `stock@127.0.0.1:${port}`, cookie: 'traced-orders-4711' });
const tracer = traceToConsole(node);

const journal = defineServer({
  name: 'journal',
  init: () => ({ shipped: 0 }),
  casts: { shipped: ({ state }) => void state.shipped++ },
  calls: { count: ({ state }) => state.shipped },
});
export const stock = defineServer({
  name: 'stock',
  init: () => ({ left: 100 }),
  calls: {
    // Its turn is a span of the request's trace, and so is whatever it does: a span of its own, a call of the next actor.
    reserve: async ({ state, self }, item: string) => {
      await tracer.startActiveSpan(`look up ${item}`, async (span) => {
        await call(self, counting, 'count');
        span.end();
      });
      return --state.left;
    },
  },
});
const counting = await journal.start(node);
node.register('journal', counting);
node.register('stock', await stock.start(node));

const rooms = createRooms(node, { open: (connection) => void connection.join('orders') });
const server = createServer();
rooms.attach(server);
server.listen(0, '127.0.0.1', () => {
  console.log(
    `${node.name} is listening; watch it on ws://127.0.0.1:${(server.address() as AddressInfo).port}/rooms`,
  );
});
