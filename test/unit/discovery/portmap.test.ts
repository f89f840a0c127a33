// The port mapper (section U, T5, T6), over real sockets of this machine.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  lookupPort,
  type Portmap,
  type PortmapRegistration,
  registerWithPortmap,
  startPortmap,
} from '../../../ts/discovery/index.ts';
import { MAX_NAMES } from '../../../ts/discovery/portmap-protocol.ts';
import { isOnThisMachine } from '../../../ts/discovery/portmap-server.ts';
import type { SnowmeshError } from '../../../ts/errors/index.ts';
import { until, within } from '../../support/deadline.ts';

let portmap: Portmap;
const registrations: PortmapRegistration[] = [];
const sockets: Socket[] = [];
beforeEach(async () => void (portmap = await startPortmap({ port: 0, lineMs: 3000 })));
afterEach(async () => {
  for (const registration of registrations.splice(0)) registration.close();
  for (const socket of sockets.splice(0)) socket.destroy();
  await portmap.close();
});

const at = (): { port: number } => ({ port: portmap.port });
async function register(
  name: string,
  port: number,
  failed: (error: SnowmeshError) => void = () => {},
): Promise<PortmapRegistration> {
  const registration = await registerWithPortmap(name, port, { ...at(), failed });
  registrations.push(registration);
  return registration;
}

/** A client that says what it likes; `text` is all it was told, `closed` its end. */
function raw(bytes: string | Buffer = ''): { socket: Socket; text: () => string; closed: Promise<unknown> } {
  let text = '';
  const socket = connect(portmap.port, '127.0.0.1');
  sockets.push(socket);
  socket.on('error', () => {});
  socket.setEncoding('utf8').on('data', (more: string) => (text += more));
  const closed = new Promise((resolve) => void socket.once('close', resolve));
  if (bytes.length > 0) socket.write(bytes);
  return { socket, text: () => text, closed: within('the end of a connection', closed) };
}

const line = (name: string, port = 9, incarnation = 'x'): string =>
  `${JSON.stringify({ op: 'register', name, port, incarnation })}\n`;

describe('a registered name', () => {
  it('U1 is found until the connection of its node ends', async () => {
    const registration = await register('a', 9001);
    expect(await lookupPort('a', at())).toBe(9001);
    registration.close();
    await until('the name to go', async () => (await lookupPort('a', at())) === undefined);
  });

  it('U1 is refused to another node while it lives, and free after', async () => {
    const first = await register('a', 9001);
    await expect(register('a', 9002)).rejects.toMatchObject({ code: 'SNOW_ERR_PORTMAP_TAKEN' });
    expect(await lookupPort('a', at())).toBe(9001);
    first.close();
    await until('the name to go', async () => (await lookupPort('a', at())) === undefined);
    await register('a', 9002);
    expect(await lookupPort('a', at())).toBe(9002);
  });

  it('U1 passes to the same incarnation, and the end of the old connection does not take it away', async () => {
    const old = raw(line('a', 9001, 'same'));
    await until('an answer', () => old.text().includes('ok'));
    const next = raw(line('a', 9001, 'same'));
    await until('an answer', () => next.text().includes('ok'));
    await old.closed;
    expect(await lookupPort('a', at())).toBe(9001);
  });

  it('U1 is the only one of its connection', async () => {
    const node = raw(line('a') + line('b'));
    await until('two answers', () => node.text().split('\n').length === 3);
    expect(
      node
        .text()
        .trim()
        .split('\n')
        .map((answer) => JSON.parse(answer)),
    ).toEqual([{ ok: true }, { error: 'registered' }]);
    expect(await lookupPort('a', at())).toBe(9);
    expect(await lookupPort('b', at())).toBeUndefined();
  });

  it('U2 is registered again after a restart of the port mapper', async () => {
    const failures: unknown[] = [];
    await register('a', 9001, (error) => failures.push(error));
    const { port } = portmap;
    await portmap.close();
    await until('the loss, and a try that fails', () => failures.length === 2);
    portmap = await startPortmap({ port });
    await until('the name', async () => (await lookupPort('a', at())) === 9001);
  });

  it('is not made with a `failed` that is no function', async () => {
    const failed = 5 as never;
    const made = registerWithPortmap('a', 9001, { ...at(), failed });
    await expect(made).rejects.toMatchObject({ code: 'SNOW_ERR_BAD_OPTION' });
  });

  it.each([
    ['throws', (): void => void JSON.parse('x')],
    ['rejects', async (): Promise<void> => Promise.reject(new Error('late'))],
  ])('U2 is registered again although what is told of the loss %s', async (_, failed) => {
    await register('a', 9001, failed);
    const { port } = portmap;
    await portmap.close();
    portmap = await startPortmap({ port });
    await until('the name', async () => (await lookupPort('a', at())) === 9001);
  });

  it('stays although its node sends nothing for longer than a line may take', async () => {
    const node = raw(line('a'));
    await until('an answer', () => node.text().includes('ok'));
    await raw().closed; // silent since later, and sent away by the deadline
    expect(await lookupPort('a', at())).toBe(9);
  });
});

