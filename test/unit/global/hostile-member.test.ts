// Members that keep to the form of the protocol and not to its rules: each loses its session, and holds nothing up.
import { expect, it } from 'vitest';
import { LamportClock } from '../../../ts/global/lamport-clock.ts';
import { MAX_SYNCS, MAX_UNANSWERED_PINGS, MAX_VOTE_ROUNDS } from '../../../ts/global/limits.ts';
import { LOG_PAUSE_MS } from '../../../ts/kernel/throttled-log.ts';
import { Pid } from '../../../ts/term/index.ts';
import { type FakeNode, handed } from './fake-mesh.ts';
import { after, apart, joined, kill, mesh } from './stage.ts';

const DAY_MS = 86_400_000;

/** A node with global names, and a peer that answers as it likes. */
async function against(answer: (message: readonly unknown[]) => readonly unknown[][]) {
  const [a, b] = apart(2) as [FakeNode, FakeNode];
  a.start({});
  b.listener = {
    up: (peer) => mesh.send(b, peer, ['hello', 1]),
    message: (peer, message) => {
      for (const one of answer(message as readonly unknown[])) mesh.send(b, peer, one);
    },
    down: () => {},
  };
  mesh.connectAll();
  await mesh.settle();
  return { a, b };
}

const pong = (message: readonly unknown[]): unknown[][] =>
  message[0] === 'ping' ? [['pong', message[1]]] : [];
const violations = (node: FakeNode): unknown[] =>
  node.kit.logs
    .filter(({ facts }) => facts['event'] === 'global_names_violation')
    .map(({ facts }) => facts['node']);

it('Q12 a peer that has not greeted changes nothing', async () => {
  const [a, b] = apart(2) as [FakeNode, FakeNode];
  a.start({});
  b.listener = { up: () => {}, message: () => {}, down: () => {} };
  mesh.connectAll();
  await mesh.settle();
  const [peer] = b.peers.values();
  const register = async (): Promise<void> => {
    mesh.send(b, peer as never, ['commit', 1, 'x', b.actor(), 1, null]);
    await mesh.settle();
  };
  await register();
  expect(a.names.names()).toEqual([]);
  mesh.send(b, peer as never, ['hello', 1]);
  await register();
  expect(a.names.names()).toEqual(['x']);
});

it('P7 an invalid message is ignored, and logged once a session', async () => {
  const { a, b } = await against(() => []);
  const [peer] = b.peers.values();
  const foreign = [['x', new Pid(999, 1), 1, []]];
  for (const nonsense of [7, ['vote'], ['pong', 99], ['sync', foreign], ['sync', foreign]])
    mesh.send(b, peer as never, nonsense as never);
  await mesh.settle();
  expect(a.names.names()).toEqual([]);
  const lines = a.kit.logs.filter(({ facts }) => facts['event'] === 'global_names_bad_message');
  expect(lines.map(({ level, facts }) => [level, facts['node']])).toEqual([['warn', b.name]]);
});

it('T7 what a peer does wrong in one session after the other is logged once in ten seconds', async () => {
  const { a, b } = await against(() => []);
  const lines = (): unknown[] =>
    a.kit.logs
      .map(({ facts }) => [facts['event'], facts['node'], facts['count']])
      .filter(([event]) => event !== undefined);
  for (let session = 1; session <= 5; session++) {
    const [peer] = b.peers.values();
    mesh.send(b, peer as never, 'nonsense');
    mesh.send(b, peer as never, ['claim', 1, 'x', Number.MAX_SAFE_INTEGER, false]);
    await mesh.settle();
    expect(a.peers.size).toBe(0);
    mesh.connectAll();
    await mesh.settle();
  }
  const first = [
    ['global_names_bad_message', b.name, undefined],
    ['global_names_violation', b.name, undefined],
  ];
  expect(lines()).toEqual(first);
  await mesh.pass(LOG_PAUSE_MS);
  expect(lines()).toEqual([...first, ...first.map(([event, node]) => [event, node, 4])]);
});

it('P7 a member that answers pings and never tells its names does not hold sync up', async () => {
  const { a, b } = await against(pong);
  let isKnown = false;
  void a.names.sync().then(() => (isKnown = true));
  await mesh.settle();
  expect(isKnown).toBe(false);
  await mesh.pass(3_000);
  expect(isKnown).toBe(true);
  expect(violations(a)).toEqual([b.name]);
  expect(a.peers.size).toBe(0);
});

