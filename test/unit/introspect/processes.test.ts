import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  call,
  cast,
  childSpec,
  defineDynamicSupervisor,
  defineHandler,
  defineServer,
  defineSupervisor,
  type Node,
  type Pid,
  type ProcessInfo,
  silentLogger,
  startChild,
  startNode,
  stop,
  whichChildren,
} from '../../../ts/index.ts';
import { type Listed, supervisorsOf } from '../../../ts/supervisor/index.ts';
import { enlist } from '../../../ts/supervisor/supervisor-list.ts';

let node: Node;
beforeEach(async () => void (node = await startNode({ logger: silentLogger })));
afterEach(() => node.stop({ timeout: 0 }));

/** What is known about an actor that lives. */
const info = (pid: Pid<never>): ProcessInfo => node.processInfo(pid) as ProcessInfo;
/** Lets everything run that can. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await nextTurn();
}

describe('processInfo', () => {
  it('shows label, names, parent, mailbox, turns and last tag of a function', async () => {
    const pid = node.spawn(async function clerk(self) {
      await self.receive();
      await self.receive((message) => message === 'never');
    });
    node.register('desk', pid);
    node.register('till', pid);
    await settled();
    expect(info(pid)).toMatchObject({
      pid,
      label: 'clerk',
      kind: 'function',
      name: 'desk',
      names: ['desk', 'till'],
      state: 'receiving',
      mailbox: 0,
      turns: 0,
      lastTag: undefined,
    });
    expect(info(pid).parent.toString()).toBe('<0.0>');
    node.send(pid, ['order', 1]);
    for (let left = 5; left > 0; left--) node.send(pid, left);
    await settled();
    expect(info(pid)).toMatchObject({ mailbox: 5, turns: 1, lastTag: 'order' });
  });

  it('shows an actor that has not run yet, that waits for its turn, and whose init is pending', async () => {
    const pid = node.spawn(async (self) => void (await self.receive('stop')));
    expect(info(pid).state).toBe('starting');
    await settled();
    expect(info(pid).state).toBe('receiving');
    const handler = node.spawnHandler(() => ({ onMessage() {} }));
    await settled();
    node.send(handler, 'work' as never);
    expect(info(handler as never).state).toBe('runnable');
    let ready = (): void => {};
    const slow = defineServer({ name: 'slow', init: () => new Promise<void>((done) => void (ready = done)) });
    const started = slow.startWith(node, { name: 'slow' });
    await settled();
    const starting = node.whereis('slow') as Pid<never>;
    expect(info(starting)).toMatchObject({ state: 'starting', kind: 'handler' });
    ready();
    await started;
    expect(info(starting).state).toBe('idle');
  });

  it('shows what a handler does: idle, busy with a call, ending', async () => {
    let finish = (): void => {};
    let end = (): void => {};
    const server = defineServer({
      name: 'slow',
      init: () => 0,
      calls: { work: () => new Promise<void>((resolve) => void (finish = resolve)) },
      terminate: () => new Promise<void>((resolve) => void (end = resolve)),
    });
    const pid = await server.start(node);
    expect(info(pid)).toMatchObject({ kind: 'handler', state: 'idle', lastTag: undefined });
    const answer = call(node, pid, 'work');
    await settled();
    expect(info(pid)).toMatchObject({ state: 'busy', lastTag: 'work', turns: 1 });
    finish();
    await answer;
    await settled();
    expect(info(pid).state).toBe('idle');
    const stopped = stop(node, pid);
    await settled();
    expect(info(pid).state).toBe('ending');
    end();
    await stopped;
    expect(node.processInfo(pid)).toBeUndefined();
  });

  it('shows which cast or message an async handler of it is busy with, and none when it is done', async () => {
    let finish = (): void => {};
    const pending = (): Promise<void> => new Promise((resolve) => void (finish = resolve));
    const server = defineServer({ name: 'slow', init: () => 0, casts: { job: pending }, info: pending });
    const pid = await server.start(node);
    cast(node, pid, 'job');
    await settled();
    expect(info(pid)).toMatchObject({ state: 'busy', lastTag: 'job' });
    node.send(pid as Pid<unknown>, { type: 'order', card: 1234 });
    finish();
    await settled();
    expect(info(pid)).toMatchObject({ state: 'busy', lastTag: 'order' });
    finish();
    await settled();
    expect(info(pid)).toMatchObject({ state: 'idle', lastTag: undefined });
  });

  it('shows links, monitors in both directions, ancestors, calls and timers', async () => {
    const idle = node.spawnHandler(() => ({ onMessage() {} }));
    const found: { child?: Pid } = {};
    const pid = node.spawn(async (self) => {
      self.trapExit(true);
      self.link(idle);
      self.monitor(idle);
      self.monitor({ name: 'nobody', node: 'gone@127.0.0.1:1' });
      found.child = self.spawn(async (child) => void (await child.receive()));
      self.startTimer(1e6, self.pid, 'late');
      await call(self, idle as never, 'work', { timeout: Number.POSITIVE_INFINITY } as never).catch(() => {});
    });
    await settled();
    expect(info(pid)).toMatchObject({
      trapsExits: true,
      links: [idle],
      linkCount: 1,
      calls: 1,
      timers: 1,
      state: 'busy',
    });
    expect(info(pid).monitors).toContainEqual(idle);
    expect(info(idle)).toMatchObject({ links: [pid], monitoredBy: [pid], monitoredByCount: 1 });
    const { parent, ancestors } = info(found.child as Pid);
    expect(parent).toBe(pid);
    expect(ancestors[0]).toBe(pid);
  });

  it('W3 gives the first hundred of a long list, and how many there are', async () => {
    const target = node.spawnHandler(() => ({ onMessage() {} }));
    node.spawn(async (self) => {
      for (let left = 5000; left > 0; left--) self.monitor(target);
      await self.receive();
    });
    await settled();
    expect(info(target).monitoredBy).toHaveLength(100);
    expect(info(target).monitoredByCount).toBe(5000);
  });

  it('weighs a mailbox by what is in it', async () => {
    const pid = node.spawn(async (self) => void (await self.receive((message) => message === 'never')));
    const { memory } = info(pid);
    for (let left = 100; left > 0; left--) node.send(pid, new Uint8Array(1000) as never);
    await settled();
    expect(info(pid).memory - memory).toBeGreaterThan(100_000);
    expect(info(pid).memory - memory).toBeLessThan(200_000);
  });

  it('tells from the second look on for how long it took no message', async () => {
    const pid = node.spawnHandler(() => ({ onMessage() {} }));
    expect(info(pid).idleMs).toBeUndefined();
    expect(info(pid).idleMs).toBeGreaterThanOrEqual(0);
    node.send(pid, 1);
    await settled();
    expect(info(pid).idleMs).toBe(0);
  });

  it('is undefined for a dead actor, and refuses what is no PID', async () => {
    const pid = node.spawn(async () => {});
    await settled();
    expect(node.processInfo(pid)).toBeUndefined();
    expect(() => node.processInfo('desk' as never)).toThrow(
      expect.objectContaining({ code: 'SNOW_ERR_BAD_DEST' }),
    );
  });
});

it('W7 tells the tag of a message and nothing else of it, and no state', async () => {
  const secret = 'hush-5f3a';
  const server = defineServer({
    name: 'safe',
    init: () => ({ secret }),
    calls: { open: () => new Promise<never>(() => {}) },
  });
  const pid = await server.startWith(node, { name: 'safe' });
  void call(node, pid as never, 'open', secret).catch(() => {});
  await settled();
  for (const message of [secret, ['pay', secret], { secret }, new Map([[secret, 1]]), [secret]])
    node.send(pid, message as never);
  const view = node.introspect();
  const told = [
    await view.overview(),
    await view.processes(),
    await view.processInfo('safe'),
    await view.top(),
    await view.totals(),
    await view.tree(),
    await view.crashes(),
    await view.sessions(),
    await view.names(),
  ];
  expect(JSON.stringify(told)).not.toContain(secret);
  expect(told[2]).toMatchObject({ lastTag: 'open', mailbox: 5 });
});

describe('processes', () => {
  it('W3 gives every actor once, in parts, while others come and go', async () => {
    const pids = Array.from({ length: 1000 }, () => node.spawnHandler(() => ({ onMessage() {} })));
    const seen = new Set<string>();
    let parts = 0;
    for (let after: number | undefined = 0; after !== undefined; parts++) {
      const page = node.processes({ after, limit: 300 });
      for (const { pid } of page.items) {
        expect(seen.has(pid.key)).toBe(false);
        seen.add(pid.key);
      }
      after = page.next;
      node.sendExit(pids[parts] as Pid, 'kill');
      node.spawnHandler(() => ({ onMessage() {} }));
    }
    expect(parts).toBe(4);
    expect(pids.every(({ key }) => seen.has(key))).toBe(true);
  });

  it.each([{ limit: 0 }, { limit: 1001 }, { after: -1 }, { limit: 1.5 }, { limits: 1 }])(
    'W3 refuses %j',
    (options) => {
      expect(() => node.processes(options)).toThrow(expect.objectContaining({ code: 'SNOW_ERR_BAD_OPTION' }));
    },
  );
});

describe('among 100 000 actors', () => {
  const crowd = (): void => {
    for (let left = 100_000; left > 0; left--) node.spawnHandler(() => ({ onMessage() {} }));
  };

  it('W5 a part looks at no more actors than it gives, and one', () => {
    crowd();
    const looked = counted();
    expect(node.processes({ limit: 100 }).items).toHaveLength(100);
    expect(looked.inTurn).toBeLessThanOrEqual(101);
  });

  it('W5 top looks at all, but at no more than 5000 in a turn of the event loop', async () => {
    crowd();
    const loud = node.spawn(async (self) => void (await self.receive((message) => message === 'never')));
    await settled();
    for (let left = 10; left > 0; left--) node.send(loud, left as never);
    await settled();
    const { answer, all, most } = await watched(() => node.introspect().top({ limit: 2 }));
    expect(answer[0]).toMatchObject({ mailbox: 10 });
    expect(answer[0]?.pid).toBe(loud);
    expect(all).toBeGreaterThanOrEqual(100_000);
    expect(most).toBeLessThanOrEqual(5001);
  });

  it('W5 totals, as a scrape of metrics wants them, look at no more than 5000 in a turn', async () => {
    crowd();
    // It is the last of the actors that begin, many turns of the event loop later.
    await new Promise<void>((hasTaken) => {
      const loud = node.spawn(async (self) => {
        await self.receive();
        hasTaken();
        await self.receive((message) => message === 'never');
      });
      for (let left = 10; left > 0; left--) node.send(loud, left as never);
    });
    await settled();
    const { answer, all, most } = await watched(() => node.introspect().totals());
    expect(answer).toEqual({ mailbox: 9, turns: 1 });
    expect(all).toBe(100_001);
    expect(most).toBeLessThanOrEqual(5000);
  });

  /** An answer; how many actors were looked at for it, and the most in one turn of the event loop. */
  async function watched<T>(ask: () => Promise<T>): Promise<{ answer: T; all: number; most: number }> {
    const looked = counted();
    let most = 0;
    let isDone = false;
    const asked = ask();
    const watching = (async () => {
      while (!isDone) {
        most = Math.max(most, looked.inTurn);
        looked.inTurn = 0;
        await nextTurn();
      }
    })();
    const answer = await asked;
    isDone = true;
    await watching;
    return { answer, all: looked.all, most };
  }

  /** Counts actors that are looked at. */
  function counted(): { inTurn: number; all: number } {
    const counts = { inTurn: 0, all: 0 };
    const { table } = node;
    const after = table.after.bind(table);
    table.after = function* (local: number) {
      for (const cell of after(local)) {
        counts.inTurn++;
        counts.all++;
        yield cell;
      }
    };
    return counts;
  }
});

