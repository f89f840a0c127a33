// The other process: counts and acknowledges, or echoes.
import tls from 'node:tls';
import { selfSigned } from './certificate.mjs';
import { attach } from './tls-msgpackr.mjs';

const server = tls.createServer({ ...selfSigned(), minVersion: 'TLSv1.3' }, (socket) => {
  let echo = false,
    every = 1,
    count = 0;
  const send = attach(socket, (message) => {
    if (Array.isArray(message) && message[0] === 'start') {
      echo = false;
      every = message[1];
      count = 0;
      return;
    }
    if (Array.isArray(message) && message[0] === 'echo') {
      echo = true;
      return;
    }
    if (echo) {
      send(message);
      return;
    }
    count += 1;
    if (count % every === 0) send(['ack', count]);
  });
});
server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send({ cpu: (user + system) / 1e6 });
});
process.on('disconnect', () => process.exit(0));
