import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CallError, Exit, Self, Timeout } from '../../../ts/actor/index.ts';
import { call, cast, defineStateMachine, type MachineStart } from '../../../ts/behaviour/index.ts';
import { startTestRuntime, type TestRuntime } from '../../../ts/testing/index.ts';

let kit: TestRuntime;
beforeEach(() => {
  kit = startTestRuntime();
});
afterEach(() => kit.stop());

interface Lock {
  code: string;
  log: string[];
}

const door = defineStateMachine({
  name: 'door',
  init: (_self, code: string): MachineStart<'locked' | 'open' | 'broken', Lock> => ({
    state: 'locked',
    data: { code, log: [] },
  }),
  states: {
    locked: {
      enter: ({ data }, from) => void data.log.push(`${String(from)}>locked`),
      calls: {
        enter: ({ data, goto }, code: string) => {
          if (code !== data.code) return false;
          goto('open');
          return true;
        },
        walk: ({ postpone }) => postpone(),
      },
      casts: { knock: ({ postpone }, _who: string) => void postpone() },
    },
    open: {
      enter: ({ data }, from) => void data.log.push(`${String(from)}>open`),
      timeout: 1000,
      onTimeout: ({ goto }) => goto('locked'),
      calls: {
        walk: ({ data }) => {
          data.log.push('walked');
          return 'through';
        },
        hold: ({ stateTimeout }, ms: number) => stateTimeout(ms),
      },
      casts: { knock: ({ data }, who: string) => void data.log.push(`${who} came in`) },
      info: ({ data }, message) => void data.log.push(`open heard ${String(message)}`),
    },
    broken: {},
  },
  any: {
    calls: {
      log: ({ data }) => data.log.splice(0),
      where: ({ state }) => state,
    },
    casts: { smash: ({ goto }) => goto('broken') },
    info: ({ data }, message) => void data.log.push(`heard ${String(message)}`),
  },
});

