// In another terminal, after the stock:   node dist/examples/traced-orders/shop.js
// Then:   curl -X POST http://127.0.0.1:9101/orders/tea
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SpanKind } from '@opentelemetry/api';
import { call, cast, startNode } from '../../ts/index.ts';
import { createRooms } from '../../ts/rooms/index.ts';
import { traceToConsole } from './tracing.ts';

const [peer = 'stock@127.0.0.1:9100', port = '9101'] = process.argv.slice(2);
const node = await startNode({ name: 'shop@127.0.0.1:0', cookie: 'traced-orders-4711' });
const tracer = traceToConsole(node);
const rooms = createRooms(node);
await node.connect(peer);

/** A call, a cast and a broadcast: on the other node all three belong to the trace of the request. */
async function order(item: string): Promise<number> {
  const left = await call<number>(node, { name: 'stock', node: peer }, 'reserve', item);
  cast(node, { name: 'journal', node: peer }, 'shipped');
  rooms.broadcast('orders', { item, left });
  return left;
}

// The package @opentelemetry/instrumentation-http makes this span by itself, and takes the trace of the client from its headers.
const server = createServer((request, response) => {
  const { method = 'GET', url = '/' } = request;
  void tracer.startActiveSpan(`${method} /orders`, { kind: SpanKind.SERVER }, async (span) => {
    try {
      response.end(`${await order(url.split('/').at(-1) ?? '')} left\n`);
    } catch (error) {
      span.recordException(error as Error);
      response.writeHead(503).end();
    } finally {
      span.end();
    }
  });
});
server.listen(Number(port), '127.0.0.1', () => {
  console.log(`orders go to http://127.0.0.1:${(server.address() as AddressInfo).port}/orders/tea`);
});
