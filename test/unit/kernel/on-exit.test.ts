// Rule A12: what `self.onExit` runs at the end of an actor.
import { AsyncLocalStorage } from 'node:async_hooks';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Down, type ExitReason, Runtime, type Self, SystemMessage } from '../../../ts/actor/index.ts';
import { childSpec, defineServer, defineSupervisor, startNode } from '../../../ts/index.ts';
import { consoleLogger } from '../../../ts/kernel/index.ts';
import { LocalNames } from '../../../ts/registry/index.ts';
import type { Pid } from '../../../ts/term/index.ts';
import { startTestRuntime, type TestRuntime } from '../../../ts/testing/index.ts';

let kit: TestRuntime;
let ran: unknown[];
beforeEach(() => {
  kit = startTestRuntime();
  ran = [];
});
afterEach(() => kit.stop());

/** An actor that registers a callback, then does this. */
async function actor(code: (self: Self) => unknown): Promise<Self> {
  let own!: Self;
  kit.runtime.spawn(async (self: Self) => {
    own = self;
    self.onExit((reason) => ran.push(reason));
    await code(self);
  });
  await kit.settle();
  return own;
}
const idle = (): Promise<Self> => actor((self) => self.receive());

describe('the callback', () => {
  it.each<[string, unknown, (self: Self) => unknown]>([
    ['its code returns', 'normal', () => {}],
    [
      'its code throws',
      { error: { name: 'RangeError', message: 'no' } },
      () => Promise.reject(new RangeError('no')),
    ],
    ['it exits', { bye: 1 }, (self) => self.exit({ bye: 1 })],
    ['it is killed', 'killed', (self) => self.sendExit(self.pid, 'kill')],
    [
      'a linked actor ends',
      'boom',
      async (self) => {
        self.spawnLink((other: Self) => other.exit('boom'));
        await self.receive();
      },
    ],
  ])('A12 runs once with the reason when %s', async (_how, reason, code) => {
    await actor(code);
    expect(ran).toMatchObject([reason]);
    expect(ran).toHaveLength(1);
  });

  it('A12 runs when the node stops, for handlers and servers too', async () => {
    const node = await startNode();
    const server = defineServer({
      name: 'server',
      init: (self) => void self.onExit((reason) => ran.push(['server', reason])),
      terminate: () => void ran.push('terminate'),
    });
    await server.start(node);
    node.spawnHandler((self: Self) => {
      self.onExit(() => ran.push('handler'));
      return { onMessage() {} };
    });
    let isUp = (): void => {};
    const up = new Promise<void>((resolve) => (isUp = resolve));
    node.spawn(async (self: Self) => {
      self.onExit(() => ran.push('function'));
      isUp();
      await self.receive();
    });
    await up;
    await node.stop();
    expect(ran.slice(0, 2)).toEqual(['terminate', ['server', 'shutdown']]);
    expect(ran.slice(2).sort()).toEqual(['function', 'handler']);
  });

  it('A12 runs before a link, a monitor or a supervisor learns of the end, and after the signal has fired', async () => {
    const child = defineServer({
      name: 'child',
      init: (self) => {
        ran.push('init');
        self.signal.addEventListener('abort', () => ran.push('signal'));
        self.onExit(() => ran.push(self.whereis('child') === undefined ? 'name is free' : 'name is taken'));
      },
    });
    const top = defineSupervisor({ name: 'top', children: [childSpec('child', child, { name: 'child' })] });
    await top.start(kit);
    kit.runtime.spawn(async (self: Self) => {
      self.monitor('child');
      await self.receive(SystemMessage as never);
      ran.push('down');
    });
    await kit.settle();
    kit.runtime.sendExit(kit.runtime.whereis('child') as never, 'kill');
    await kit.settle();
    expect(ran.slice(0, 3)).toEqual(['init', 'signal', 'name is free']);
    expect(ran.slice(3).sort()).toEqual(['down', 'init']);
  });

  it('V2 runs also if a listener of the signal throws, which is an uncaught exception of the process, as of any EventTarget', async () => {
    const others = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    try {
      const uncaught = new Promise((resolve) => process.once('uncaughtException', resolve));
      const error = new Error('of a listener');
      const own = await actor((self) => {
        self.signal.addEventListener('abort', () => {
          throw error;
        });
        self.signal.addEventListener('abort', () => ran.push('the next listener'));
        return self.receive();
      });
      const probe = await kit.probe();
      const ref = probe.self.monitor(own.pid);
      kit.runtime.sendExit(own.pid, 'why');
      expect(await uncaught).toBe(error);
      expect(ran).toEqual(['the next listener', 'why']);
      await probe.expectMessage(new Down(ref, own.pid as Pid, 'why'));
    } finally {
      for (const other of others) process.on('uncaughtException', other);
    }
  });

  it('A12 runs in the AsyncLocalStorage store it was given in', async () => {
    const als = new AsyncLocalStorage<string>();
    const self = await idle();
    als.run('request 7', () => self.onExit(() => ran.push(als.getStore())));
    als.run('elsewhere', () => kit.runtime.sendExit(self.pid, 'kill'));
    expect(ran).toEqual(['request 7', 'killed']);
  });

  it('A12 gets a reason that another one cannot have changed', async () => {
    const self = await idle();
    self.onExit((reason) => void (reason as Map<string, number>).set('a', 2));
    kit.runtime.sendExit(self.pid, new Map([['a', 1]]) as never);
    expect(ran).toEqual([new Map([['a', 1]])]);
  });

  it('A7 acts for a dead actor: what it sends with its self is a dead letter, with the runtime it arrives', async () => {
    const probe = await kit.probe();
    const self = await idle();
    self.onExit(() => {
      self.send(probe.pid, 'from self');
      self.runtime.send(probe.pid, 'from the runtime');
    });
    kit.runtime.sendExit(self.pid, 'kill');
    await kit.settle();
    expect(probe.messages).toEqual(['from the runtime']);
    expect(kit.runtime.deadLetters.counts).toMatchObject({ dead_sender: 1 });
  });
});