describe('top', () => {
  it('sorts by mailbox, turns or memory', async () => {
    const hold = (name: string): Pid<unknown> => {
      const pid = node.spawn(async (self) => void (await self.receive((message) => message === 'never')));
      node.register(name, pid as Pid);
      return pid as Pid<unknown>;
    };
    const [many, large] = [hold('many'), hold('large')];
    const busy = node.spawnHandler(() => ({ onMessage() {} }));
    node.register('busy', busy as Pid);
    for (let left = 10; left > 0; left--) node.send(many, 1);
    node.send(large, 'x'.repeat(100_000));
    for (let left = 50; left > 0; left--) node.send(busy, 1 as never);
    await settled();
    const view = node.introspect();
    const names = async (by: 'mailbox' | 'turns' | 'memory'): Promise<unknown> =>
      (await view.top({ by }))[0]?.name;
    expect(await names('mailbox')).toBe('many');
    expect(await names('memory')).toBe('large');
    expect(await names('turns')).toBe('busy');
    await expect(view.top({ by: 'size' as never })).rejects.toMatchObject({ code: 'SNOW_ERR_BAD_OPTION' });
  });
});

describe('tree', () => {
  const worker = defineHandler('worker', () => ({ onMessage() {} }));

  it('shows supervisors, their children and what these supervise', async () => {
    const inner = defineSupervisor({ name: 'inner', children: [childSpec('w', worker)] });
    const outer = defineSupervisor({
      name: 'outer',
      children: [childSpec('first', worker, { restart: 'transient' }), childSpec('second', inner)],
    });
    const pid = await outer.start(node);
    const { roots, omitted } = node.tree();
    expect(omitted).toBe(0);
    expect(roots).toMatchObject([
      {
        id: 'outer',
        pid,
        type: 'supervisor',
        restart: undefined,
        state: 'running',
        omitted: 0,
        children: [
          { id: 'first', type: 'worker', restart: 'transient', label: 'worker', children: [] },
          { id: 'second', type: 'supervisor', label: 'inner', children: [{ id: 'w', state: 'running' }] },
        ],
      },
    ]);
    await node.stop();
    expect(node.tree().roots).toEqual([]);
  });

  it('W1 shows a supervisor that waits for the init of a child, and a child between two attempts', async () => {
    const stuck = defineServer({ name: 'stuck', init: () => new Promise<number>(() => {}) });
    void defineSupervisor({ name: 'waiting', children: [childSpec('stuck', stuck)] })
      .start(node)
      .catch(() => {});
    const crashes = defineHandler('crashes', () => ({
      onMessage() {
        throw new Error('on purpose');
      },
    }));
    const backoff = { min: 1e6, max: 1e6 };
    const pid = await defineSupervisor({
      name: 'patient',
      children: [childSpec('crashes', crashes, { backoff, name: 'crashes' })],
    }).start(node);
    node.send('crashes', 1);
    await settled();
    expect(node.tree().roots.find(({ id }) => id === 'waiting')).toMatchObject({
      children: [{ id: 'stuck' }],
    });
    expect(node.tree({ root: pid }).roots[0]?.children).toMatchObject([
      { id: 'crashes', pid: undefined, state: 'restarting' },
    ]);
  });

  it('shows how often a child was started again, however it ended', async () => {
    const quiet = defineServer({
      name: 'quiet',
      init: () => 0,
      casts: { end: (context, reason: string) => context.stop(reason) },
    });
    await defineSupervisor({
      name: 'fixed',
      intensity: 9,
      children: [childSpec('quiet', quiet, { name: 'quiet' }), childSpec('w', worker)],
    }).start(node);
    const dynamic = await defineDynamicSupervisor({ name: 'dynamic', intensity: 9 }).start(node);
    await startChild(node, dynamic, childSpec('other', quiet, { name: 'other' }));
    for (const name of ['quiet', 'other'] as const)
      for (const reason of ['normal', 'shutdown']) {
        cast(node, quiet.named(name), 'end', reason);
        await settled();
      }
    const children = node.tree().roots.flatMap((root) => root.children);
    expect(children.map(({ id, restarts }) => [id, restarts])).toEqual([
      ['quiet', 2],
      ['w', 0],
      ['other', 2],
    ]);
    expect(Object.keys((await whichChildren(node, dynamic))[0] ?? {})).not.toContain('restarts');
  });

  it('W3 shows a large family in parts, and leaves room for others', async () => {
    const many = await defineDynamicSupervisor({ name: 'many' }).start(node);
    const child = childSpec('child', worker);
    await Promise.all(Array.from({ length: 250 }, () => startChild(node, many, child)));
    const few = await defineSupervisor({ name: 'few', children: [childSpec('w', worker)] }).start(node);
    const { roots } = node.tree({ limit: 100 });
    expect(roots.map(({ id, children, omitted }) => [id, children.length, omitted])).toEqual([
      ['many', 25, 225],
      ['few', 1, 0],
    ]);
    expect(roots[1]?.pid).toBe(few);
    const seen = new Set<string>();
    for (let after: number | undefined = 0; after !== undefined; ) {
      const part = node.tree({ root: many, after, limit: 100 });
      for (const { pid } of part.roots[0]?.children ?? []) seen.add(String(pid));
      after = part.next;
    }
    expect(seen.size).toBe(250);
  });

  it('W5 looks at no more than 5000 supervisors, or children, in a turn of the event loop', async () => {
    const counts = { inTurn: 0, all: 0, most: 0 };
    function* counted<T>(items: Iterable<T>): Generator<T, undefined> {
      for (const item of items) {
        counts.all++;
        counts.inTurn++;
        yield item;
      }
    }
    const none = { lines: () => [].values(), countChildren: () => ({ supervisors: 0, workers: 0 }) };
    const line = { id: 'w', pid: 'restarting', type: 'worker', restart: 'permanent' };
    const many = {
      lines: () => counted(new Array<typeof line>(30_000).fill(line)),
      countChildren: () => ({ supervisors: 0, workers: 30_000 }),
    };
    const pids = Array.from({ length: 100_000 }, () => node.spawnHandler(() => ({ onMessage() {} })));
    for (const [at, pid] of pids.entries())
      enlist({ runtime: node, pid } as never, (at === 0 ? many : none) as never);
    const all = supervisorsOf(node) as Map<number, Listed>;
    const values = all.values.bind(all);
    all.values = () => counted(values()) as never;
    const asked = node.introspect().tree({ limit: 10 });
    const family = node.introspect().tree({ root: pids[0] as Pid, after: 29_990 });
    let isDone = false;
    const answers = Promise.all([asked, family]).finally(() => void (isDone = true));
    while (!isDone) {
      counts.most = Math.max(counts.most, counts.inTurn);
      counts.inTurn = 0;
      await nextTurn();
    }
    const [{ roots, omitted }, { roots: one, next }] = await answers;
    expect([roots.length, omitted]).toEqual([10, 99_990]);
    expect([one[0]?.children.length, one[0]?.omitted, next]).toEqual([10, 0, undefined]);
    expect(counts.all).toBeGreaterThanOrEqual(130_000);
    expect(counts.most).toBeLessThanOrEqual(2 * 5001); // two questions
  });
});
