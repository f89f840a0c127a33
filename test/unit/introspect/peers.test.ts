// Questions between nodes, over links that a test delivers and cuts.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Introspector, sourcesOf } from '../../../ts/introspect/index.ts';
import { Introspection } from '../../../ts/introspect/introspection.ts';
import { QUESTIONS } from '../../../ts/introspect/questions.ts';
import type { ChannelPeer } from '../../../ts/node/index.ts';
import { randomFrom } from '../../support/seed.ts';
import { FakeMesh, type FakeNode } from '../global/fake-mesh.ts';

let mesh: FakeMesh;
let a: FakeNode;
let b: FakeNode;
let c: FakeNode;
/** What each node said, as it was sent. */
let said: [from: string, value: unknown[]][];
const introspectors = new Map<FakeNode, Introspector<ChannelPeer>>();

beforeEach(async () => {
  mesh = new FakeMesh(3, randomFrom());
  [a, b, c] = mesh.nodes as [FakeNode, FakeNode, FakeNode];
  said = [];
  mesh.onSend = (from, _to, value) => void said.push([from.name, value as unknown[]]);
  for (const node of mesh.nodes) open(node, node !== c);
  mesh.connectAll();
  await mesh.settle();
});
afterEach(() => {
  for (const each of introspectors.values()) each.close();
  mesh.stop();
});

function open(node: FakeNode, answersPeers: boolean): void {
  const introspector = new Introspector<ChannelPeer>(node.runtime, node, answersPeers);
  introspectors.set(node, introspector);
  introspector.opened(node.channel('introspect', introspector));
}

/** What `from` sees of `of`. */
const view = (from: FakeNode, of: FakeNode): Introspection =>
  (introspectors.get(from) as Introspector<ChannelPeer>).of(of.name, 5000);
/** Lets events be delivered until `promise` is settled. */
async function delivered<T>(promise: Promise<T>): Promise<T> {
  let isOver = false;
  const over = (): void => void (isOver = true);
  promise.then(over, over);
  while (!isOver) await mesh.settle();
  return promise;
}
const peerOf = (node: FakeNode, of: FakeNode): ChannelPeer => node.peers.get(of) as ChannelPeer;
const failsWith = (reason: string): object =>
  expect.objectContaining({ code: 'SNOW_ERR_INTROSPECTION', details: expect.objectContaining({ reason }) });

describe('another node', () => {
  it('W2 answers every question', async () => {
    const pid = b.actor();
    b.runtime.register('here', pid as never);
    const of = view(a, b);
    expect(await delivered(of.overview())).toMatchObject({
      node: b.name,
      actors: 1,
      names: 1,
      version: '0.1.0',
    });
    const seen = b.pid(pid, b);
    const { items, total } = await delivered(of.processes());
    expect(total).toBe(1);
    expect(items[0]).toMatchObject({ name: 'here', mailbox: 0 });
    expect(items[0]?.pid.equals(a.pid(seen, b))).toBe(true);
    expect(await delivered(of.processInfo('here'))).toMatchObject({ names: ['here'], kind: 'handler' });
    expect(await delivered(of.processInfo('nobody'))).toBeUndefined();
    expect(await delivered(of.top({ limit: 1 }))).toHaveLength(1);
    expect(await delivered(of.tree())).toEqual({ roots: [], omitted: 0, next: undefined });
    expect(await delivered(of.sessions())).toEqual([]);
    expect(await delivered(of.names())).toMatchObject({ items: [{ name: 'here' }] });
    for (const list of ['crashes', 'globalNames', 'groups', 'rooms'] as const)
      expect(await delivered<unknown>(of[list]())).toEqual({ items: [], total: 0, next: undefined });
  });

  it('W2 does not answer when that was switched off', async () => {
    const questions = Object.getOwnPropertyNames(Introspection.prototype).filter(
      (name) => name !== 'constructor',
    );
    expect(questions).toContain('crashes');
    for (const question of questions) {
      const of = view(a, c) as unknown as Record<string, (which?: string) => Promise<unknown>>;
      const asked = question === 'processInfo' ? of[question]?.('x') : of[question]?.();
      await expect(delivered(asked as Promise<unknown>), question).rejects.toEqual(failsWith('off'));
    }
    expect((await delivered(view(c, a).overview())).node).toBe(a.name);
  });

  it('is out of reach, lost meanwhile, or silent: each is an error that says so', async () => {
    mesh.cut(a, b);
    await mesh.settle();
    await expect(view(a, b).overview()).rejects.toEqual(failsWith('nodedown'));
    mesh.connect(a, b);
    await mesh.settle();
    const lost = view(a, b).overview();
    mesh.cut(a, b);
    await expect(delivered(lost)).rejects.toEqual(failsWith('nodedown'));
    mesh.connect(a, b);
    await mesh.settle();
    mesh.freeze(b);
    const late = view(a, b).overview();
    late.catch(() => {});
    await mesh.pass(5000);
    await expect(late).rejects.toEqual(failsWith('timeout'));
  });

  it('rejects what waits when this node stops', async () => {
    mesh.freeze(b);
    const waits = view(a, b).overview();
    introspectors.get(a)?.close();
    await expect(waits).rejects.toEqual(failsWith('stopped'));
  });

  it('does not know a question of a later version', async () => {
    mesh.send(a, peerOf(a, b), ['ask', 7, 'weather', {}]);
    await mesh.settle();
    expect(said).toContainEqual([b.name, ['refuse', 7, 'unknown']]);
  });
});

