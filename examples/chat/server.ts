// One node of the chat: a snowmesh node, its rooms, and an HTTP server for the page and its WebSockets. Started by main.ts.
import { createServer } from 'node:http';
import { startNode, staticList } from '../../ts/index.ts';
import { createRooms } from '../../ts/rooms/index.ts';
import { chatOn, nameFrom } from './chat.ts';
import { servePage } from './page.ts';
import { type Place, placesFrom, ROOMS } from './places.ts';

const [letter = 'a', base = '4100'] = process.argv.slice(2);
const places = placesFrom(Number(base));
const here = places.find((place) => place.letter === letter) as Place;

// The nodes find each other by a fixed list, and again after one of them was away.
const node = await startNode({
  name: here.name,
  cookie: process.env['CHAT_COOKIE'] ?? 'the-cookie-of-the-chat-example',
  discovery: staticList(places.map(({ name }) => name)),
});

/** What a page shows of the nodes, as this one sees them. */
const cluster = () => {
  const up = [letter, ...node.nodes().map((name) => name.slice(0, 1))].sort();
  return { type: 'cluster', here: letter, pid: process.pid, up };
};

const rooms = createRooms(
  node,
  chatOn(letter, {
    greet: (connection) => connection.send(cluster()),
    die: () => process.kill(process.pid, 'SIGKILL'), // as a crash or a power cut would: nothing is said, nothing is saved
  }),
);
for (const event of ['nodeup', 'nodedown'] as const)
  node.on(event, () => {
    for (const connection of rooms.connections()) connection.send(cluster());
  });

const server = createServer(
  servePage({
    rooms: ROOMS,
    nodes: places.map(({ letter, page }) => ({ letter, page })),
    // The client tries these in turn: the node that served the page first.
    sockets: [here, ...places.filter((place) => place !== here)].map(({ socket }) => socket),
  }),
);
rooms.attach(server, {
  // The pages of all three nodes may connect: a client moves to another node when its own is gone.
  origins: places.map(({ page }) => page),
  // Who you are is what you say, here. A real chat would look at a cookie or a token.
  authorize: ({ url = '' }) => {
    const key = nameFrom(url);
    return key === undefined ? { status: 401, reason: 'give a name of 1 to 24 characters' } : { key };
  },
});

// A node that has just started knows no sessions. So it meets the others before it lets clients in - if they are there.
await node.ready({ peers: places.length - 1, timeout: 3000 }).catch(() => {});
server.listen(here.port, '127.0.0.1', () => process.send?.('ready'));

/** Ends in good order: clients are told, and go to another node. */
async function stop(): Promise<void> {
  await rooms.drain({ over: 0 });
  server.close();
  await node.stop();
  process.disconnect?.();
}
process.once('SIGTERM', () => void stop());
process.on('SIGINT', () => {}); // a terminal sends Ctrl-C to every process; main.ts tells us when to stop
process.once('disconnect', () => process.exit()); // main.ts is gone
