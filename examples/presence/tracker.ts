// Who is online, over any number of nodes. In one terminal:   node dist/examples/presence/tracker.js
import { Down, defineServer, type Pid, startNode } from '../../ts/index.ts';

interface Online {
  /** Living sessions, by user. */
  readonly sessions: Map<string, number>;
  /** Whose session a monitor watches, by the key of its reference. */
  readonly users: Map<string, string>;
}

export const presence = defineServer({
  name: 'presence',
  init: (): Online => ({ sessions: new Map(), users: new Map() }),
  calls: {
    /** Counts a session for as long as its actor lives, wherever that is. Answers who is online. */
    track: ({ state: { sessions, users }, self }, user: string, session: Pid): string[] => {
      users.set(self.monitor(session).key, user);
      const count = (sessions.get(user) ?? 0) + 1;
      sessions.set(user, count);
      if (count === 1) console.log(`${user} is online`);
      return [...sessions.keys()];
    },
  },
  // One DOWN for each session: it ended, it crashed, its process was killed, or its machine is out of reach.
  info: ({ state: { sessions, users } }, message: unknown) => {
    if (!(message instanceof Down)) return;
    const user = users.get(message.ref.key) as string;
    users.delete(message.ref.key);
    const count = (sessions.get(user) as number) - 1;
    if (count > 0) return void sessions.set(user, count);
    sessions.delete(user);
    console.log(`${user} is offline: ${message.reason}`);
  },
});

const [port = '9000'] = process.argv.slice(2);
const node = await startNode({ name: `presence@127.0.0.1:${port}`, cookie: 'presence-example-4711' });
await presence.startWith(node, { name: 'presence' });
console.log(`${node.name} is listening; now start sessions`);
process.once('SIGINT', () => void node.stop());
