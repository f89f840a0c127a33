// As ws-redis, but the frame is built once for each broadcast and written to each raw socket.
import Redis from 'ioredis';
import { WebSocketServer } from 'ws';

export const libraries = ['ws', 'ioredis'];

function frameOf(text) {
  const body = Buffer.from(text);
  const size = body.length;
  const head = size < 126 ? Buffer.of(0x81, size) : Buffer.of(0x81, 126, size >> 8, size & 255);
  return Buffer.concat([head, body]);
}

export async function start({ redisPort }) {
  const publisher = new Redis(redisPort);
  const subscriber = publisher.duplicate();
  const room = new Set();
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', backlog: 4096, perMessageDeflate: false });
  server.on('connection', (socket) => {
    const raw = socket._socket;
    room.add(raw);
    socket.on('close', () => room.delete(raw));
    socket.send('joined');
  });
  subscriber.on('message', (_channel, text) => {
    const frame = frameOf(text);
    for (const raw of room) raw.write(frame);
  });
  await Promise.all([subscriber.subscribe('room'), new Promise((done) => server.once('listening', done))]);
  return { port: server.address().port, broadcast: (text) => void publisher.publish('room', text) };
}