describe('a hostile peer', () => {
  const asks = (id: number, question: string, options: unknown): void =>
    mesh.send(a, peerOf(a, b), ['ask', id, question, options]);
  const answersOf = (node: FakeNode): unknown[][] =>
    said.filter(([from, [kind]]) => from === node.name && kind === 'answer').map(([, value]) => value);

  it('W3 that asks what cannot be answered is told `failed`; that is logged at most once in ten seconds', async () => {
    sourcesOf(b.runtime).rooms = {
      size: 1,
      keys: () => {
        throw new Error('on purpose');
      },
      describe: () => undefined,
    };
    for (let time = 0; time < 3; time++)
      await expect(delivered(view(a, b).rooms())).rejects.toEqual(failsWith('failed'));
    const written = (): unknown[] =>
      b.kit.logs
        .filter(({ facts }) => facts['event'] === 'introspection_failed')
        .map(({ level, facts }) => [level, facts['question'], facts['count']]);
    expect(written()).toEqual([['warn', 'rooms', undefined]]);
    await mesh.pass(10_000);
    expect(written()).toEqual([
      ['warn', 'rooms', undefined],
      ['warn', 'rooms', 2],
    ]);
  });

  it('W4 that asks without end gets one answer in a turn of the event loop; what is too much is refused', async () => {
    for (let id = 0; id < 10_000; id++) asks(id, 'processes', {});
    while (mesh.deliver(a, b));
    expect(answersOf(b)).toHaveLength(0);
    expect(said.filter(([from, [kind]]) => from === b.name && kind === 'refuse')).toHaveLength(10_000 - 32);
    let before = 0;
    let most = 0;
    while (before < 32) {
      await nextTurn();
      const { length } = answersOf(b);
      most = Math.max(most, length - before);
      before = length;
    }
    expect(most).toBe(1);
  });

  it('W4 does not keep the questions of others waiting', async () => {
    for (let id = 0; id < 32; id++) asks(id, 'processes', {});
    while (mesh.deliver(a, b));
    const other = introspectors.get(c)?.of(b.name, 5000).overview();
    while (mesh.deliver(c, b));
    while (said.every(([from, [, id]]) => from !== b.name || id !== 1)) await nextTurn();
    const { length } = answersOf(b);
    while (mesh.deliver(b, c));
    await other;
    expect(length).toBeLessThanOrEqual(3);
  });

  it.each([
    [100, 400],
    [1000, 1000],
  ])('W4 rests after an answer that took %i ms for %i ms, whoever asks next', async (tookMs, restMs) => {
    let now = 0;
    mesh.onSend = (from, _to, value) => {
      if (from === b && (value as unknown[])[0] === 'answer') now += tookMs;
    };
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => now);
    const timers = vi.spyOn(globalThis, 'setTimeout');
    try {
      asks(1, 'names', {});
      while (mesh.deliver(a, b));
      while (timers.mock.calls.length === 0) await nextTurn();
      expect(timers.mock.calls).toEqual([[expect.any(Function), restMs]]);
      const [[goOn]] = timers.mock.calls as [[() => void]];
      const other = introspectors.get(c)?.of(b.name, 5000).names();
      while (mesh.deliver(c, b));
      for (let turn = 0; turn < 10; turn++) await nextTurn();
      expect(now).toBe(tookMs);
      goOn();
      while (now === tookMs) await nextTurn();
      while (mesh.deliver(b, c));
      await other;
    } finally {
      clock.mockRestore();
      timers.mockRestore();
    }
  });

  it('W3 cannot make this node keep what a question does not have', async () => {
    const ballast = 'x'.repeat(1000);
    const answers = (['processes', 'overview', 'process'] as const).map((question) =>
      vi.spyOn(QUESTIONS[question], 'answer'),
    );
    try {
      asks(1, 'processes', { limit: 3, ballast });
      asks(2, 'overview', { ballast });
      asks(3, 'process', { which: 'here', ballast, after: 1 });
      await mesh.settle();
      while (answersOf(b).length < 3) await nextTurn();
      expect(answers.map(({ mock }) => mock.calls[0]?.[1])).toEqual([{ limit: 3 }, {}, { which: 'here' }]);
    } finally {
      for (const each of answers) each.mockRestore();
    }
  });

  it.each([
    ['processes', { limit: 1e9 }],
    ['processes', { limit: '1' }],
    ['processes', { after: -1 }],
    ['processes', null],
    ['top', { by: '__proto__' }],
    ['top', { limit: 101 }],
    ['processes', { limit: 1001 }],
    ['process', {}],
    ['process', { which: 'x'.repeat(1000) }],
    ['tree', { root: 7 }],
    ['names', [1]],
  ])('W3 that asks %s with %j is refused', async (question, options) => {
    asks(1, question, options);
    await mesh.settle();
    expect(said).toContainEqual([b.name, ['refuse', 1, 'bad']]);
  });

  it.each([
    [null],
    [7],
    [['ask']],
    [['ask', 'x', 'top', {}]],
    [['answer', 1]],
    [['refuse', 1, 'later']],
    [['ask', 1, 'toString', {}, 1]],
  ])('that says %j changes nothing', async (value) => {
    mesh.send(a, peerOf(a, b), value);
    await mesh.settle();
    expect(said.filter(([from]) => from === b.name)).toEqual([]);
  });

  it.each([
    [undefined],
    [{ items: [], total: 'many' }],
    [{ items: [{ pid: 7 }], total: 1 }],
    [{ items: new Array(1001).fill({}), total: 1 }],
    ['text'],
  ])('W3 that answers %j is not believed', async (answer) => {
    introspectors.get(b)?.close();
    const asked = view(a, b).processes();
    await mesh.settle();
    const [, [, id]] = said.at(-1) as [string, unknown[]];
    mesh.send(b, peerOf(b, a), ['answer', id, answer]);
    await expect(delivered(asked)).rejects.toEqual(failsWith('bad_answer'));
  });

  it('W3 that answers with a tree of more than 1 000 entries on all levels is not believed', async () => {
    introspectors.get(b)?.close();
    const entry = (children: unknown[]) => ({
      id: 'x',
      type: 'worker',
      state: 'running',
      mailbox: 0,
      children,
      omitted: 0,
    });
    const treeOf = (entries: number) => ({
      roots: [
        entry(Array.from({ length: 10 }, () => entry(Array.from({ length: entries / 10 }, () => entry([]))))),
      ],
      omitted: 0,
    });
    for (const [entries, outcome] of [
      [900, 'fulfilled'],
      [1000, 'rejected'],
    ] as const) {
      const asked = view(a, b).tree();
      await mesh.settle();
      const [, [, id]] = said.at(-1) as [string, unknown[]];
      mesh.send(b, peerOf(b, a), ['answer', id, treeOf(entries)]);
      expect((await Promise.allSettled([delivered(asked)]))[0]).toMatchObject({ status: outcome });
    }
  });

  it('W3 whose answer has fields that a question does not have is believed without them', async () => {
    introspectors.get(b)?.close();
    const line = { node: 'x', connection: 1, hidden: false, dialled: true, stalled: false, waiting: 0 };
    const counters = { framesIn: 1, framesOut: 1, bytesIn: 1, bytesOut: 1, silentMs: 0 };
    const entry = { id: 'x', type: 'worker', state: 'running', mailbox: 0, children: [], omitted: 0 };
    const ballast = 'x'.repeat(1000);
    const of = view(a, b);
    for (const [ask, fair, padded] of [
      [() => of.totals(), { mailbox: 1, turns: 2 }, { mailbox: 1, ballast, turns: 2 }],
      [() => of.sessions(), [{ ...line, ...counters }], [{ ...line, ...counters, ballast }]],
      [
        () => of.tree(),
        { roots: [{ ...entry, children: [entry] }], omitted: 0 },
        { roots: [{ ...entry, children: [{ ...entry, ballast }], ballast }], omitted: 0, ballast },
      ],
    ] as const) {
      const asked: Promise<unknown> = ask();
      await mesh.settle();
      const [, [, id]] = said.at(-1) as [string, unknown[]];
      mesh.send(b, peerOf(b, a), ['answer', id, padded]);
      expect(await delivered(asked)).toEqual(fair);
    }
  });

  it('W8 cannot answer what another node was asked', async () => {
    introspectors.get(b)?.close();
    const asked = view(a, b).processes();
    await mesh.settle();
    const [, [, id]] = said.at(-1) as [string, unknown[]];
    mesh.send(c, peerOf(c, a), ['answer', id, { items: [], total: 0, next: undefined }]);
    mesh.send(c, peerOf(c, a), ['refuse', id, 'off']);
    await mesh.settle();
    mesh.send(b, peerOf(b, a), ['answer', id, { items: [], total: 5, next: undefined }]);
    expect(await delivered(asked)).toMatchObject({ total: 5 });
  });
});

