// A server that does nothing but write each message to each socket: a lower bound for servers that use one system call a delivery. It knows no rooms, and
// what clients send is ignored. The servers of a case pass messages on over a UNIX socket.
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { type AddressInfo, connect, createServer as createHub, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SocketFanOut } from '../../ts/node/index.ts';
import { answerOrders } from './orders.ts';

const { number, cookie, bytes } = JSON.parse(process.argv[2] ?? '{}') as {
  readonly number: number;
  readonly cookie: string;
  readonly bytes: number;
};
const path = join(tmpdir(), `snowmesh-bare-${cookie.slice(0, 16)}.sock`);
const clients = new Set<Socket>();
const fanOut = new SocketFanOut();

function write(text: string): void {
  const frame = Buffer.concat([Buffer.of(0x81, text.length), Buffer.from(text)]);
  for (const socket of clients) fanOut.add(socket as never, frame);
  fanOut.run();
}

const others = new Set<Socket>();
if (number === 0) createHub((socket) => others.add(socket)).listen(path);
else
  connect(path).on('data', (chunk) => {
    for (let at = 0; at < chunk.length; at += bytes) write(chunk.toString('latin1', at, at + bytes));
  });

const server = createServer();
server.on('upgrade', (request, socket: Socket) => {
  const key = `${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
  const accept = createHash('sha1').update(key).digest('base64');
  socket.setNoDelay(true).resume();
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
  socket.write(Buffer.from([0x81, 6, ...Buffer.from('joined')]));
  clients.add(socket);
  socket.on('error', () => {}).on('close', () => clients.delete(socket));
});
await new Promise<void>((done) => server.listen(0, '127.0.0.1', 4096, done));
answerOrders(bytes, (text) => {
  for (const socket of others) socket.write(text);
  write(text);
});
process.on('disconnect', () => process.exit(0));
process.send?.({ port: (server.address() as AddressInfo).port, suite: 'bare sockets' });
