// The shapes every handler-style library does alike, given how it makes an actor and how it sends.
export const shapes = (make, send, stop = () => {}) => ({
  pingPong: (n) =>
    new Promise((done) => {
      const b = make((m) => send(a, { type: 'pong', from: b, n: m.n, id: m.id }));
      const a = make(() => {
        if (--n === 0) done();
        else send(b, { type: 'ping', from: a, n, id: 7 });
      });
      send(b, { type: 'ping', from: a, n, id: 7 });
    }),
  fanIn: (total) =>
    new Promise((done) => {
      let left = total;
      const sink = make(() => {
        if (--left === 0) done();
      });
      for (let s = 0; s < 8; s++) {
        let todo = total / 8;
        const sender = make(() => {
          for (let i = 0; i < 1000; i++) send(sink, { type: 'item', n: i, from: sender });
          if ((todo -= 1000) > 0) send(sender, { type: 'go' });
        });
        send(sender, { type: 'go' });
      }
    }),
  ring: (size, laps) =>
    new Promise((done) => {
      const actors = [];
      for (let i = 0; i < size; i++) {
        actors.push(
          make((m) => {
            if (i === 0 && m.n === 0) {
              for (const actor of actors) stop(actor);
              return done();
            }
            send(actors[(i + 1) % size], { type: 'token', n: i === 0 ? m.n - 1 : m.n });
          }),
        );
      }
      send(actors[0], { type: 'token', n: laps });
    }),
  ask: async (n) => {
    const server = make((m) => m.reply(m.n));
    for (let i = n; i > 0; i--) await new Promise((reply) => send(server, { type: 'echo', n: i, reply }));
  },
  spawn: (n) => {
    const keep = new Array(n);
    for (let i = 0; i < n; i++) keep[i] = make(ignore);
    return keep;
  },
});

function ignore() {}
