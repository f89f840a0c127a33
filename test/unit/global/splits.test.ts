// What becomes of names when nodes lose each other and meet again, and what peers cannot do to them.
import { describe, expect, it } from 'vitest';
import { type Contender, type GlobalNamesOptions, NameConflict } from '../../../ts/global/index.ts';
import { parseMessage } from '../../../ts/global/messages.ts';
import type { Pid } from '../../../ts/term/index.ts';
import type { FakeNode } from './fake-mesh.ts';
import { after, alive, apart, heal, joined, mesh, seen, split } from './stage.ts';

/** A name that two sides registered while they were apart: {a, b} and {c, d}. */
async function doubled(options: GlobalNamesOptions = {}) {
  const nodes = (await joined(4, options)) as [FakeNode, FakeNode, FakeNode, FakeNode];
  const [a, b, c, d] = nodes;
  await split([a, b], [c, d]);
  const [left, right] = [a.actor(), d.actor()];
  expect(await after(a.names.register('x', left))).toBe(true);
  expect(await after(d.names.register('x', right))).toBe(true);
  return { a, b, c, d, left, right };
}

describe('a registration that all nodes but one have acknowledged', () => {
  it('Q5 ends although its actor ends before a node that joins meanwhile is told', async () => {
    const [a, b, c] = apart(3, {}) as [FakeNode, FakeNode, FakeNode];
    mesh.connect(a, b);
    await mesh.settle();
    const pid = a.actor();
    let outcome: boolean | undefined;
    void a.names.register('x', pid).then((isRegistered) => (outcome = isRegistered));
    mesh.deliver(a, b); // the claim
    mesh.deliver(b, a); // the vote: it is decided, and b has not acknowledged it
    expect(a.seen('x')).toBe(a.spelt(pid));
    mesh.connect(a, c);
    mesh.deliver(c, a); // a knows of c, and c may be a member
    a.runtime.sendExit(pid, 'kill');
    await mesh.settle();
    expect(seen('x')).toEqual([undefined, undefined, undefined]);
    expect(outcome).toBe(true);
  });
});

describe('a claim that is given up while a node joins', () => {
  it('Q1 leaves no vote behind there', async () => {
    const [a, b, c] = apart(3, {}) as [FakeNode, FakeNode, FakeNode];
    mesh.connect(a, b);
    mesh.connect(b, c);
    await mesh.settle();
    mesh.connect(a, c);
    mesh.deliver(c, a); // a knows of c, and greets
    mesh.deliver(a, c);
    mesh.deliver(a, c); // c takes a for a member, and a does not know that
    const pid = a.actor();
    void a.names.register('x', pid);
    a.runtime.sendExit(pid, 'kill');
    await mesh.settle();
    let outcome: boolean | undefined;
    void b.names.register('x', b.actor()).then((isRegistered) => (outcome = isRegistered));
    await mesh.settle();
    expect(outcome).toBe(true);
  });
});

