// A word that is no option is refused, and the one that was meant is named: most users write plain JavaScript sometimes.
import { describe, expect, it } from 'vitest';
import { checkOptionNames, unknownOption } from '../../../ts/errors/index.ts';
import {
  call,
  callWith,
  childSpec,
  defineDynamicSupervisor,
  definePartitionSupervisor,
  defineServer,
  defineStateMachine,
  defineSupervisor,
  Pid,
  startGlobalNames,
  startGroups,
  startNode,
} from '../../../ts/index.ts';

const KNOWN = { name: true, intensity: true, init: true } as const;

describe('an option that does not exist', () => {
  it.each([
    [{ nmae: 1 }, 'has no option "nmae"; did you mean "name"?'],
    [{ Name: 1 }, 'has no option "Name"; did you mean "name"?'],
    [{ intensty: 1 }, 'has no option "intensty"; did you mean "intensity"?'],
    [{ name: 1, children: 2 }, 'has no option "children"; it has name, intensity, init'],
    [{ toString: 1 }, 'has no option "toString"; it has name, intensity, init'],
    [{ name: undefined }, undefined],
    [{}, undefined],
  ])('%o', (given, sentence) => {
    expect(unknownOption(given, KNOWN)).toBe(sentence);
  });

  class Settings {
    readonly timeuot = 5;
    readonly timeout = 5;
  }
  it.each([
    [undefined, 'takes an object of options, not undefined'],
    [null, 'takes an object of options, not null'],
    ['a', 'takes an object of options, not the string "a"'],
    [5, 'takes an object of options, not a number'],
    [[5], 'takes an object of options, not an array'],
    [Promise.resolve(), 'takes an object of options, not a promise (did you forget await?)'],
    [new Pid(0, 1), 'takes an object of options, not an instance of Pid'],
    [new Settings(), 'has no option "timeuot"; did you mean "timeout"?'],
  ])('%o', (given, sentence) => {
    const known = { timeout: true, signal: true } as never;
    expect(() => checkOptionNames('startX', given as never, known)).toThrow(`startX ${sentence}`);
  });
});

const init = (): object => ({});
const any = (value: unknown): never => value as never;