describe('a state machine', () => {
  it('answers by the state it is in, and enters states', async () => {
    const pid = await door.start(kit, '1234');
    expect(await call(kit, pid, 'where')).toBe('locked');
    expect(await call(kit, pid, 'enter', '0000')).toBe(false);
    expect(await call(kit, pid, 'enter', '1234')).toBe(true);
    expect(await call(kit, pid, 'where')).toBe('open');
    expect(await call(kit, pid, 'walk')).toBe('through');
    expect(await call(kit, pid, 'log')).toEqual(['undefined>locked', 'locked>open', 'walked']);
  });

  it('leaves a state after its timeout, which can be set anew, and which other states do not have', async () => {
    const pid = await door.start(kit, '1');
    await call(kit, pid, 'enter', '1');
    await kit.advance(999);
    expect(await call(kit, pid, 'where')).toBe('open');
    await call(kit, pid, 'hold', 5000);
    await kit.advance(4999);
    expect(await call(kit, pid, 'where')).toBe('open');
    await kit.advance(1);
    expect(await call(kit, pid, 'where')).toBe('locked');
    await call(kit, pid, 'enter', '1');
    cast(kit, pid, 'smash');
    await kit.advance(60_000);
    expect(await call(kit, pid, 'where')).toBe('broken');
  });

  it('takes a timeout that is set together with goto for that of the new state, unless its enter sets another', async () => {
    const lamp = defineStateMachine({
      name: 'lamp',
      init: (): MachineStart<'off' | 'on' | 'dim', number[]> => ({ state: 'off', data: [] }),
      states: {
        off: {
          casts: {
            turn: ({ goto, stateTimeout }, to: 'on' | 'dim') => {
              stateTimeout(50);
              goto(to);
            },
          },
        },
        on: { timeout: 1000, onTimeout: ({ goto }) => goto('off') },
        dim: { enter: ({ stateTimeout }) => stateTimeout(200), onTimeout: ({ goto }) => goto('off') },
      },
      any: { calls: { where: ({ state }) => state } },
    });
    const pid = await lamp.start(kit);
    for (const [state, ms] of [
      ['on', 50],
      ['dim', 200],
    ] as const) {
      cast(kit, pid, 'turn', state);
      await kit.advance(ms - 1);
      expect(await call(kit, pid, 'where')).toBe(state);
      await kit.advance(1);
      expect(await call(kit, pid, 'where')).toBe('off');
    }
  });

  it('changes its state when a timer says so, without waiting for a message', async () => {
    const entered: string[] = [];
    const timed = defineStateMachine({
      name: 'timed',
      init: (): MachineStart<'one' | 'two', null> => ({ state: 'one', data: null }),
      states: {
        one: {
          casts: {
            begin: ({ self, goto }) => void self.after(10, () => goto('two')),
            held: ({ postpone }) => void postpone(),
          },
        },
        two: { enter: () => void entered.push('two'), casts: { held: () => void entered.push('held') } },
      },
    });
    const pid = await timed.start(kit);
    cast(kit, pid, 'begin');
    cast(kit, pid, 'held');
    await kit.advance(9);
    expect(entered).toEqual([]);
    await kit.advance(1);
    expect(entered).toEqual(['two', 'held']);
  });

  it('keeps postponed messages for the next state, in order, before newer ones', async () => {
    const pid = await door.start(kit, '1');
    const walked = call(kit, pid, 'walk');
    cast(kit, pid, 'knock', 'ann');
    cast(kit, pid, 'knock', 'bob');
    await kit.settle();
    const entered = call(kit, pid, 'enter', '1');
    cast(kit, pid, 'knock', 'new');
    expect(await walked).toBe('through');
    expect(await entered).toBe(true);
    expect(await call(kit, pid, 'log')).toEqual([
      'undefined>locked',
      'locked>open',
      'walked',
      'ann came in',
      'bob came in',
      'new came in',
    ]);
  });

  it('handles a postponed message once, and no other again, however often the state changes', async () => {
    const log: string[] = [];
    const turn = (next: 'b' | 'c') => ({
      casts: {
        hold: () => void log.push('held'),
        pass: () => void log.push('passed'),
        go: ({ goto }: { goto: (state: 'b' | 'c') => void }) => goto(next),
      },
    });
    const machine = defineStateMachine({
      name: 'once',
      init: (): MachineStart<'a' | 'b' | 'c', null> => ({ state: 'a', data: null }),
      states: {
        a: { casts: { ...turn('b').casts, hold: ({ postpone }) => void postpone() } },
        b: turn('c'),
        c: turn('b'),
      },
    });
    const pid = await machine.start(kit);
    for (const tag of ['hold', 'pass', 'go', 'go'] as const) cast(kit, pid, tag);
    await kit.settle();
    expect(log).toEqual(['passed', 'held']);
  });

  it('handles no postponed message once it stops', async () => {
    const log: string[] = [];
    const machine = defineStateMachine({
      name: 'stopping',
      init: (): MachineStart<'a' | 'b', null> => ({ state: 'a', data: null }),
      states: {
        a: {
          casts: {
            hold: ({ postpone }) => void postpone(),
            leave: ({ goto, stop }) => {
              goto('b');
              stop();
            },
          },
        },
        b: { enter: () => void log.push('entered'), casts: { hold: () => void log.push('held') } },
      },
      terminate: ({ state }) => void log.push(`ended in ${state}`),
    });
    const pid = await machine.start(kit);
    cast(kit, pid, 'hold');
    cast(kit, pid, 'leave');
    await kit.settle();
    expect(log).toEqual(['entered', 'ended in b']);
  });

  it('handles many postponed messages in order, though each changes the state: none costs more than itself', async () => {
    const MANY = 50_000; // a copy of what is left for each of them takes more than a minute
    const step = (next: 'even' | 'odd') => ({
      casts: {
        take: ({ data, goto }: { data: number[]; goto: (state: 'even' | 'odd') => void }, number: number) => {
          data.push(number);
          goto(next);
        },
      },
    });
    const machine = defineStateMachine({
      name: 'many',
      init: (): MachineStart<'shut' | 'even' | 'odd', number[]> => ({ state: 'shut', data: [] }),
      states: {
        shut: {
          casts: {
            take: ({ postpone }, _number: number) => void postpone(),
            open: ({ goto }) => goto('even'),
          },
        },
        even: step('odd'),
        odd: step('even'),
      },
      any: { calls: { log: ({ data }) => data } },
    });
    const pid = await machine.start(kit);
    const numbers = Array.from({ length: MANY }, (_, number) => number);
    for (const number of numbers) cast(kit, pid, 'take', number);
    cast(kit, pid, 'open');
    expect(await call(kit, pid, 'log')).toEqual(numbers);
  });

  it('refuses a call that no handler of the state takes, and lives on', async () => {
    const pid = await door.start(kit, '1');
    cast(kit, pid, 'smash');
    const error: CallError = await call(kit, pid, 'walk').catch((thrown) => thrown);
    expect(error.state).toBe('unknown');
    expect(await call(kit, pid, 'where')).toBe('broken');
  });

  it('handles plain messages in the state first, then in any', async () => {
    const pid = await door.start(kit, '1');
    kit.runtime.send(pid, 'a');
    await call(kit, pid, 'enter', '1');
    kit.runtime.send(pid, 'b');
    expect(await call(kit, pid, 'log')).toEqual([
      'undefined>locked',
      'heard a',
      'locked>open',
      'open heard b',
    ]);
  });

  it('stops, and runs terminate in the state it is in', async () => {
    const ends: unknown[] = [];
    const fuse = defineStateMachine({
      name: 'fuse',
      init: (): MachineStart<'lit' | 'out', number> => ({ state: 'lit', data: 1 }),
      states: { lit: { timeout: 10, onTimeout: ({ stop }) => stop('burnt') }, out: {} },
      terminate: ({ state, data }, reason) => void ends.push([state, data, reason]),
    });
    const pid = await fuse.start(kit);
    const probe = await kit.probe();
    probe.watch(pid);
    await probe.expectDown(pid, 'burnt', { within: 10 });
    expect(ends).toEqual([['lit', 1, 'burnt']]);
  });

  it('does nothing at a goto to the state it is in: no enter, the timeout and what was postponed stay', async () => {
    const machine = defineStateMachine({
      name: 'still',
      init: (): MachineStart<'a' | 'b', string[]> => ({ state: 'a', data: [] }),
      states: {
        a: {
          timeout: 1000,
          onTimeout: ({ goto }) => goto('b'),
          enter: ({ data }) => void data.push('enter a'),
          casts: { again: ({ goto }) => goto('a'), later: ({ postpone }) => void postpone() },
        },
        b: {
          enter: ({ data }) => void data.push('enter b'),
          casts: { later: ({ data }) => void data.push('later') },
        },
      },
      any: { calls: { log: ({ data }) => [...data] } },
    });
    const pid = await machine.start(kit);
    cast(kit, pid, 'later');
    await kit.advance(600);
    cast(kit, pid, 'again');
    await kit.settle();
    expect(await call(kit, pid, 'log')).toEqual(['enter a']);
    await kit.advance(400); // the timeout counts from the first enter
    expect(await call(kit, pid, 'log')).toEqual(['enter a', 'enter b', 'later']);
  });

  it('does not change its state while it enters one, nor to one it does not have', async () => {
    const probe = await kit.probe();
    const restless = defineStateMachine({
      name: 'restless',
      init: (): MachineStart<'a' | 'b', null> => ({ state: 'a', data: null }),
      states: { a: { enter: ({ goto }) => goto('b') }, b: {} },
    });
    const lost = defineStateMachine({
      name: 'lost',
      init: (): MachineStart<string, null> => ({ state: 'a', data: null }),
      states: { a: { casts: { go: ({ goto }) => goto('nowhere') } } },
    });
    const one = await restless.start(kit);
    probe.watch(one);
    const two = await lost.start(kit);
    probe.watch(two);
    cast(kit, two, 'go');
    for (const pid of [one, two]) {
      const { reason } = await probe.expectDown(pid);
      expect(reason).toMatchObject(
        pid === one && (reason as string) === 'noproc' ? {} : { error: { code: 'SNOW_ERR_BAD_OPTION' } },
      );
    }
  });

  it.each([
    ['asynchronous', (self: Self) => self.sleep(10)],
    ['synchronous', () => {}],
  ])('runs %s handlers and async ones of enter to their end', async (_how, work) => {
    const slow = defineStateMachine({
      name: 'slow',
      init: async (self): Promise<MachineStart<'a' | 'b', string[]>> => {
        await self.sleep(1);
        return { state: 'a', data: [] };
      },
      states: {
        a: {
          calls: {
            go: ({ self, goto, data }) => {
              data.push('going');
              goto('b');
              return work(self);
            },
            log: ({ postpone }) => postpone(),
          },
        },
        b: {
          enter: async ({ self, data }) => {
            await self.sleep(10);
            data.push('entered');
          },
          calls: { log: ({ data }) => data },
        },
      },
    });
    const started = slow.start(kit);
    await kit.advance(1);
    const pid = await started;
    const log = call(kit, pid, 'log');
    void call(kit, pid, 'go');
    await kit.advance(20);
    expect(await log).toEqual(['going', 'entered']);
  });

  it('takes a timeout of 0 for a timer like any other: the messages that wait come first', async () => {
    const seen: string[] = [];
    const hasty = defineStateMachine({
      name: 'hasty',
      init: (): MachineStart<'only', null> => ({ state: 'only', data: null }),
      states: {
        only: {
          onTimeout: () => void seen.push('timeout'),
          casts: {
            set: ({ stateTimeout }) => stateTimeout(0),
            note: () => void seen.push('message'),
          },
        },
      },
    });
    const pid = await hasty.start(kit);
    cast(kit, pid, 'set');
    cast(kit, pid, 'note');
    await kit.settle();
    expect(seen).toEqual(['message', 'timeout']);
  });

  it('sees no timeout of a state it has left, nor one it has replaced, however late it is', async () => {
    const seen: unknown[] = [];
    const busy = defineStateMachine({
      name: 'busy',
      init: (self): MachineStart<'a' | 'b', null> => {
        self.startTimer(150, self.pid as never, 'own');
        return { state: 'a', data: null };
      },
      states: {
        a: {
          timeout: 10,
          onTimeout: () => void seen.push('a'),
          casts: {
            leave: async ({ self, goto }) => {
              await self.sleep(50);
              goto('b');
            },
          },
        },
        b: {
          timeout: 10,
          onTimeout: () => void seen.push('b'),
          casts: {
            prolong: async ({ self, stateTimeout }) => {
              await self.sleep(50);
              stateTimeout(100);
            },
          },
        },
      },
      any: { info: (_context, message) => void seen.push((message as Timeout).message) },
    });
    const pid = await busy.start(kit);
    cast(kit, pid, 'leave');
    cast(kit, pid, 'prolong');
    await kit.advance(199);
    expect(seen).toEqual(['own']);
    await kit.advance(1);
    expect(seen).toEqual(['own', 'b']);
  });

  it('postpones messages only: in enter and onTimeout there is none', async () => {
    const probe = await kit.probe();
    const wait = (ms: number) =>
      defineStateMachine({
        name: 'lazy',
        init: (): MachineStart<'a', null> => ({ state: 'a', data: null }),
        states: {
          a: {
            enter: ({ postpone }) => void (ms === 0 && postpone()),
            timeout: 10,
            onTimeout: ({ postpone }) => void postpone(),
          },
        },
      }).startLink(probe.self);
    for (const ms of [0, 10]) {
      await wait(ms);
      await kit.advance(10);
      const { reason } = await probe.expectMessage<Exit>();
      expect(reason).toMatchObject({ error: { code: 'SNOW_ERR_BAD_OPTION' } });
    }
  });

  it('enters no state and handles no kept message after its death', async () => {
    let open = (): void => {};
    const gate = new Promise<void>((resolve) => (open = resolve));
    const log: string[] = [];
    const mortal = defineStateMachine({
      name: 'mortal',
      init: (): MachineStart<'before' | 'after', object> => ({ state: 'before', data: {} }),
      states: {
        before: {
          casts: {
            kept: ({ postpone }) => postpone(),
            async go({ goto }) {
              log.push('go');
              await gate;
              goto('after');
            },
          },
        },
        after: { enter: () => void log.push('after'), casts: { kept: () => void log.push('kept') } },
      },
    });
    const pid = await mortal.start(kit);
    cast(kit, pid, 'kept');
    cast(kit, pid, 'go');
    await kit.advance(0);
    kit.runtime.sendExit(pid, 'kill');
    await kit.advance(0);
    open();
    await kit.advance(0);
    expect(log).toEqual(['go']);
  });
});
