// The page: connects, shows what comes, and sends what the user does.
import { Log } from './log.js';
import { forget, keep, remember } from './memory.js';
import * as view from './view.js';

/** So long after the last key somebody is still typing. Unit: ms. */
const TYPING_MS = 3000;
const NAMES = [
  'Ada',
  'Alan',
  'Barbara',
  'Edsger',
  'Grace',
  'Joe',
  'Leslie',
  'Lynn',
  'Radia',
  'Robin',
  'Tony',
];

const { rooms, nodes, sockets } = await (await fetch('/cluster.json')).json();
const before = remember();
const name = before.name ?? (await view.askName(NAMES[Math.floor(Math.random() * NAMES.length)]));
const logs = new Map(rooms.map((room) => [room, new Log(room, name, before.logs?.[room])]));
const unread = new Map();
const text = document.querySelector('#text');

/** The room that is seen. */
let current = rooms.includes(before.room) ? before.room : rooms[0];
/** The node that we are connected to; undefined before the first time. */
let here;
let isTyping = false;
let typingTimer;

document.querySelector('#me').textContent = name;
document.querySelector('#logs').append(...[...logs.values()].map((log) => log.element));
view.makeRooms(rooms, choose);
view.makePeoplePanel();

// ── The connection ──────────────────────────────────────────────────────────────────────────────────────────────────────────────
// The client does the difficult part: it goes to the next node when one is gone, gets what was missed, once and in order, and
// keeps what is sent meanwhile. `state` lets it go on from where the page was before it was loaded again.
const urls = sockets.map((url) => `${url}?name=${encodeURIComponent(name)}`);
const client = snowmesh.connectRooms(urls, before.state === undefined ? {} : { state: before.state });

client.on('status', (status) => {
  view.showStatus(status);
  view.showWaiting(status === 'open' ? 0 : client.queued);
  isTyping = false;
});
client.on('queue', (count) => view.showWaiting(client.status === 'open' ? 0 : count));

client.on('message', ({ room, data }) => {
  logs.get(room).came(data);
  if (room === current) return;
  unread.set(room, (unread.get(room) ?? 0) + 1);
  view.showUnread(room, unread.get(room));
});

// The server tells where we are when we have connected, and again when a node comes or goes.
client.on('direct', (cluster) => {
  view.showStatus('open', cluster.here);
  view.showNodes(nodes, cluster);
  if (cluster.pid === here?.pid) return;
  if (here !== undefined && here.here !== cluster.here)
    logs.get(current).note(`Node ${here.here} is gone. You go on at node ${cluster.here}.`);
  here = cluster;
  client.send({ type: 'look', room: current });
});

client.on('presence', ({ room, all }) => {
  view.showCount(room, all.size);
  if (room === current) view.showPeople(all, name);
});

client.on('resync', ({ room }) =>
  logs.get(room)?.note('You were away for too long: messages may be missing here.'),
);
client.on('lost', (count) =>
  logs.get(current).note(`${count} messages came too fast for this page and are missing.`),
);
client.on('refused', ({ reason }) => logs.get(current).note(`The server refused that: ${reason}.`));
for (const event of ['online', 'offline'])
  addEventListener(event, () => client.status !== 'open' && view.showStatus(client.status));

for (const room of rooms) void client.join(room);
choose(current);
text.focus();

// ── What the user does ──────────────────────────────────────────────────────────────────────────────────────────────────────────
function choose(room) {
  if (room !== current) typing(false);
  logs.get(current).element.hidden = true;
  current = room;
  logs.get(room).element.hidden = false;
  logs.get(room).toEnd();
  unread.delete(room);
  view.showUnread(room, 0);
  view.showRoom(room);
  view.showPeople(client.presence(room), name);
  if (client.status === 'open') client.send({ type: 'look', room });
}

/** Tells the others, once when it begins and once when it ends. Without a connection nobody needs to know. */
function typing(is) {
  clearTimeout(typingTimer);
  if (is) typingTimer = setTimeout(() => typing(false), TYPING_MS);
  if (is === isTyping || client.status !== 'open') return;
  isTyping = is;
  client.send({ type: 'typing', room: current, isTyping: is });
}

text.addEventListener('input', () => typing(text.value !== ''));
text.addEventListener('keydown', ({ key }) => {
  if (key !== 'Escape') return;
  text.value = '';
  typing(false);
});

document.querySelector('#composer').addEventListener('submit', (event) => {
  event.preventDefault();
  const said = text.value.trim();
  if (said === '') return;
  const message = { room: current, text: said, id: crypto.randomUUID() };
  if (!client.send({ type: 'say', ...message })) return; // too much waits: the text stays in the field
  logs.get(current).sent({ ...message, from: name, node: here?.here ?? '?', at: Date.now() });
  text.value = '';
  typing(false);
});

document.querySelector('#kill').addEventListener('click', async () => {
  const { here: node, pid } = here;
  if (await view.askKill(node, pid)) client.send({ type: 'kill', pid });
});

document.querySelector('#rename').addEventListener('click', () => {
  removeEventListener('pagehide', keepAll);
  client.close();
  forget();
  location.reload();
});

// A tab that is loaded again goes on: it shows what it had, and gets what it missed.
function keepAll() {
  const shown = Object.fromEntries([...logs].map(([room, log]) => [room, log.entries]));
  keep({ name, room: current, state: client.state, logs: shown });
}
addEventListener('pagehide', keepAll);