describe('refuses what it does not know:', () => {
  it.each<[string, () => unknown, string]>([
    [
      'defineServer',
      () => defineServer(any({ name: 'x', init, call: {} })),
      'defineServer has no option "call"; did you mean "calls"?',
    ],
    [
      'defineServer without init',
      () => defineServer(any({ name: 'x' })),
      'defineServer of "x" needs an init function',
    ],
    [
      'defineServer without a name',
      () => defineServer(any({ init })),
      'defineServer needs a name that is a string and not empty',
    ],
    [
      'defineServer with a handler that is none',
      () => defineServer(any({ name: 'x', init, calls: { read: 5 } })),
      'defineServer of "x": calls.read is a number; it must be a function',
    ],
    [
      'defineStateMachine',
      () => defineStateMachine(any({ name: 'x', init, states: { open: { onEnter: init } } })),
      'state "open" of "x" has no option "onEnter"; did you mean "enter"?',
    ],
    [
      'defineSupervisor',
      () => defineSupervisor(any({ name: 'x', children: [], maxRestarts: 5 })),
      'defineSupervisor has no option "maxRestarts"; it has name, strategy, intensity, period, autoShutdown, children',
    ],
    [
      'defineSupervisor without children',
      () => defineSupervisor(any({ name: 'x' })),
      'supervisor "x": bad children: undefined; use an array of child specs, or a function that returns one',
    ],
    [
      'defineSupervisor with another strategy',
      () => defineSupervisor(any({ name: 'x', children: [], strategy: 'all' })),
      'supervisor "x": bad strategy: the string "all"; use one_for_one, one_for_all or rest_for_one',
    ],
    [
      'defineSupervisor with another intensity',
      () => defineSupervisor(any({ name: 'x', children: [], intensity: -1 })),
      'supervisor "x": bad intensity: -1; use a whole number from 0 on, or Infinity',
    ],
    [
      'a child spec with another restart',
      () => childSpec('a', any(init), any({ restart: 'always' })),
      'the child spec "a" has an unknown restart: always; use permanent, transient, temporary',
    ],
    [
      'a child spec with another node',
      () => childSpec('a', any(init), any({ node: 'b' })),
      'the child spec "a" has a bad node: "b"; use name@host:port, or a function',
    ],
    [
      'defineDynamicSupervisor',
      () => defineDynamicSupervisor(any({ name: 'x', maxChilds: 5 })),
      'defineDynamicSupervisor has no option "maxChilds"; did you mean "maxChildren"?',
    ],
    [
      'definePartitionSupervisor',
      () => definePartitionSupervisor(any({ name: 'x', child: init, partition: 5 })),
      'definePartitionSupervisor has no option "partition"; did you mean "partitions"?',
    ],
    [
      'a child spec',
      () => defineSupervisor({ name: 'x', children: [any(childSpec('a', any(init), any({ arg: [] })))] }),
      'the child spec "a" has no option "arg"; did you mean "args"?',
    ],
    [
      'a server instead of its child spec',
      () => defineSupervisor({ name: 'x', children: [any(defineServer({ name: 'y', init }))] }),
      'the child spec "?" is only what a child spec starts: pass childSpec(id, …)',
    ],
  ])('%s', (_name, make, sentence) => {
    expect(make).toThrow(sentence);
  });

  it.each<[unknown, string]>([
    [{ nmae: 'a@127.0.0.1' }, 'startNode has no option "nmae"; did you mean "name"?'],
    ['a@127.0.0.1', 'startNode takes an object of options, not the string "a@127.0.0.1"'],
    [{ listen: { prot: 1 } }, '`listen` of startNode has no option "prot"; did you mean "port"?'],
    [{ listen: 9000 }, '`listen` of startNode takes an object of options, not a number'],
    [{ listen: { host: '' } }, 'option listen.host is ; it must be an address or a host name'],
    [{ outbox: { limti: 1 } }, '`outbox` of startNode has no option "limti"; did you mean "limit"?'],
    [{ outbox: null }, '`outbox` of startNode takes an object of options, not null'],
    [
      { logger: {} },
      'option logger is an object without error; it must be an object with the methods error, warn, info, debug',
    ],
    [{ logger: null }, 'option logger is null; it must be an object with the methods'],
    [
      { clock: { now: () => 0 } },
      'option clock is an object without arm; it must be an object with the methods now, arm',
    ],
    [{ clock: 5 }, 'option clock is number; it must be an object with the methods now, arm'],
    [{ discovery: ['a@127.0.0.1'] }, 'option discovery is a list; it must be what staticList([…])'],
  ])('startNode %o', async (options, sentence) => {
    await expect(startNode(any(options))).rejects.toThrow(sentence);
  });

  it('startGroups and startGlobalNames', async () => {
    const node = await startNode();
    expect(() => startGroups(node, any({ scop: 'x' }))).toThrow(
      'startGroups has no option "scop"; did you mean "scope"?',
    );
    expect(() => startGlobalNames(node, any({ onConflicts: init }))).toThrow('did you mean "onConflict"?');
    await node.stop();
  });
});

describe('callWith', () => {
  it.each<[unknown]>([['x'], [undefined], [null], [{ timeOut: 5 }], [new Pid(0, 1)]])(
    'refuses %o as options',
    (options) => {
      const wrong = expect.objectContaining({ code: 'SNOW_ERR_BAD_OPTION' });
      expect(() => void callWith(any({}), any(options), 'x', 'y')).toThrow(wrong);
    },
  );
});

describe('a caller that is none', () => {
  const server = defineServer({ name: 'x', init });

  it.each([undefined, null, 'a', {}, 5])('%o is refused, naming what to pass', async (caller) => {
    const wrong = expect.objectContaining({ code: 'SNOW_ERR_BAD_CALLER' });
    expect(() => void call(any(caller), 'x', 'y')).toThrow(wrong);
    await expect(server.start(any(caller))).rejects.toEqual(wrong);
    await expect(server.start(any(caller))).rejects.toThrow(
      'Pass `self` inside of an actor and the node elsewhere',
    );
  });
});

describe('what is no node, where one is needed', () => {
  const cases = [undefined, null, 'node', {}, Promise.resolve()].flatMap((host) => [
    [startGroups, 'startGroups', host] as const,
    [startGlobalNames, 'startGlobalNames', host] as const,
  ]);
  it.each(cases)('%o %s of %o', (start, name, host) => {
    expect(() => start(host as never)).toThrow(
      expect.objectContaining({
        code: 'SNOW_ERR_BAD_OPTION',
        message: expect.stringContaining(`${name} needs the node that startNode resolved to`),
      }),
    );
  });
});
