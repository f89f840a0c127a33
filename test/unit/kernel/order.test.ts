// Section B of the rules: order, selective receive, and that a message is a value.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type Call,
  Down,
  Exit,
  type HandlerBody,
  request,
  type Self,
  stop,
  TIMEOUT,
} from '../../../ts/actor/index.ts';
import type { Pid } from '../../../ts/term/index.ts';
import { startTestRuntime, type TestRuntime } from '../../../ts/testing/index.ts';

let kit: TestRuntime;
beforeEach(() => {
  kit = startTestRuntime();
});
afterEach(() => kit.stop());

/** An actor that does nothing but receive what `pick` says, and keeps what it got. */
function receiver(pick: (self: Self) => Promise<unknown>, seen: unknown[], trapExit = false): Pid<unknown> {
  return kit.runtime.spawnWith({ trapExit }, async (self: Self) => {
    for (;;) seen.push(await pick(self));
  });
}

describe('signals of one actor to another', () => {
  it.each(['function', 'handler'])(
    'B1 keep their order: nothing sent after an exit is seen by a %s',
    async (kind) => {
      const seen: unknown[] = [];
      const probe = await kit.probe();
      const target: Pid<unknown> =
        kind === 'function'
          ? receiver((self) => self.receive(), seen)
          : kit.runtime.spawnHandler(
              (): HandlerBody => ({ onMessage: (message) => void seen.push(message) }),
            );
      await kit.settle();
      probe.watch(target);
      for (let n = 0; n < 3; n++) probe.self.send(target, 'ok');
      probe.self.sendExit(target, 'reason');
      for (let n = 0; n < 3; n++) probe.self.send(target, 'bad');
      await probe.expectDown(target, 'reason');
      expect(seen).not.toContain('bad');
    },
  );

  it.each(['function', 'handler'])('B1 keep their order in the mailbox of a trapping %s', async (kind) => {
    const seen: unknown[] = [];
    const dying = await kit.probe();
    const note = (message: unknown): void =>
      void seen.push(
        message instanceof Exit ? `exit ${message.reason}` : message instanceof Down ? 'down' : message,
      );
    const options = { trapExit: true };
    const target =
      kind === 'function'
        ? kit.runtime.spawnWith(options, async (self: Self) => {
            self.link(dying.pid);
            self.monitor(dying.pid);
            for (;;) note(await self.receive());
          })
        : kit.runtime.spawnWith(options, {
            kind: 'handler',
            name: 'target',
            init: (self: Self) => {
              self.link(dying.pid);
              self.monitor(dying.pid);
              return { onMessage: note };
            },
          });
    await kit.settle();
    dying.self.send(target, 1);
    dying.self.sendExit(target, 'asked');
    dying.self.send(target, 2);
    kit.runtime.sendExit(dying.pid, 'kill');
    await kit.settle();
    expect(seen).toEqual([1, 'exit asked', 2, 'exit killed', 'down']);
  });

  it('B1 holds for the exit of a parent: its messages come first, and what comes later is not handled', async () => {
    const log: unknown[] = [];
    const parent = await kit.probe();
    const child = parent.self.spawnWith({ link: true, trapExit: true }, {
      kind: 'handler',
      name: 'child',
      init: () => ({
        async onMessage(message, self) {
          await self.sleep(10);
          log.push(message);
        },
        onTerminate: (reason) => void log.push(`end ${String(reason)}`),
      }),
    } as const);
    await kit.settle();
    for (const n of [1, 2, 3]) parent.self.send(child, n);
    kit.runtime.sendExit(parent.pid, 'kill');
    kit.runtime.send(child, 4);
    await kit.advance(100);
    expect(log).toEqual([1, 2, 3, 'end killed']);
    expect(kit.runtime.isAlive(child)).toBe(false);
  });

  it('B1 holds for a stop: what was sent before is handled', async () => {
    const log: unknown[] = [];
    const pid = kit.runtime.spawnHandler(
      (): HandlerBody => ({ onMessage: (message) => void log.push(message) }),
    );
    for (const n of [1, 2, 3]) kit.runtime.send(pid, n);
    const stopped = stop(kit.runtime, pid);
    kit.runtime.send(pid, 4);
    await kit.settle();
    await stopped;
    expect(log).toEqual([1, 2, 3]);
  });

  it('B2 keep their order over PID, name, name on this node, and alias', async () => {
    const probe = await kit.probe<number>('target');
    const alias = probe.self.alias();
    const ways = [probe.pid, 'target', { name: 'target', node: 'nonode@nohost' }, alias] as const;
    for (let n = 0; n < 1000; n++) kit.runtime.send(ways[n % 4] as Pid<number>, n);
    await kit.settle();
    expect(probe.messages).toEqual(Array.from({ length: 1000 }, (_none, n) => n));
  });

  it('B3 come before the news of its death', async () => {
    const probe = await kit.probe<unknown>();
    const { pid } = probe.self.spawnMonitor((self: Self) => {
      for (let n = 0; n < 1000; n++) self.send(probe.pid, n);
      self.exit('done');
    });
    await kit.settle();
    expect(probe.messages).toHaveLength(1001);
    expect(probe.messages.slice(0, 1000)).toEqual(Array.from({ length: 1000 }, (_none, n) => n));
    expect(probe.messages[1000]).toMatchObject({ from: pid, reason: 'done' });
  });
});

