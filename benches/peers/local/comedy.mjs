// comedy: in-memory actors.
import { createSystem } from 'comedy';
export const library = 'comedy';
const quiet = { debug() {}, info() {}, warn() {}, error: console.error, isDebug: () => false };
const system = createSystem({ log: quiet, test: true });
const root = await system.rootActor();
const make = (behaviour) => root.createChild(behaviour, { mode: 'in-memory' });
const finish = () => {
  let done;
  const promise = new Promise((r) => {
    done = r;
  });
  return { promise, done };
};

export async function pingPong(n) {
  const { promise, done } = finish();
  let a;
  const b = await make({
    ping: (m) => {
      a.send('pong', { n: m.n, id: m.id });
    },
  });
  a = await make({
    pong: () => {
      if (--n === 0) done();
      else b.send('ping', { n, id: 7 });
    },
  });
  b.send('ping', { n, id: 7 });
  await promise;
}

export async function fanIn(total) {
  const { promise, done } = finish();
  let left = total;
  const sink = await make({
    item: () => {
      if (--left === 0) done();
    },
  });
  for (let s = 0; s < 8; s++) {
    let todo = total / 8;
    const sender = await make({
      go: () => {
        for (let i = 0; i < 1000; i++) sink.send('item', { n: i, from: s });
        if ((todo -= 1000) > 0) sender.send('go');
      },
    });
    sender.send('go');
  }
  await promise;
}

export async function ask(n) {
  const server = await make({ echo: (m) => m });
  for (let i = n; i > 0; i--) await server.sendAndReceive('echo', i);
}

export async function ring(size, laps) {
  const { promise, done } = finish();
  const actors = [];
  for (let i = 0; i < size; i++) {
    actors.push(
      await make({
        token: (m) => {
          if (i === 0 && m.n === 0) return done();
          actors[(i + 1) % size].send('token', { n: i === 0 ? m.n - 1 : m.n });
        },
      }),
    );
  }
  actors[0].send('token', { n: laps });
  await promise;
}

export async function spawn(n) {
  const keep = new Array(n);
  for (let i = 0; i < n; i++) keep[i] = await make({ item: () => {} });
  return keep;
}
export const drop = (actors) => Promise.all(actors.map((actor) => actor.destroy()));
export const spawnMost = 200_000;

/** n actors whose destroy hook tells a watcher; the result destroys them all. */
export async function watched(n) {
  const { promise, done } = finish();
  let left = n;
  const watcher = await make({
    stopped: () => {
      if (--left === 0) done();
    },
  });
  const behaviour = { destroy: () => watcher.send('stopped') };
  const actors = [];
  for (let i = 0; i < n; i++) actors.push(await make(behaviour));
  return async () => {
    for (const actor of actors) actor.destroy();
    await promise;
  };
}
