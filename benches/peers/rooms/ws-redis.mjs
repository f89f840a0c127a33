// The usual way: publish to Redis, and every server sends to each of its sockets.
import Redis from 'ioredis';
import { WebSocketServer } from 'ws';

export const libraries = ['ws', 'ioredis'];

export async function start({ redisPort, compress }) {
  const publisher = new Redis(redisPort);
  const subscriber = publisher.duplicate();
  const room = new Set();
  const server = new WebSocketServer({
    port: 0,
    host: '127.0.0.1',
    backlog: 4096,
    perMessageDeflate: compress,
  });
  server.on('connection', (socket) => {
    room.add(socket);
    socket.on('close', () => room.delete(socket));
    socket.send('joined');
  });
  subscriber.on('message', (_channel, text) => {
    for (const socket of room) socket.send(text);
  });
  await Promise.all([subscriber.subscribe('room'), new Promise((done) => server.once('listening', done))]);
  return { port: server.address().port, broadcast: (text) => void publisher.publish('room', text) };
}