describe('several callbacks', () => {
  it('A12 run the newest first, the same one as often as it was given', async () => {
    const self = await idle();
    const one = (): unknown => ran.push('one');
    for (const each of [one, () => ran.push('two'), one]) self.onExit(each);
    kit.runtime.sendExit(self.pid, 'kill');
    expect(ran).toEqual(['one', 'two', 'one', 'killed']);
  });

  it('A12 all run when some throw, reject, or throw what cannot be read', async () => {
    const self = await idle();
    const hostile = {
      get message(): never {
        throw new Error('unreadable');
      },
    };
    const failing = [
      () => {
        throw new Error('sync');
      },
      () => Promise.reject(new Error('async')),
      () => {
        throw hostile;
      },
      () => self.exit('again'),
    ];
    for (const each of failing) {
      self.onExit(each);
      self.onExit(() => ran.push('between'));
    }
    const probe = await kit.probe();
    const ref = probe.watch(self.pid);
    kit.runtime.sendExit(self.pid, 'kill');
    await kit.settle();
    expect(ran).toEqual([...failing.map(() => 'between'), 'killed']);
    await probe.expectDown(ref, 'killed');
    const logged = kit.logged('exit_callback_failed');
    expect(logged).toHaveLength(failing.length);
    for (const { facts } of logged)
      expect(facts).toMatchObject({
        actor: self.pid.toString(),
        code: 'SNOW_ERR_EXIT_CALLBACK',
      });
    const causes = logged.map(({ facts }) => (facts as { err: unknown }).err);
    expect(causes.includes(hostile)).toBe(true);
    expect(causes.flatMap((cause) => (cause instanceof Error ? [cause.message] : []))).toContain('async');
  });

  it('A12 may end other actors, whose callbacks run after all of the first', async () => {
    const second = await actor((self) => self.receive());
    second.onExit(() => ran.push('second'));
    const first = await idle();
    first.onExit(() => {
      kit.runtime.sendExit(second.pid, 'kill');
      ran.push('first');
    });
    kit.runtime.sendExit(first.pid, 'boom');
    expect(ran).toEqual(['first', 'boom', 'second', 'killed']);
  });
});

describe('a callback that was taken back', () => {
  it('A12 does not run, whichever it is', async () => {
    const self = await idle();
    const back = ['a', 'b', 'c', 'd'].map((name) => self.onExit(() => ran.push(name)));
    for (const index of [3, 1]) back[index]?.();
    back[1]?.();
    kit.runtime.sendExit(self.pid, 'kill');
    expect(ran).toEqual(['c', 'a', 'killed']);
    back[0]?.();
  });

  it('A12 does not run when one that runs before takes it back', async () => {
    const self = await idle();
    const takeBack = self.onExit(() => ran.push('older'));
    self.onExit(() => takeBack());
    kit.runtime.sendExit(self.pid, 'kill');
    expect(ran).toEqual(['killed']);
  });
});

describe('a callback that comes after the end', () => {
  it('A12 runs at once with noproc, and its error is logged', async () => {
    const self = await idle();
    kit.runtime.sendExit(self.pid, 'kill');
    const takeBack = self.onExit((reason: ExitReason) => ran.push(`late: ${String(reason)}`));
    expect(ran).toEqual(['killed', 'late: noproc']);
    takeBack();
    self.onExit(() => {
      throw new Error('late');
    });
    expect(kit.logged('exit_callback_failed')).toHaveLength(1);
  });

  it('A12 runs at once when one that runs gives it', async () => {
    const self = await idle();
    self.onExit(() => self.onExit(() => ran.push('inner')));
    kit.runtime.sendExit(self.pid, 'kill');
    expect(ran).toEqual(['inner', 'killed']);
  });
});

it('A12 the default logger says what failed', async () => {
  const lines: string[] = [];
  const { error } = console;
  console.error = (line: string) => void lines.push(line);
  try {
    const runtime = new Runtime({ names: new LocalNames(), logger: consoleLogger });
    await new Promise<void>((resolve) => {
      runtime.spawn(async (self: Self) => {
        self.onExit(() => {
          throw new Error('the disk is full');
        });
        resolve();
        await self.receive();
      });
    });
    runtime.stop();
  } finally {
    console.error = error;
  }
  expect(lines.join('\n')).toMatch(
    /SNOW_ERR_EXIT_CALLBACK.*the disk is full.*\n.*Error: the disk is full\n +at .*on-exit\.test/,
  );
});