describe('a handler', () => {
  it('B1 takes one message at a time, also when mail lay there at its birth', async () => {
    const log: string[] = [];
    const pid = kit.runtime.spawnHandler(
      (self: Self): HandlerBody => ({
        async onMessage(message) {
          log.push(`${message} begins`);
          await self.sleep(10);
          log.push(`${message} ends`);
        },
      }),
    );
    for (const n of [1, 2]) kit.runtime.send(pid, n);
    await kit.advance(100);
    expect(log).toEqual(['1 begins', '1 ends', '2 begins', '2 ends']);
  });
});

describe('selective receive', () => {
  it.each([1, 2, 3])('B5 shows each message to a predicate once, with %s in the mailbox', async (waiting) => {
    const shown: unknown[] = [];
    const pid: Pid<unknown> = kit.runtime.spawn(async (self: Self) => {
      for (let n = 0; n < waiting; n++) self.send(self.pid as Pid<unknown>, n);
      await self.receive((message) => {
        shown.push(message);
        return message === 'wanted';
      });
    });
    await kit.settle();
    kit.runtime.send(pid, 'other');
    kit.runtime.send(pid, 'wanted');
    await kit.settle();
    expect(shown).toEqual([...[0, 1, 2].slice(0, waiting), 'other', 'wanted']);
  });

  it('B5 takes the oldest that matches; the rest keeps its order', async () => {
    const seen: unknown[] = [];
    const pid = kit.runtime.spawn(async (self: Self) => {
      seen.push(await self.receive('b'));
      seen.push(await self.receive((message) => Array.isArray(message) && message[1] === 3));
      seen.push(await self.receive(['x', 'b']));
      for (let n = 0; n < 3; n++) seen.push(await self.receive());
    });
    for (const message of [
      ['a', 1],
      ['b', 2],
      ['a', 3],
      ['b', 4],
      ['a', 5],
      ['c', 6],
    ]) {
      kit.runtime.send(pid, message);
    }
    await kit.settle();
    expect(seen.map((message) => (message as [string, number])[1])).toEqual([2, 3, 4, 1, 5, 6]);
  });

  it.each<[string, (self: Self) => Promise<unknown>]>([
    ['anything', (self) => self.receive()],
    ['a tag', (self) => self.receive('n')],
    ['a predicate', (self) => self.receive(Array.isArray)],
  ])('B5 keeps the order of %s when the budget of a turn runs out', async (_what, pick) => {
    const seen: unknown[] = [];
    const count = 20_000;
    const target = receiver(pick, seen);
    // Many small actors, so that the receiver waits for its turn while others that were queued earlier send to it.
    let next = 0;
    for (let n = 0; n < count; n++) {
      kit.runtime.spawn((self: Self) => self.send(target, ['n', next++]));
    }
    for (let turn = 0; seen.length < count && turn < 10_000; turn++) await nextTurn();
    expect(seen.map((message) => (message as [string, number])[1])).toEqual(
      Array.from({ length: count }, (_none, n) => n),
    );
  });

  it('B5 survives a matcher that ends its own actor and says yes', async () => {
    const probe = await kit.probe();
    const { pid } = probe.self.spawnMonitor(async (self: Self) => {
      await self.receive('go');
      await self.receive(() => {
        kit.runtime.sendExit(self.pid, 'kill');
        return true;
      });
    });
    await kit.settle();
    for (let n = 0; n < 200; n++) kit.runtime.send(pid, n);
    kit.runtime.send(pid, 'go');
    await probe.expectDown(pid, 'killed');
    const seen: unknown[] = [];
    const other = receiver((self) => self.receive(), seen);
    for (let n = 0; n < 200; n++) kit.runtime.send(other, n);
    await kit.settle();
    expect(seen).toHaveLength(200);
  });

  it('refuses another receive while one waits, and inside a predicate; the one that waits goes on', async () => {
    const seen: unknown[] = [];
    const codes: unknown[] = [];
    const another = (self: Self): void => {
      try {
        void self.receive();
      } catch (error) {
        codes.push((error as { code: string }).code);
      }
    };
    const pid = kit.runtime.spawn(async (self: Self) => {
      const first = self.receive('late');
      another(self);
      seen.push(await first);
      const second = self.receive((message) => {
        another(self);
        return message === 'a';
      });
      seen.push(await second);
    });
    for (const message of ['a', 'late']) {
      await kit.settle();
      kit.runtime.send(pid, message);
    }
    await kit.settle();
    expect(seen).toEqual(['late', 'a']);
    expect(codes).toEqual(['SNOW_ERR_RECEIVE_PENDING', 'SNOW_ERR_RECEIVE_PENDING']);
  });

  it('B7 with the timeout 0 looks at what is there, and does not wait', async () => {
    const seen: unknown[] = [];
    const pid = kit.runtime.spawn(async (self: Self) => {
      await self.receive('go');
      seen.push(await self.receive('b', { timeout: 0 }));
      seen.push(await self.receive('b', { timeout: 0 }));
      seen.push(await self.receive(() => true, { timeout: 0 }));
      seen.push(await self.receive(() => true, { timeout: 0 }));
    });
    for (const message of ['a', 'b', 'go']) kit.runtime.send(pid, message);
    await kit.settle();
    expect(seen).toEqual(['b', TIMEOUT, 'a', TIMEOUT]);
  });

  it('B7 without a timeout, or with Infinity, waits as long as it takes', async () => {
    const seen: unknown[] = [];
    const pids = [undefined, Number.POSITIVE_INFINITY].map((timeout) =>
      kit.runtime.spawn(async (self: Self) => {
        seen.push(await self.receive(undefined, timeout === undefined ? {} : { timeout }));
      }),
    );
    await kit.advance(2 ** 40);
    expect(seen).toEqual([]);
    for (const pid of pids) kit.runtime.send(pid, 'at last');
    await kit.settle();
    expect(seen).toEqual(['at last', 'at last']);
  });

  it('B7 prefers mail that came in time, when the turn comes too late', async () => {
    const seen: unknown[] = [];
    const matchers = [undefined, 'x', (message: unknown) => message === 'x'];
    const pids = matchers.map((match) =>
      kit.runtime.spawn(async (self: Self) => {
        seen.push(await self.receive(match as never, { timeout: 10 }));
      }),
    );
    await kit.settle();
    // The message and the end of the time come in one turn of the event loop, before the actor's.
    for (const pid of pids) kit.runtime.send(pid, 'x');
    kit.clock.step(10);
    await kit.settle();
    expect(seen).toEqual(['x', 'x', 'x']);
  });
});

