import { describe, expect, it } from 'vitest';
import { startGlobalNames } from '../../../ts/global/index.ts';
import { type FakeNode, handed } from './fake-mesh.ts';
import { after, apart, joined, kill, mesh, seen } from './stage.ts';

describe('a global name', () => {
  it('Q1 is known on all nodes when register says yes, and taken from then on', async () => {
    const [a, b, c] = (await joined(3)) as [FakeNode, FakeNode, FakeNode];
    const pid = a.actor();
    const atYes: unknown[] = [];
    const promise = a.names.register('x', pid).then((yes) => void atYes.push(yes, ...seen('x')));
    await after(promise);
    const spelt = a.spelt(pid);
    expect(atYes).toEqual([true, spelt, spelt, spelt]);
    expect(await after(b.names.register('x', b.actor()))).toBe(false);
    expect(await after(c.names.register('x', c.actor()))).toBe(false);
    expect(seen('x')).toEqual([spelt, spelt, spelt]);
  });

  it('Q1 goes to exactly one of several claims at once', async () => {
    const nodes = await joined(3);
    for (let round = 0; round < 300; round++) {
      const name = `race ${round}`;
      const claims = nodes.flatMap((node) => [1, 2].map(() => node.names.register(name, node.actor())));
      const answers = await after(Promise.all(claims));
      expect(answers.filter(Boolean), name).toHaveLength(1);
      expect(new Set(seen(name)).size).toBe(1);
      expect(seen(name)[0]).toBeDefined();
    }
  });

  it('Q1, K1 works alone', async () => {
    const [a] = apart(1, {}) as [FakeNode];
    const pid = a.actor();
    expect(await a.names.register('x', pid)).toBe(true);
    expect(await a.names.register('x', a.actor())).toBe(false);
    expect(a.names.names()).toEqual(['x']);
    expect(await a.names.unregister('x')).toBe(true);
    expect(await a.names.unregister('x')).toBe(false);
  });

  it('K1 works on a node without a name', async () => {
    const [a] = apart(1) as [FakeNode];
    const names = startGlobalNames({
      name: 'nonode@nohost',
      isListening: false,
      isStopping: false,
      isHidden: false,
      runtime: a.runtime,
      channel: () => undefined,
    });
    const pid = a.actor();
    expect(await names.register('x', pid)).toBe(true);
    expect(names.whereis('x')).toBe(pid);
    names.close();
    expect(names.names()).toEqual([]);
    await expect(names.register('x', pid)).rejects.toMatchObject({ code: 'SNOW_ERR_NOT_ALIVE' });
    await expect(names.sync()).rejects.toMatchObject({ code: 'SNOW_ERR_NOT_ALIVE' });
  });

  it('Q1 is not promised by a node that stops', async () => {
    const [a, b] = (await joined(2)) as [FakeNode, FakeNode];
    // claim, vote
    for (let steps = 0; steps <= 2; steps++) {
      const promise = a.names.register(`x${steps}`, a.actor());
      for (let step = 0; step < steps; step++)
        mesh.deliver(...(step % 2 ? ([b, a] as const) : ([a, b] as const)));
      a.isListening = false;
      a.isStopping = true;
      mesh.cut(a, b);
      const code = promise.catch((error: { code: string }) => error.code);
      expect(await after(code), `after ${steps} steps`).toBe('SNOW_ERR_STOPPED');
      expect([a.names.names(), b.names.names()]).toEqual([[], []]);
      a.isListening = true;
      a.isStopping = false;
      a.start();
      mesh.connectAll();
      await mesh.settle();
    }
  });

  it('Q3 may be one of several of an actor, and all go with it', async () => {
    const [a, b] = (await joined(2)) as [FakeNode, FakeNode];
    const pid = a.actor();
    expect(await after(a.names.register('x', pid))).toBe(true);
    expect(await after(a.names.register('y', pid))).toBe(true);
    kill(a, pid);
    await mesh.settle();
    expect([a.names.names(), b.names.names()]).toEqual([[], []]);
  });

  it('Q4 is switched and freed from any node, and no node sees it free in between', async () => {
    const [a, b, c] = (await joined(3)) as [FakeNode, FakeNode, FakeNode];
    for (let round = 0; round < 100; round++) {
      await after(a.names.register('x', a.actor()));
      const next = b.actor();
      const switched = c.names.reregister('x', c.pid(next, b));
      while (mesh.step()) {
        expect(seen('x'), `round ${round}`).not.toContain(undefined);
        await handed();
      }
      expect(await after(switched)).toBe(true);
      expect(new Set(seen('x'))).toEqual(new Set([b.spelt(next)]));
      expect(await after(a.names.unregister('x'))).toBe(true);
      expect(seen('x')).toEqual([undefined, undefined, undefined]);
      expect(b.runtime.isAlive(next)).toBe(true);
    }
  });

  it('Q4 is switched between actors of one node, and the old one no longer has it', async () => {
    const [a] = (await joined(2)) as [FakeNode, FakeNode];
    const [first, second] = [a.actor(), a.actor()];
    await after(a.names.register('x', first));
    expect(await after(a.names.reregister('x', second))).toBe(true);
    kill(a, first);
    await mesh.settle();
    expect(new Set(seen('x'))).toEqual(new Set([a.spelt(second)]));
    kill(a, second);
    await mesh.settle();
    expect(seen('x')).toEqual([undefined, undefined]);
  });

  it('Q5 comes to a node that joins during the registration', async () => {
    const [a, b, c] = (await joined(3)) as [FakeNode, FakeNode, FakeNode];
    for (let steps = 0; steps < 25; steps++) {
      mesh.cut(c, a);
      mesh.cut(c, b);
      await mesh.settle();
      const name = `x${steps}`;
      const promise = a.names.register(name, a.actor());
      for (let step = 0; step < steps % 5; step++) mesh.step();
      mesh.connectAll();
      for (let step = 0; step < steps; step++) mesh.step();
      expect(await after(promise)).toBe(true);
      expect(new Set(seen(name)).size).toBe(1);
      expect(c.names.whereis(name)).toBeDefined();
    }
  });

  it('Q1, Q5 waits for a peer that has just come up, whatever step it comes at', async () => {
    const [a, b, c] = (await joined(3)) as [FakeNode, FakeNode, FakeNode];
    for (let before = 0; before < 5; before++) {
      mesh.cut(c, a);
      mesh.cut(c, b);
      await mesh.settle();
      let isYes = false;
      const name = `x${before}`;
      const promise = a.names.register(name, a.actor()).then((yes) => (isYes = yes));
      // claim, vote, commit, ack
      for (let step = 0; step < Math.min(before, 3); step++)
        mesh.deliver(...(step % 2 === 0 ? ([a, b] as const) : ([b, a] as const)));
      mesh.connect(a, c);
      mesh.deliver(c, a);
      mesh.deliver(a, c);
      while (mesh.deliver(a, b) || mesh.deliver(b, a));
      await handed();
      expect(isYes, `after ${before} steps`).toBe(false);
      expect(await after(promise)).toBe(true);
      expect(c.seen(name)).toBe(a.seen(name));
    }
  });

  it('Q1 is refused by a peer that comes up during the registration and has it already', async () => {
    const [a, b, c] = (await joined(3)) as [FakeNode, FakeNode, FakeNode];
    for (let before = 0; before < 2; before++) {
      mesh.cut(c, a);
      mesh.cut(c, b);
      await mesh.settle();
      const name = `x${before}`;
      const there = c.actor();
      expect(await c.names.register(name, there)).toBe(true);
      const promise = a.names.register(name, a.actor());
      if (before > 0) mesh.deliver(a, b);
      mesh.connect(a, c);
      mesh.deliver(c, a);
      mesh.deliver(a, c);
      while (mesh.deliver(a, b) || mesh.deliver(b, a));
      mesh.connectAll();
      expect(await after(promise)).toBe(false);
      expect(new Set(seen(name))).toEqual(new Set([c.spelt(there)]));
      expect(c.runtime.isAlive(there)).toBe(true);
    }
  });

  it('Q11 is not freed by a late message of the former owner', async () => {
    const [a, b, c] = (await joined(3)) as [FakeNode, FakeNode, FakeNode];
    for (let round = 0; round < 50; round++) {
      await after(a.names.register('x', a.actor()));
      const away = b.names.reregister('x', b.actor());
      for (let step = 0; step < round; step++) mesh.step();
      const last = a.actor();
      const back = a.names.reregister('x', last);
      await mesh.settle();
      expect([await away, await back]).toEqual([true, true]);
      const owner = c.seen('x');
      expect(seen('x')).toEqual([owner, owner, owner]);
      if (round > 20) expect(owner).toBe(a.spelt(last));
      expect(await after(c.names.unregister('x'))).toBe(true);
    }
  });

  it('Q5 is gone everywhere when its node is lost', async () => {
    const [a, b, c] = (await joined(3)) as [FakeNode, FakeNode, FakeNode];
    await after(a.names.register('x', a.actor()));
    await after(b.names.register('y', b.actor()));
    mesh.crash(a);
    await mesh.settle();
    expect([b.names.names(), c.names.names()]).toEqual([['y'], ['y']]);
  });

  it('Q6 is given to an actor of a third node, and goes when that dies', async () => {
    const [a, b, c] = (await joined(3)) as [FakeNode, FakeNode, FakeNode];
    const pid = c.actor();
    expect(await after(a.names.register('x', a.pid(pid, c)))).toBe(true);
    expect(b.seen('x')).toBe(c.spelt(pid));
    kill(c, pid);
    await mesh.settle();
    expect(seen('x')).toEqual([undefined, undefined, undefined]);
    expect(await after(a.names.register('x', a.pid(pid, c)))).toBe(false);
  });

  it('Q5 is not left behind by an actor that dies while it is being registered', async () => {
    const [a, b] = (await joined(2)) as [FakeNode, FakeNode];
    for (let steps = 0; steps < 8; steps++) {
      const pid = a.actor();
      const promise = a.names.register('x', pid);
      for (let step = 0; step < steps; step++) mesh.step();
      kill(a, pid);
      await after(promise);
      expect(seen('x')).toEqual([undefined, undefined]);
      const next = b.actor();
      expect(await after(b.names.register('x', next))).toBe(true);
      expect(await after(b.names.unregister('x'))).toBe(true);
    }
  });

  it('Q11 is not freed by a request that means an earlier owner', async () => {
    const [a, b, c] = (await joined(3)) as [FakeNode, FakeNode, FakeNode];
    await after(a.names.register('x', a.actor()));
    // c still sees a's actor when it asks; b has the name when a hears of it.
    const next = b.actor();
    const switched = b.names.reregister('x', next);
    for (let turn = 0; turn < 3; turn++) {
      while (mesh.deliver(b, a) || mesh.deliver(a, b));
      mesh.deliver(b, c);
      mesh.deliver(c, b);
    }
    const freed = c.names.unregister('x');
    await mesh.settle();
    expect(await switched).toBe(true);
    if (!(await freed)) expect(new Set(seen('x'))).toEqual(new Set([b.spelt(next)]));
    expect(b.runtime.isAlive(next)).toBe(true);
  });

  it('Q13 added at one node and another removed at another are both kept', async () => {
    const [a, b] = (await joined(2)) as [FakeNode, FakeNode];
    await after(b.names.register('old', b.actor()));
    const both = Promise.all([a.names.register('new', a.actor()), b.names.unregister('old')]);
    expect(await after(both)).toEqual([true, true]);
    expect([a.names.names(), b.names.names()]).toEqual([['new'], ['new']]);
  });

  it('Q15 throws for a message to a name that no actor has', async () => {
    const [a] = (await joined(1)) as [FakeNode];
    expect(() => a.names.send('nobody', 1)).toThrow(
      expect.objectContaining({ code: 'SNOW_ERR_NAME_UNKNOWN' }),
    );
    expect(() => a.names.register('', a.actor())).toThrow(
      expect.objectContaining({ code: 'SNOW_ERR_BAD_NAME' }),
    );
    expect(() => a.names.register('é'.repeat(128), a.actor())).toThrow(
      expect.objectContaining({ code: 'SNOW_ERR_BAD_NAME' }),
    );
  });

  it('throws SNOW_ERR_BAD_DEST when what is to get the name is no PID', async () => {
    const [a] = (await joined(1)) as [FakeNode];
    for (const use of ['register', 'reregister'] as const) {
      expect(() => a.names[use]('name', 'no PID' as never)).toThrow(
        expect.objectContaining({ code: 'SNOW_ERR_BAD_DEST' }),
      );
    }
  });

  it('P7 is refused to a node that has too many', async () => {
    const [a, b] = (await joined(2, { maxNamesPerNode: 3 })) as [FakeNode, FakeNode];
    for (let n = 0; n < 3; n++) expect(await after(a.names.register(`x${n}`, a.actor()))).toBe(true);
    const fourth = a.names.register('x3', a.actor()).catch((error: { code: string }) => error.code);
    expect(await after(fourth)).toBe('SNOW_ERR_TOO_MANY_NAMES');
    expect(await after(b.names.register('x3', b.actor()))).toBe(true);
  });

  it('L2 is not told to hidden nodes, which cannot start global names', async () => {
    const [a, b] = apart(2) as [FakeNode, FakeNode];
    a.start();
    b.isHidden = true;
    expect(() => b.start()).toThrow(expect.objectContaining({ code: 'SNOW_ERR_HIDDEN_NODE' }));
    mesh.connectAll();
    expect(await after(a.names.register('x', a.actor()))).toBe(true);
  });

  it.each(['register', 'reregister'] as const)(
    'Q1 %s of a node that stops is rejected, and so is sync',
    async (what) => {
      const [a] = (await joined(2)) as [FakeNode];
      a.isStopping = true;
      const stopped = { code: 'SNOW_ERR_STOPPED' };
      await expect(a.names[what]('x', a.actor())).rejects.toMatchObject(stopped);
      await expect(a.names.sync()).rejects.toMatchObject(stopped);
    },
  );

  it('Q1, Q5 answers that are known at once let timers and sockets in', async () => {
    const [a, b] = (await joined(2)) as [FakeNode, FakeNode];
    await after(b.names.register('x', b.actor()));
    const waits: (() => Promise<unknown>)[] = [
      () => a.names.register('x', a.actor()),
      () => a.names.unregister('nobody has this'),
      () => a.names.sync(),
      () => a.names.register('y', b.pid(b.actor(), b)),
    ];
    for (const wait of waits) {
      let isOver = false;
      setImmediate(() => (isOver = true));
      // The loop of a user who asks until something changes: it ends because a turn of the event loop comes.
      let count = 0;
      while (!isOver && count++ < 1000) await wait();
      expect(isOver).toBe(true);
      expect(count).toBeLessThan(5);
    }
  });

  it('Q1 is decided after the owner has freed the name, whichever node is told of it last', async () => {
    const [a, b, c] = (await joined(3)) as [FakeNode, FakeNode, FakeNode];
    for (const home of [c, a]) {
      await after(a.names.register('x', a.actor()));
      void a.names.unregister('x');
      mesh.deliver(a, c); // c sees it free, b does not yet
      mesh.hold(a, b);
      expect(c.seen('x')).toBeUndefined();
      const pid = home.actor();
      let answer: boolean | undefined;
      void c.names.register('x', c.pid(pid, home)).then((yes) => (answer = yes));
      await mesh.pass(1_000);
      expect(answer).toBeUndefined();
      mesh.release(a, b);
      await mesh.pass(1_000);
      expect(answer).toBe(true);
      expect(new Set(seen('x'))).toEqual(new Set([home.spelt(pid)]));
      await after(a.names.unregister('x'));
    }
  });

  it('Q5 waits for a peer that may have global names, for a limited time', async () => {
    const [a, b] = apart(2) as [FakeNode, FakeNode];
    a.start();
    mesh.connectAll();
    await mesh.settle();
    let answer: boolean | undefined;
    void a.names.register('x', a.actor()).then((yes) => (answer = yes));
    await mesh.settle();
    expect(answer).toBeUndefined();
    await a.kit.advance(5_000);
    await mesh.settle();
    expect(answer).toBe(true);
    // One that starts them later is told.
    b.start();
    await mesh.settle();
    expect(b.seen('x')).toBe(a.seen('x'));
    expect(await after(b.names.register('y', b.actor()))).toBe(true);
    expect(a.names.names().sort()).toEqual(['x', 'y']);
    // One that ends them takes its names along, and may start anew.
    b.names.close();
    await mesh.settle();
    expect(a.names.names()).toEqual(['x']);
    b.start();
    await mesh.settle();
    expect(b.names.names()).toEqual(['x']);
  });
});
