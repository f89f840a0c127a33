import { createServer } from 'node:http';
import { createAdapter } from '@socket.io/redis-adapter';
import Redis from 'ioredis';
import { Server } from 'socket.io';

export const libraries = ['socket.io', '@socket.io/redis-adapter', 'ioredis'];

export async function start({ redisPort, compress }) {
  const publisher = new Redis(redisPort);
  const http = createServer();
  const io = new Server(http, {
    transports: ['websocket'],
    serveClient: false,
    adapter: createAdapter(publisher, publisher.duplicate()),
    perMessageDeflate: compress,
  });
  io.on('connection', (socket) => void socket.join('room'));
  await new Promise((done) => http.listen(0, '127.0.0.1', 4096, done));
  return { port: http.address().port, broadcast: (text) => io.to('room').emit('m', text) };
}