describe('a name that both sides of a split registered', () => {
  it('Q7 has one owner on all nodes when it has healed, and the other one is killed', async () => {
    const { a, d, left, right } = await doubled();
    await heal();
    const [winner] = new Set(seen('x'));
    expect(new Set(seen('x')).size).toBe(1);
    expect([a.spelt(left), d.spelt(right)]).toContain(winner);
    expect([alive(a, left), alive(d, right)].filter(Boolean)).toHaveLength(1);
    expect(alive(a, left)).toBe(winner === a.spelt(left));
  });

  it('Q7 stays with the later registration; of two with equal clocks, with the greater node name', async () => {
    for (const isLater of [false, true]) {
      const [a, b] = apart(2, {}) as [FakeNode, FakeNode];
      if (isLater) await after(a.names.register('before', a.actor())); // its clock is ahead of b's from here on
      const [left, right] = [a.actor(), b.actor()];
      await after(a.names.register('x', left));
      await after(b.names.register('x', right));
      expect(a.name < b.name).toBe(true);
      await heal();
      const winner = isLater ? a.spelt(left) : b.spelt(right);
      expect([a.seen('x'), b.seen('x')]).toEqual([winner, winner]);
    }
  });

  it('Q7 tells the loser if that is asked for, and leaves it alive', async () => {
    const [a, b] = apart(2, { loser: 'notify' }) as [FakeNode, FakeNode];
    const probes = [await a.kit.probe<unknown>(), await b.kit.probe<unknown>()] as const;
    expect(await a.names.register('x', probes[0].pid)).toBe(true);
    expect(await b.names.register('x', probes[1].pid)).toBe(true);
    await heal();
    expect(new Set(seen('x'))).toEqual(new Set([b.spelt(probes[1].pid)]));
    const notice = await probes[0].expectMessage<NameConflict>((one: unknown) => one instanceof NameConflict);
    expect([notice.name, a.spelt(notice.winner as never)]).toEqual(['x', b.spelt(probes[1].pid)]);
    await probes[1].expectNoMessage();
    expect(alive(a, probes[0].pid as never) && alive(b, probes[1].pid as never)).toBe(true);
  });

  const choices: Record<string, (first: Contender, second: Contender) => Pid | undefined> = {
    first: (first) => first.pid,
    second: (_first, second) => second.pid,
  };
  it.each(Object.keys(choices))('Q7 goes to whom the resolver chooses: %s', async (choice) => {
    const asked: unknown[] = [];
    const { a, b, c, d, left, right } = await doubled({
      onConflict: (name, first, second) => {
        asked.push([name, first.node, second.node]);
        return choices[choice]?.(first, second);
      },
    });
    await heal();
    expect(asked).toHaveLength(1);
    const [[name, first]] = asked as [[string, string]];
    expect(name).toBe('x');
    const winner = (first === a.name) === (choice === 'first') ? a.spelt(left) : d.spelt(right);
    expect([a, b, c, d].map((node) => node.seen('x'))).toEqual([winner, winner, winner, winner]);
    expect([alive(a, left), alive(d, right)].filter(Boolean)).toHaveLength(1);
  });

  const nonsense: Record<string, NonNullable<GlobalNamesOptions['onConflict']>> = {
    none: () => undefined,
    crashing: () => {
      throw new Error('no idea');
    },
    nonsense: () => 'the left one' as never,
  };
  it.each(Object.keys(nonsense))('Q7 is free when the resolver chooses nobody: %s', async (choice) => {
    const onConflict = nonsense[choice] as NonNullable<GlobalNamesOptions['onConflict']>;
    const { a, d, left, right } = await doubled({ onConflict });
    await heal();
    expect(seen('x')).toEqual([undefined, undefined, undefined, undefined]);
    expect(alive(a, left) && alive(d, right)).toBe(true);
    expect(await after(a.names.register('x', left))).toBe(true);
    expect(new Set(seen('x')).size).toBe(1);
  });

  it('Q9 is not left over when a node dies during the merge', async () => {
    for (let steps = 0; steps < 60; steps++) {
      const { a, b, c, d } = await doubled();
      mesh.connectAll();
      for (let step = 0; step < steps; step++) mesh.step();
      mesh.crash(d);
      await mesh.settle();
      const names = new Set([a, b, c].map((node) => node.seen('x')));
      expect(names.size, `after ${steps} steps`).toBe(1);
      const [name] = names;
      if (name !== undefined) expect(name.startsWith(`${a.number}.`)).toBe(true);
      mesh.stop();
    }
  });
});

describe('a split', () => {
  it('Q8 does not settle what both sides knew before', async () => {
    let asked = 0;
    const onConflict = (_name: string, first: Contender): Pid => {
      asked++;
      return first.pid;
    };
    const [a, b, c] = (await joined(3, { onConflict })) as [FakeNode, FakeNode, FakeNode];
    const pid = c.actor();
    await after(a.names.register('x', a.pid(pid, c)));
    await split([a], [b]);
    expect(seen('x')).toEqual([c.spelt(pid), c.spelt(pid), c.spelt(pid)]);
    await heal();
    await split([a, b], [c]);
    expect(seen('x')).toEqual([undefined, undefined, c.spelt(pid)]);
    await heal();
    expect(seen('x')).toEqual([c.spelt(pid), c.spelt(pid), c.spelt(pid)]);
    expect(asked).toBe(0);
  });

  it('Q10 does not bring a name back that was freed on one side only', async () => {
    const [a, b, c] = (await joined(3)) as [FakeNode, FakeNode, FakeNode];
    await after(a.names.register('x', a.actor()));
    await split([a], [b]);
    expect(seen('x')).toEqual([expect.any(String), undefined, expect.any(String)]);
    expect(await after(a.names.unregister('x'))).toBe(true);
    await heal();
    expect(seen('x')).toEqual([undefined, undefined, undefined]);
    // The same, where the node that asks for it has not even a connection to one that knows it.
    await after(a.names.register('y', a.actor()));
    await split([a, c], [b]);
    expect(await after(c.names.unregister('y'))).toBe(true);
    await heal();
    expect(seen('y')).toEqual([undefined, undefined, undefined]);
  });

  it('Q10, Q1 between two nodes gives no second owner while a third sees both', async () => {
    const [a, b, c] = (await joined(3)) as [FakeNode, FakeNode, FakeNode];
    await split([a], [b]);
    const both = Promise.all([a.names.register('x', a.actor()), b.names.register('x', b.actor())]);
    expect((await after(both)).filter(Boolean)).toHaveLength(1);
    const before = c.seen('x');
    await heal();
    expect(seen('x')).toEqual([before, before, before]);
  });

  it('Q10 between two nodes takes nothing away from a third', async () => {
    const [a, b, c] = (await joined(3)) as [FakeNode, FakeNode, FakeNode];
    const pids = [a.actor(), b.actor(), c.actor()] as const;
    for (const [index, node] of mesh.nodes.entries())
      expect(await after(node.names.register(node.name, pids[index] as Pid<unknown>))).toBe(true);
    await split([a], [b]);
    expect(c.names.names().sort()).toEqual([a.name, b.name, c.name]);
    await heal();
    for (const node of mesh.nodes) expect(node.names.names().sort()).toEqual([a.name, b.name, c.name]);
    for (const [index, node] of mesh.nodes.entries())
      expect(alive(node, pids[index] as Pid<unknown>)).toBe(true);
  });

  it('Q14 ends the names of an earlier incarnation, and lets the new one have its own', async () => {
    const [a, b, c] = (await joined(3)) as [FakeNode, FakeNode, FakeNode];
    await after(a.names.register('old', a.actor()));
    mesh.crash(a);
    await mesh.settle();
    expect([b.names.names(), c.names.names()]).toEqual([[], []]);
    a.start({});
    const pid = a.actor();
    expect(await a.names.register('new', pid)).toBe(true);
    await heal();
    for (const node of mesh.nodes) expect(node.names.names()).toEqual(['new']);
    expect(new Set(seen('new'))).toEqual(new Set([a.spelt(pid)]));
  });
});

