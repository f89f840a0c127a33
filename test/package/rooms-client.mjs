// A client of rooms with the WebSocket of its platform. It prints what it receives, and ends after the message `last`.
import process from 'node:process';
import { connectRooms } from 'snowmesh/client';

const client = connectRooms(process.argv.at(-1), { minDelay: 10 });
client.on('message', ({ data }) => {
  console.log('received', data);
  if (data === 'last') client.close();
});
await client.join('g');
client.send('hello');
