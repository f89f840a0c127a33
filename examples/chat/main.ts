// npm run chat [-- --port 4100] [--restart 5]: a chat on three nodes, each a process of its own.
//
//   this process            node a                node b                node c
//   starts them, and        page and WebSockets   page and WebSockets   page and WebSockets
//   starts again            :4100                 :4101                 :4102
//   what was killed         └──── every broadcast, once to each node ───┘
//
// This process is no node and takes no part in the chat.
import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Place, placesFrom } from './places.ts';

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '4100' },
    restart: { type: 'string', default: '5' },
  },
});
const places = placesFrom(Number(values.port));
const restartMs = Number(values.restart) * 1000;
const cookie = randomBytes(32).toString('base64url');
// The extension is that of this file, which runs from source or compiled.
const program = fileURLToPath(new URL(`server${import.meta.url.slice(-3)}`, import.meta.url));

const processes = new Map<Place, ChildProcess>();
let isStopping = false;

/** Starts the process of a node. Resolves when its page can be opened. */
function start(place: Place): Promise<void> {
  const child = fork(program, [place.letter, values.port], {
    env: { ...process.env, CHAT_COOKIE: cookie },
  });
  processes.set(place, child);
  return new Promise((ready) => {
    let isReady = false;
    child.once('message', () => {
      isReady = true;
      ready();
    });
    child.once('exit', (code, signal) => {
      processes.delete(place);
      if (isStopping && processes.size === 0) process.exit();
      if (isStopping) return;
      if (!isReady) return stop(1, `Node ${place.letter} did not start. Is a port in use? Try --port 5100.`);
      console.log(`Node ${place.letter} is gone (${signal ?? `exit code ${code}`}).`);
      setTimeout(() => void startAgain(place), restartMs);
    });
  });
}

async function startAgain(place: Place): Promise<void> {
  if (isStopping) return;
  await start(place);
  console.log(`Node ${place.letter} is back, as process ${processes.get(place)?.pid}.`);
}

/** Ends all processes in good order, and then this one. */
function stop(exitCode: number, why = ''): void {
  if (why !== '') console.error(why);
  if (isStopping) return;
  isStopping = true;
  process.exitCode = exitCode;
  if (processes.size === 0) process.exit();
  for (const child of processes.values()) child.kill('SIGTERM');
  setTimeout(() => process.exit(), 5000); // a node that hangs ends with us
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop(0));

await Promise.all(places.map(start));
console.log('A chat on three nodes. Open two of these pages, in two windows:');
for (const place of places)
  console.log(`  node ${place.letter}  ${place.page}  process ${processes.get(place)?.pid}`);
console.log(
  'Kill one, with the button of the page or with kill -9: nothing that was said is lost. Ctrl-C ends it.',
);