it.each([
  ['a registration', (a: FakeNode) => a.names.register('x', a.actor())],
  ['the end of a name', (a: FakeNode) => a.names.unregister('mine')],
])('P7 a member that answers pings and acknowledges nothing does not hold %s up', async (_what, start) => {
  let isHonest = true;
  const { a, b } = await against((message) => {
    if (message[0] === 'hello') return [['sync', []]];
    if (message[0] === 'claim') return [['vote', message[1], 'yes', 1, []]];
    if (isHonest && message[0] === 'commit') return [['ack', message[1]]];
    return pong(message);
  });
  expect(await after(a.names.register('mine', a.actor()))).toBe(true);
  isHonest = false;
  let answer: boolean | undefined;
  void start(a).then((yes) => (answer = yes));
  await mesh.settle();
  expect(answer).toBeUndefined();
  await mesh.pass(3_000);
  expect(answer).toBe(true);
  expect(violations(a)).toEqual([b.name]);
});

it('P7 a member that says other things and answers no ping holds a registration up for a bounded time', async () => {
  const { a, b } = await against((message) => {
    if (message[0] === 'hello') return [['sync', []]];
    return message[0] === 'ping' ? [['abort', 1]] : [];
  });
  let answer: boolean | undefined;
  void a.names.register('x', a.actor()).then((yes) => (answer = yes));
  await mesh.pass((MAX_UNANSWERED_PINGS + 2) * 1_000);
  expect(answer).toBe(true);
  expect(violations(a)).toEqual([b.name]);
});

it('P7 a member that answers and never votes ends a registration with an error that names it', async () => {
  const { a, b } = await against((message) => (message[0] === 'hello' ? [['sync', []]] : pong(message)));
  let error: { code: string; details: unknown } | undefined;
  void a.names.register('x', a.actor()).catch((reason) => (error = reason));
  await mesh.pass((MAX_VOTE_ROUNDS - 1) * 1_000);
  expect(error).toBeUndefined();
  await mesh.pass(3_000);
  expect(error).toMatchObject({ code: 'SNOW_ERR_NO_VOTE', details: { nodes: [b.name] } });
});

it('P7 a member that forgets every claim does not have it made again without end', async () => {
  let claims = 0;
  const { a, b } = await against((message) => {
    if (message[0] === 'hello') return [['sync', []]];
    if (message[0] === 'claim' && claims++ < 1000) return [['vote', message[1], 'late', 1, []]];
    return pong(message);
  });
  const code = a.names.register('x', a.actor()).catch((error) => [error.code, error.details.nodes]);
  expect(await after(code)).toEqual(['SNOW_ERR_NO_VOTE', [b.name]]);
  expect(claims).toBeLessThan(20);
});

it('P7 a member that holds a vote and never ends its claim loses its session', async () => {
  const { a, b } = await against((message) => (message[0] === 'hello' ? [['sync', []]] : pong(message)));
  mesh.send(b, b.peers.get(a) as never, ['claim', 1, 'x', 1, false]);
  await mesh.settle();
  let error: { code: string; details: unknown } | undefined;
  void a.names.register('x', a.actor()).catch((reason) => (error = reason));
  await mesh.pass((MAX_VOTE_ROUNDS + 2) * 1_000);
  // It has not voted, and it holds the vote of this node.
  expect(error).toMatchObject({ code: 'SNOW_ERR_NO_VOTE', details: { nodes: [b.name] } });
  expect(violations(a)).toEqual([]);
  await mesh.pass((MAX_VOTE_ROUNDS + 2) * 1_000);
  expect(violations(a)).toEqual([b.name]);
  expect(await after(a.names.register('x', a.actor()))).toBe(true);
});

it('Q5 a member that switches a name and takes the switch back does not leave it to a dead actor', async () => {
  const entry: unknown[] = [];
  const { a, b } = await against((message) => {
    if (message[0] === 'hello') return [['sync', []]];
    if (message[0] === 'claim') return [['vote', message[1], 'yes', 1, []]];
    if (message[0] !== 'commit') return pong(message);
    entry.push(message[3], message[4]);
    return [['ack', message[1]]];
  });
  const old = a.actor();
  expect(await after(a.names.register('x', old))).toBe(true);
  const [first, second] = [b.actor(), b.actor()];
  const say = (...message: unknown[]): void => mesh.send(b, b.peers.get(a) as never, message);
  say('commit', 1, 'x', first, (entry[1] as number) + 1, [entry]);
  await mesh.settle();
  expect(a.seen('x')).toBe(b.spelt(first));
  kill(a, old); // before the switch is settled
  say('commit', 2, 'x', second, 0, null);
  await mesh.settle();
  expect(a.seen('x')).toBe(b.spelt(second));
  expect(violations(a)).toEqual([]);
});

it('P7 honest members that are slow, frozen or start anew break no rule', async () => {
  const [a, b] = (await joined(2)) as [FakeNode, FakeNode];
  for (let round = 0; round < 4; round++) {
    void a.names.register(`x${round}`, a.actor());
    for (let step = 0; step < round; step++) mesh.step();
    mesh.freeze(b);
    await mesh.pass(2_500 * (round + 1));
    if (round > 1) {
      b.names.close();
      b.start({});
    }
    mesh.thaw(b);
    await mesh.pass(10_000);
  }
  expect(violations(a)).toEqual([]);
  expect(b.names.names()).toHaveLength(4);
});