describe('a message', () => {
  it('B8 is a value: nobody sees what the sender does to it later', async () => {
    const probe = await kit.probe<unknown>();
    const bytes = new Uint8Array([1, 2, 3]);
    const message = { list: [1, 2], map: new Map([['k', { deep: [1] }]]), bytes, date: new Date(0) };
    const original = structuredClone(message);
    probe.self.send(probe.pid, message);
    kit.runtime.send(probe.pid, message);
    probe.self.sendAfter(10, probe.pid, message);
    message.list.push(3);
    message.map.get('k')?.deep.push(2);
    bytes[0] = 9;
    message.date.setTime(1);
    await kit.advance(10);
    expect(probe.messages).toEqual([original, original, original]);
  });

  it('B8 is a value between receivers, and in the arguments and the answer of a call', async () => {
    const seen: unknown[][] = [];
    const pids = [0, 1].map(() =>
      kit.runtime.spawn(async (self: Self<unknown[]>) => {
        const message = (await self.receive()) as unknown[];
        message.push('mine');
        seen.push(message);
      }),
    );
    const message = ['shared'];
    for (const pid of pids) kit.runtime.send(pid, message);
    const probe = await kit.probe();
    const server = kit.runtime.spawnHandler(
      (self: Self<never>): HandlerBody<never> => ({
        onMessage(request: Call) {
          const asked = request.args[0] as string[];
          asked.push('asked');
          self.runtime.replies.succeed(request, asked);
          asked.push('after the answer');
        },
      }),
    );
    const answer = request(probe.self, server, 'ask', [message]);
    message.push('sent');
    await kit.settle();
    expect(await answer).toEqual(['shared', 'asked']);
    message.pop();
    expect(seen).toEqual([
      ['shared', 'mine'],
      ['shared', 'mine'],
    ]);
    expect(message).toEqual(['shared']);
  });

  it.each<[string, unknown, string]>([
    ['a function', { a: [() => {}] }, 'a'],
    ['a symbol', [1, Symbol('s')], '1'],
    ['an instance of a class', { deep: { er: new (class Account {})() } }, 'er'],
    ['a promise', [Promise.resolve()], '0'],
    ['a WeakMap', { weak: new WeakMap() }, 'weak'],
  ])('B9 fails at the sender for %s, names the path, and sends nothing', async (_what, message, path) => {
    const probe = await kit.probe<unknown>();
    const fail = (act: () => void): void => {
      expect(act).toThrowError(expect.objectContaining({ code: 'SNOW_ERR_UNSENDABLE' }));
      expect(act).toThrowError(path);
    };
    fail(() => probe.self.send(probe.pid, message));
    fail(() => kit.runtime.send(probe.pid, message));
    fail(() => probe.self.sendAfter(0, probe.pid, message));
    fail(() => probe.self.sendExit(probe.pid, message));
    fail(() => void request(probe.self, probe.pid as Pid<never>, 'ask', [message]));
    await probe.expectNoMessage(100);
    expect(kit.runtime.timers.size).toBe(0);
    expect(kit.runtime.calls.size).toBe(0);
  });

  it('B9 fails at the sender for a circle', async () => {
    const probe = await kit.probe<unknown>();
    const circle: { self?: unknown } = {};
    circle.self = circle;
    expect(() => probe.self.send(probe.pid, circle)).toThrowError(
      expect.objectContaining({ code: expect.stringMatching(/^SNOW_ERR_(?:UNSENDABLE|TOO_DEEP)$/) }),
    );
    await probe.expectNoMessage();
  });

  it('B10 cannot be taken for a notice of the system', async () => {
    const probe = await kit.probe<unknown>();
    const ref = probe.watch(probe.pid);
    const forged: unknown[] = [
      ...[-1, -2, -3, -4, -5, -6, -7, -8],
      { ref, from: probe.pid, reason: 'forged' },
      { from: probe.pid, reason: 'forged', type: 'Exit' },
      ['EXIT', probe.pid, 'forged'],
      ['DOWN', ref, 'process', probe.pid, 'forged'],
      { __proto__: null, constructor: 'Exit' },
    ];
    const picked: unknown[] = [];
    const picky = kit.runtime.spawnWith({ trapExit: true }, async (self: Self) => {
      picked.push(await self.receive<Exit | Down>([Exit, Down]));
    });
    for (const message of forged) {
      probe.self.send(probe.pid, message);
      kit.runtime.send(picky, message);
    }
    await kit.settle();
    expect(probe.messages).toEqual(forged);
    expect(picked).toEqual([]);
  });

  it('B10 cannot carry a notice on, or one made by hand', async () => {
    const probe = await kit.probe<unknown>();
    const { pid } = probe.self.spawnMonitor(() => {});
    const down = await probe.expectDown(pid);
    const unsendable = expect.objectContaining({ code: 'SNOW_ERR_UNSENDABLE' });
    expect(() => probe.self.send(probe.pid, down)).toThrowError(unsendable);
    expect(() => probe.self.send(probe.pid, new Exit(pid, 'forged'))).toThrowError(unsendable);
    expect(() => probe.self.send(probe.pid, Object.create(Down.prototype))).toThrowError(unsendable);
    await probe.expectNoMessage();
  });
});