describe('U5 names', () => {
  it('beyond 1024 are refused, until one is free', async () => {
    const all = Array.from({ length: MAX_NAMES }, (_, at) => raw(line(`n${at}`)));
    await until('all answers', () => all.every(({ text }) => text().includes('ok')));
    const refused = raw(line('one-more'));
    await until('an answer', () => refused.text() !== '');
    expect(JSON.parse(refused.text())).toMatchObject({ error: 'full' });
    const again = raw(line('n1')); // of the same incarnation: no further name
    await until('an answer', () => again.text() !== '');
    expect(JSON.parse(again.text())).toEqual({ ok: true });
    all[0]?.socket.destroy();
    await until('the name to go', async () => (await lookupPort('n0', at())) === undefined);
    const late = raw(line('one-more'));
    await until('an answer', () => late.text().includes('ok'));
  });
});

describe('U3 a client', () => {
  const elsewhere = Object.values(networkInterfaces())
    .flat()
    .find((each) => each?.family === 'IPv4' && !each.internal)?.address;

  // It looks like one of another machine: it comes from another address than the one that it calls.
  it.skipIf(process.platform !== 'linux' || elsewhere === undefined)(
    'that is not on this machine registers nothing, and may look up',
    async () => {
      await register('b', 9002);
      const socket = connect({ port: portmap.port, host: '127.0.0.1', localAddress: elsewhere });
      sockets.push(socket);
      let text = '';
      socket.setEncoding('utf8').on('data', (more: string) => (text += more));
      socket.write(`${line('a')}{"op":"lookup","name":"b"}\n`);
      await until('both answers', () => text.split('\n').length > 2);
      expect(text.split('\n').map((each) => each && (JSON.parse(each) as object))).toMatchObject([
        { error: 'not_local' },
        { port: 9002 },
        '',
      ]);
      expect(await lookupPort('a', at())).toBeUndefined();
    },
  );

  it.each([
    ['127.0.0.1', '127.0.0.1', true],
    ['127.9.9.9', '127.0.0.1', true],
    ['::1', '::1', true],
    ['::ffff:127.0.0.1', '::ffff:127.0.0.1', true],
    ['10.0.0.1', '10.0.0.1', true],
    ['10.0.0.2', '10.0.0.1', false],
    ['::ffff:10.0.0.2', '::ffff:10.0.0.1', false],
    ['fe80::127.', 'fe80::1', false],
    [undefined, undefined, false],
  ])('from %s to %s may register: %s', (remote, local, may) => {
    expect(isOnThisMachine(remote, local)).toBe(may);
  });
});