it('P7 a member that starts anew without end is told its names a bounded number of times', async () => {
  const { a, b } = await against(() => []);
  let told = 0;
  mesh.onSend = (from, _to, value) => {
    if (from === a && (value as unknown[])[0] === 'sync') told++;
  };
  for (let count = 0; count < 3 * MAX_SYNCS; count++) {
    const peer = b.peers.get(a);
    if (peer !== undefined) mesh.send(b, peer, ['hello', 1]);
    mesh.step();
    await handed();
  }
  await mesh.settle();
  expect(told).toBeLessThanOrEqual(MAX_SYNCS);
  expect(violations(a)).toEqual([b.name]);
});

it.each([
  ['claim', 1, 'y', Number.MAX_SAFE_INTEGER, false],
  ['vote', 1, 'yes', Number.MAX_SAFE_INTEGER, []],
  ['commit', 1, 'y', 'pid', Number.MAX_SAFE_INTEGER, null],
  ['sync', [['y', 'pid', Number.MAX_SAFE_INTEGER, []]]],
])('P7 an implausible stamp in a %s ends the session and leaves the clock as it is', async (...message) => {
  const [a, b, c] = (await joined(3)) as [FakeNode, FakeNode, FakeNode];
  expect(await after(b.names.register('x', b.actor()))).toBe(true);
  const pid = c.actor();
  const withPid = (value: unknown): unknown =>
    value === 'pid' ? pid : Array.isArray(value) ? value.map(withPid) : value;
  mesh.send(c, c.peers.get(a) as never, withPid(message));
  await mesh.settle();
  expect(violations(a)).toEqual([c.name]);
  expect(a.peers.has(c)).toBe(false);
  expect(a.seen('y')).toBeUndefined();
  // A switch is later than what it replaces.
  const next = a.actor();
  expect(await after(a.names.reregister('x', next))).toBe(true);
  expect([a.seen('x'), b.seen('x')]).toEqual([a.spelt(next), a.spelt(next)]);
});

it('P7 a clock follows honest peers, and a hostile one up to a limit that it soon passes by itself', () => {
  let timeMs = Date.UTC(2027, 0, 1);
  const clock = new LamportClock(() => timeMs);
  expect(clock.see(2 ** 40)).toBe(true);
  expect(clock.tick()).toBe(2 ** 40 + 1);
  expect(clock.see(Number.MAX_SAFE_INTEGER)).toBe(false);
  expect(clock.now).toBe(2 ** 40 + 1);
  // As far as a peer can drive it: that stamp is taken, the clock stops at the limit of this day.
  let most = Number.MAX_SAFE_INTEGER;
  for (let step = 2 ** 52; step >= 1; step /= 2)
    if (!new LamportClock(() => timeMs).see(most - step)) most -= step;
  expect(clock.see(most - 1)).toBe(true);
  const limit = clock.now;
  expect(limit).toBeLessThan(most);
  // A peer whose time is a day behind takes what this clock says; and a minute later the limit is millions of ticks on.
  const behind = new LamportClock(() => timeMs - DAY_MS / 2);
  expect(behind.see(clock.tick())).toBe(true);
  timeMs += 60_000;
  expect(clock.see(limit + 10_000_000)).toBe(true);
  expect(clock.now).toBe(limit + 10_000_000);
  // Nobody's time is needed for what a cluster can have reached.
  expect(new LamportClock(() => 0).see(2 ** 40)).toBe(true);
});

it('Q12 an answer to a request counts only from the node that was asked', async () => {
  const [a, asked, hostile] = apart(3) as [FakeNode, FakeNode, FakeNode];
  a.start({});
  const numbers: unknown[] = [];
  for (const node of [asked, hostile])
    node.listener = {
      up: (peer) => {
        mesh.send(node, peer, ['hello', 1]);
        mesh.send(node, peer, ['sync', []]);
      },
      message: (_peer, message) => {
        const [kind, number] = message as readonly unknown[];
        if (kind === 'ask') numbers.push(number);
      },
      down: () => {},
    };
  mesh.connectAll();
  await mesh.settle();
  const outcomes: unknown[] = [];
  void a.names.register('x', a.pid(asked.actor() as Pid<never>, asked)).then((yes) => outcomes.push(yes));
  await mesh.settle();
  const answer = async (node: FakeNode, outcome: string): Promise<void> => {
    mesh.send(node, node.peers.get(a) as never, ['answer', numbers[0], outcome, []]);
    await mesh.settle();
  };
  await answer(hostile, 'taken');
  expect([numbers.length, outcomes]).toEqual([1, []]);
  await answer(asked, 'yes');
  expect(outcomes).toEqual([true]);
});