describe('rates of sessions', () => {
  it('are means since the call before, of the same connection', async () => {
    const session = { node: 'x', hidden: false, dialled: true, stalled: false, waiting: 0, silentMs: 0 };
    let count = 0;
    let connection = 1;
    sourcesOf(a.runtime).sessions = () => [
      {
        ...session,
        connection,
        framesIn: count,
        framesOut: 5 * count,
        bytesIn: 10 * count,
        bytesOut: 2 * count,
      },
    ];
    const of = view(a, a);
    const clock = vi.spyOn(performance, 'now');
    let time = 1_000_000;
    /** The rates of a call that is so many ms after the one before. */
    const ratesAfter = async (ms: number): Promise<Record<string, number> | undefined> => {
      time += ms;
      clock.mockReturnValue(time);
      return (await of.sessions())[0]?.rates as Record<string, number> | undefined;
    };
    try {
      expect(await ratesAfter(0)).toBeUndefined();
      count = 1000;
      expect(await ratesAfter(500)).toEqual({
        framesIn: 2000,
        framesOut: 10_000,
        bytesIn: 20_000,
        bytesOut: 4000,
      });
      count = 1100;
      expect(await ratesAfter(49), 'too short a time').toBeUndefined();
      count = 1200;
      expect(await ratesAfter(100)).toMatchObject({ framesIn: 1000 });
      connection = 2;
      expect(await ratesAfter(100), 'another connection').toBeUndefined();
    } finally {
      clock.mockRestore();
    }
  });
});
