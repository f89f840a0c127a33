// In other terminals, after the tracker:   node dist/examples/presence/sessions.js ADDRESS USER…
// Each user has a session: an actor that lives until it is told to leave. Ctrl-C ends them all, and so does anything worse.
import { call, type Self, startNode } from '../../ts/index.ts';
import type { presence } from './tracker.ts';

type Presence = ReturnType<typeof presence.at>;

const [tracker = 'presence@127.0.0.1:9000', ...users] = process.argv.slice(2);
const node = await startNode({ name: 'sessions@127.0.0.1:0', cookie: 'presence-example-4711' });
const server: Presence = { name: 'presence', node: tracker };

async function session(self: Self<'leave'>): Promise<void> {
  await self.receive('leave'); // a socket's close handler would send it
}

for (const user of users) {
  const pid = node.spawn(session);
  console.log('online:', (await call(node, server, 'track', user, pid)).join(', '));
}

process.once('SIGINT', () => void node.stop());