describe('a peer that breaks the rules', () => {
  /** b sends what it likes. */
  const say = (from: FakeNode, to: FakeNode, ...messages: unknown[]): Promise<void> => {
    const peer = from.peers.get(to);
    for (const message of messages) mesh.send(from, peer as never, message);
    return mesh.settle();
  };

  it('Q16 changes nothing with garbage', async () => {
    const [a, b] = (await joined(2)) as [FakeNode, FakeNode];
    const pid = b.actor();
    const garbage: unknown[] = [
      undefined,
      null,
      0,
      'hello',
      {},
      [],
      ['hello'],
      ['hello', -1],
      ['nothing', 1],
      ['sync', 'x'],
      ['sync', [['x']]],
      ['sync', [['x', 'pid', 1, []]]],
      ['sync', Array.from({ length: 501 }, () => ['x', pid, 1, []])],
      ['claim', 1.5, 'x', 1, false],
      ['claim', 1, 'x'.repeat(256), 1, false],
      ['claim', 1, '', 1, false],
      ['claim', 1, '\ud800', 1, false],
      ['claim', 1, 'x', Number.NaN, false],
      ['vote', 99, 'yes', 1, []],
      ['vote', 1, 'perhaps', 1, []],
      ['inquire', 99],
      ['yield', 99],
      ['abort', 99],
      ['commit', 1, 'x', pid, -1, null],
      ['commit', 1, 'x', pid, 1, [[pid]]],
      ['commit', 1, 'x', pid, 1, Array.from({ length: 17 }, () => [pid, 1])],
      ['commit', 1, 'x', null, 1, null],
      ['drop', 1, 'nobody has this', 1],
      ['ack', 99],
      ['lost', 'x', pid, 1, null],
      ['ask', 1, 'destroy', 'x', pid],
      ['answer', 99, 'yes', []],
      ['ping'],
      ['pong', 99],
    ];
    await say(b, a, ...garbage);
    expect(a.kit.logs.filter(({ level }) => level === 'warn')).toHaveLength(1);
    expect(await after(a.names.register('x', a.actor()))).toBe(true);
    expect(b.seen('x')).toBe(a.seen('x'));
  });

  it('Q16 parses only what is a message', () => {
    apart(1);
    for (const good of [['hello', 1], ['bye'], ['sync', []], ['ack', 3]])
      expect(parseMessage(good)).toBe(good);
    for (const bad of [['bye', 1], ['ack'], ['ack', '3'], 'bye']) expect(parseMessage(bad)).toBeUndefined();
  });

  it("T12 cannot register, end or take other nodes' names by lies", async () => {
    const [a, b, c] = (await joined(3)) as [FakeNode, FakeNode, FakeNode];
    const [victim, third] = [a.actor(), c.actor()];
    await after(a.names.register('x', victim));
    await after(c.names.register('y', third));
    const stamp = 1_000;
    await say(
      b,
      a,
      ['commit', 7, 'z', b.pid(third, c), stamp, null],
      ['sync', [['z', b.pid(third, c), stamp, []]]],
      ['drop', 8, 'x', 1],
      ['drop', 9, 'y', 1],
      ['lost', 'x', b.pid(victim, a), 1, null],
      ['lost', 'x', b.pid(victim, a), 2, b.actor()],
      ['ask', 3, 'register', 'w', b.pid(third, c)],
      ['ask', 4, 'unregister', 'x', b.pid(third, c)],
    );
    expect(a.names.names().sort()).toEqual(['x', 'y']);
    expect(a.seen('x')).toBe(a.spelt(victim));
    expect(alive(a, victim)).toBe(true);
  });

  it('Q12 is not heard before it takes part, nor when it is no peer', async () => {
    const [a, b] = (await joined(2)) as [FakeNode, FakeNode];
    b.names.close();
    await mesh.settle();
    const pid = b.actor();
    await say(b, a, ['claim', 1, 'x', 1, false], ['commit', 1, 'x', pid, 1, null]);
    expect(a.names.names()).toEqual([]);
    a.listener?.message({ ...(a.peers.get(b) as object) } as never, ['sync', [['x', a.pid(pid, b), 1, []]]]);
    expect(a.names.names()).toEqual([]);
  });
});
