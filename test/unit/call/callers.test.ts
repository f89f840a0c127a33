// Every function that takes a caller takes an actor's self, a node, and a node's runtime, and refuses anything else by code.
import { beforeEach, describe, expect, it } from 'vitest';
import { type Caller, defineHandler, request, start, stop } from '../../../ts/actor/index.ts';
import { call, callWith, cast, defineServer, multiCall, replyTo } from '../../../ts/behaviour/index.ts';
import {
  childSpec,
  countChildren,
  defineSupervisor,
  deleteChild,
  restartChild,
  startChild,
  terminateChild,
  whichChildren,
} from '../../../ts/supervisor/index.ts';
import { type Pid, Ref } from '../../../ts/term/index.ts';
import { kit, probe } from '../../support/kit.ts';

beforeEach(async () => {
  await top.startWith(kit, { name: 'top' });
  await echo.startWith(kit, { name: 'echo' });
});

const idle = defineHandler('idle', () => ({ onMessage() {} }));
const echo = defineServer({
  name: 'echo',
  init: () => ({}),
  calls: { say: (_context, word: string) => word },
  casts: { hear: () => {} },
});
const top = defineSupervisor({ name: 'top', children: [childSpec('x', idle)] });

const uses: Readonly<Record<string, (caller: Caller) => unknown>> = {
  start: (caller) => start(caller, idle, []),
  'Behaviour.start': (caller) => echo.start(caller),
  'Behaviour.startLink': (caller) => echo.startLink(caller),
  'Behaviour.startWith': (caller) => echo.startWith(caller, {}),
  'Behaviour.tryStart': (caller) => echo.tryStart(caller, {}),
  'SupervisorSpec.start': (caller) => top.start(caller),
  'SupervisorSpec.startWith': (caller) => top.startWith(caller, { link: false }),
  stop: async (caller) => stop(caller, (await kit.probe()).pid as Pid),
  call: (caller) => call(caller, 'echo', 'say', 'hello'),
  callWith: (caller) => callWith(caller, { timeout: 10 }, 'echo', 'say', 'hello'),
  cast: (caller) => cast(caller, 'echo', 'hear'),
  multiCall: (caller) => multiCall(caller, ['echo'], 'say', ['hello']),
  replyTo: (caller) => replyTo(caller, new Ref(0, 0, 1), 'nobody asked'),
  startChild: (caller) => startChild(caller, 'top', childSpec('y', idle)),
  terminateChild: (caller) => terminateChild(caller, 'top', 'x'),
  restartChild: (caller) => restartChild(caller, 'top', 'x'),
  deleteChild: (caller) => deleteChild(caller, 'top', 'x'),
  whichChildren: (caller) => whichChildren(caller, 'top'),
  countChildren: (caller) => countChildren(caller, 'top'),
};

const callers: Readonly<Record<string, () => Caller>> = {
  'an actor': () => probe.self as Caller,
  'a node': () => ({ runtime: kit.runtime }),
  'its runtime': () => kit.runtime,
};
const strangers: Readonly<Record<string, [value: unknown, why: string]>> = {
  nothing: [undefined, ''],
  null: [null, ''],
  'a name': ['echo', ''],
  'an object': [{}, ''],
  'the runtime of another copy': [{ runtime: {} }, 'another copy'],
  'a promise': [Promise.resolve({}), 'did you forget await?'],
};

describe.each(Object.entries(uses))('%s', (_name, use) => {
  it.each(Object.entries(callers))('takes %s as its caller', async (_caller, caller) => {
    const outcome = Promise.resolve(use(caller()));
    await kit.settle();
    await expect(outcome).resolves.not.toThrow();
  });

  it.each(Object.entries(strangers))(
    'SNOW_ERR_BAD_CALLER: refuses %s as its caller',
    async (_what, [value, why]) => {
      const actors = kit.runtime.size;
      const refused = (async () => use(value as Caller))();
      await expect(refused).rejects.toMatchObject({
        code: 'SNOW_ERR_BAD_CALLER',
        message: expect.stringContaining(why),
      });
      await kit.settle();
      expect(kit.runtime.size).toBeLessThanOrEqual(actors + 1); // the probe that is not stopped
    },
  );
});

it.each([
  ['a promise is asked for its await', () => Promise.resolve(probe.pid), 'did you forget await?'],
  [
    'the result of whereis is to be looked at',
    () => kit.runtime.whereis('nobody'),
    'not undefined. A look-up of a name that nobody has',
  ],
  [
    'a definition is to be started',
    () => defineServer({ name: 's', init: () => 0 }),
    'start it and use the PID',
  ],
])('SNOW_ERR_BAD_DEST: %s', (_what, make, words) => {
  const destination = make() as never;
  const refused = expect.objectContaining({
    code: 'SNOW_ERR_BAD_DEST',
    message: expect.stringContaining(words),
  });
  for (const use of [
    () => probe.self.send(destination, 'hello'),
    () => request(probe.self, destination, 'say'),
    () => stop(kit, destination),
    () => cast(kit, destination, 'hear'),
  ])
    expect(use).toThrow(refused);
});