describe('a bad client', () => {
  it.each([
    ['a line over the limit', `{"op":"${'x'.repeat(5000)}`, 'too_long'],
    ['HTTP', 'POST / HTTP/1.1\r\n\r\n', 'bad_request'],
    ['bytes', Buffer.from([0, 255, 254, 10]), 'bad_request'],
    ['deep nesting', `${'['.repeat(4000)}\n`, 'bad_request'],
    ['null', 'null\n', 'bad_request'],
    ['a port out of range', line('a', 70_000), 'bad_request'],
    ['an empty incarnation', line('a', 9, ''), 'bad_request'],
    ['U5 a name with a null inside', line('a\0b'), 'bad_request'],
    ['U5 a long name', line('é'.repeat(200)), 'bad_request'],
    ['U5 half a surrogate', '{"op":"lookup","name":"\\ud800"}\n', 'bad_request'],
  ])('%s: is told and closed, and the next is served', async (_what, bytes, refusal) => {
    const bad = raw(bytes);
    await bad.closed;
    expect(bad.text()).toBe(`{"error":"${refusal}"}\n`);
    expect(await lookupPort('a', at())).toBeUndefined();
  });

  it('U5 may have a name in any script, and that of a property of every object', async () => {
    await register('雪', 9001);
    await register('__proto__', 9002);
    expect(await lookupPort('雪', at())).toBe(9001);
    expect(await lookupPort('__proto__', at())).toBe(9002);
    expect(await lookupPort('constructor', at())).toBeUndefined();
  });

  it('T5 that is silent, or sends a byte now and then, is gone after one deadline', async () => {
    const silent = Array.from({ length: 4 }, () => raw());
    const slow = raw('{');
    const drip = setInterval(() => slow.socket.write(' '), 50);
    await register('a', 9001);
    await Promise.all([...silent, slow].map(({ closed }) => closed));
    clearInterval(drip);
    expect(await lookupPort('a', at())).toBe(9001);
  });

  it('T5 in thousands keeps no node out, and takes no name away', async () => {
    const patient = await startPortmap({ port: 0, lineMs: 60_000 }); // nobody goes by the deadline
    const losses: unknown[] = [];
    const failed = (error: unknown): void => void losses.push(error);
    const registration = await registerWithPortmap('a', 9001, { port: patient.port, failed });
    registrations.push(registration);
    for (let batch = 0; batch < 21; batch++) {
      const crowd = Array.from({ length: 100 }, () => connect(patient.port, '127.0.0.1'));
      sockets.push(...crowd);
      for (const socket of crowd) socket.on('error', () => {}).resume();
      await within('their connections', Promise.all(crowd.map((socket) => once(socket, 'connect'))));
    }
    expect(await lookupPort('a', { port: patient.port })).toBe(9001);
    await until('the oldest to go', () => sockets[0]?.closed);
    expect(sockets.at(-1)?.closed).toBe(false);
    expect(losses).toEqual([]); // it was not registered again
    registration.close();
    await patient.close();
  }, 60_000);

  it('T6 that is reset at any byte leaves nothing behind', async () => {
    const whole = line('a');
    for (let cut = 0; cut <= whole.length; cut++) {
      const { socket, closed } = raw();
      await once(socket, 'connect');
      socket.write(whole.slice(0, cut), () => socket.resetAndDestroy());
      await closed;
    }
    await until('the name to go', async () => (await lookupPort('a', at())) === undefined);
  });

  it('that asks and does not listen is closed, having cost little', async () => {
    for (let index = 0; index < 50; index++) await register(`${index}${'n'.repeat(200)}`, 9001);
    const deaf = raw();
    deaf.socket.pause();
    const before = process.memoryUsage().rss;
    deaf.socket.write('{"op":"list"}\n'.repeat(60_000)); // 600 MB of answers
    await until('its end', async () => {
      deaf.socket.write('{"op":"list"}\n');
      await lookupPort('x', at());
      return deaf.socket.destroyed || deaf.socket.errored !== null;
    });
    expect(process.memoryUsage().rss - before).toBeLessThan(300 * 1024 * 1024);
  });
});
