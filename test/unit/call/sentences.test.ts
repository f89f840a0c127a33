// What a user reads when something fails: the reason is in the sentence, the stack below the line, each fact once.
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CallError, type CallState, consoleLogger, type Self } from '../../../ts/actor/index.ts';
import { call, callWith, cast, defineServer } from '../../../ts/behaviour/index.ts';
import { briefReason, printable } from '../../../ts/kernel/brief-reason.ts';
import { guarded } from '../../../ts/kernel/logger.ts';
import { copyTerm } from '../../../ts/term/index.ts';
import { startTestRuntime, type TestRuntime } from '../../../ts/testing/index.ts';

let kit: TestRuntime;
beforeEach(() => {
  kit = startTestRuntime();
});
afterEach(() => {
  vi.restoreAllMocks();
  return kit.stop();
});

const shop = defineServer({
  name: 'shop',
  init: (_self: Self, stock?: string) => {
    if (stock === 'none') throw new RangeError('no stock');
    return {};
  },
  calls: {
    buy: () => {
      throw new TypeError('sold out');
    },
  },
  casts: {
    close: () => {
      throw new Error('the key is lost');
    },
  },
});

describe('P7 what a log prints in full', () => {
  const long = (parts: number): string => 'x'.repeat(64 * parts); // 64 characters count as one value
  const list = (length: number): number[] => new Array<number>(length).fill(1);
  const named = (name: string): Error => Object.assign(new Error('x'), { name });
  const stacked = (stack: string): Error => Object.defineProperty(new Error('x'), 'stack', { value: stack });
  const fields = (count: number): object => Object.fromEntries(list(count).map((one, at) => [`k${at}`, one]));

  it.each<[string, unknown, unknown]>([
    ['a list', list(999), list(1000)],
    ['lists in a list', [list(400), list(400)], [list(600), list(600)]],
    ['a text', long(999), long(1000)],
    ['texts in a list', [long(100), long(100)], list(20).map(() => long(100))],
    ['bytes', new Uint8Array(1000), new Uint8Array(1001)],
    ['a map', new Map([[1, long(100)]]), new Map([[1, long(1000)]])],
    ['a set', new Set([long(100)]), new Set([long(1000)])],
    ['a large map', new Map(list(100).entries()), new Map(list(1000).entries())],
    ['a large set', new Set(list(900).keys()), new Set(list(1000).keys())],
    ['an object', fields(999), fields(1000)],
    ['names of fields', { [long(100)]: 1 }, { [long(1000)]: 1 }],
    ['an error', new TypeError(long(100)), new TypeError(long(1000))],
    ['a name', named(long(100)), named(long(1000))],
    ['what caused an error', new Error('x', { cause: long(100) }), new Error('x', { cause: [long(1000)] })],
    ['errors at once', new AggregateError([long(100)]), new AggregateError([long(1000)])],
    ['the stack of a peer', { stack: long(100) }, { stack: long(1000) }],
    ['the stack of an error', stacked(long(100)), stacked(long(1000))],
    ['a date', new Date(0), [new Date(0), long(1000)]],
    ['empty values', { a: null, b: undefined, c: true }, { a: null, b: list(1000) }],
  ])('%s has a limit', (_what, small, large) => {
    expect(printable(small)).toBe(small);
    expect(printable(large)).toBeTypeOf('string');
    expect(printable(large)).not.toBe(large);
    expect((printable(large) as string).length).toBeLessThan(2 * 4096);
  });

  it('does not format the stack of a crash', () => {
    const reason = Object.defineProperty({ error: {} }, 'stack', {
      get: () => expect.fail('read'),
      enumerable: true,
    });
    expect(printable(reason)).toBe(reason);
  });
});

describe('an error', () => {
  it('of a call says what the target died of, and each fact once', async () => {
    kit.runtime.logger.error = (facts) => void inspect(facts, { getters: true }); // one that looks at the stack
    const pid = await shop.start(kit);
    const failed = call(kit, pid, 'buy').catch((error: CallError) => error);
    await kit.settle();
    const error = (await failed) as CallError;
    expect(error.message).toMatch(
      /the target ended before it answered \(exit\): TypeError: sold out\. Call again once its supervisor has restarted it\.$/,
    );
    expect(error).toMatchObject({ state: 'exit', tag: 'buy', reason: { error: { message: 'sold out' } } });
    expect(inspect(error).match(/at buy/g)).toHaveLength(1);
    expect(inspect(error).match(/elapsed/g)).toHaveLength(1);
    expect(copyTerm(error)).toMatchObject({
      state: 'exit',
      details: { tag: 'buy' },
      cause: { error: { message: 'sold out' } },
    });
  });

  it.each(['normal', 'shutdown', { shutdown: 'moved' }])(
    'of a call to a server that ends with %o says that it was stopped',
    async (reason) => {
      const server = defineServer({
        name: 'till',
        init: () => ({}),
        calls: { pay: ({ self }) => self.exit(reason) },
      });
      const failed = call(kit, await server.start(kit), 'pay').catch((error: CallError) => error);
      await kit.settle();
      expect(((await failed) as CallError).message).toMatch(
        /\(exit\): .*\. It was stopped: start it, or look up what has its name now, and call that\.$/,
      );
    },
  );

  it.each<[CallState, RegExp]>([
    ['timeout', /the target may still handle it\.$/],
    ['aborted', /the target may still handle it\.$/],
    ['noproc', /look up its PID again\.$/],
    ['exit', /: broken\. Call again once its supervisor has restarted it\.$/],
    ['nodedown', /: no answer came in time\. Call again once `node\.connect` has connected to the node\.$/],
    ['error', /: broken\. Its error and stack are the `reason` of this error\.$/],
    ['calling_self', /call the function behind the handler instead\.$/],
    ['cycle', /let one of them send instead of call\.$/],
    ['overload', /try again later, or raise the limit\.$/],
    [
      'unknown',
      /the target has no handler for this tag \(unknown\): check the tag, or add it to its calls\.$/,
    ],
  ])('of a call with the state %s says what to do', (state, sentence) => {
    const reason = { error: { name: 'Error', message: 'broken' } };
    const detail = state === 'nodedown' ? { detail: 'no answer came in time' } : {};
    const facts = { state, target: '<0.1>', node: undefined, tag: 'buy', elapsed: 1, reason, ...detail };
    const { message } = new CallError(facts);
    expect(message).toMatch(sentence);
  });

  it('of a call on a stopped node says that it was stopped, not that the actor is missing', async () => {
    const pid = await shop.start(kit);
    kit.stop();
    const error = await call(kit, pid, 'buy').catch((caught: unknown) => caught as CallError);
    expect(error).toMatchObject({ state: 'noproc', reason: 'stopped' });
    expect((error as CallError).message).toMatch(
      /: the node of the caller was stopped \(noproc\)\. Call before `stop`, or from another node\.$/,
    );
  });

  it('of a call ends the text of the reason with one full stop', () => {
    const reason = { error: { name: 'Error', message: 'Broken.' } };
    const { message } = new CallError({
      state: 'exit',
      target: '<0.1>',
      node: undefined,
      tag: 'buy',
      elapsed: 1,
      reason,
    });
    expect(message).toMatch(/: Error: Broken\. Call again/);
  });

  it.each([
    ['1s', 'not the string "1s".'],
    [{}, 'not an object.'],
    [Promise.resolve(5), 'not a promise (did you forget await?).'],
    [-5, 'not -5.'],
  ])('of a time of %o says what was given', (ms, end) => {
    expect(() => void callWith(kit, { timeout: ms as number }, 'name', 'tag')).toThrow(end);
  });

  it('of a start says what the init threw', async () => {
    await expect(shop.start(kit, 'none')).rejects.toThrow('shop did not start: RangeError: no stock');
  });
});

describe('a reason in few words', () => {
  it.each([
    ['kill', 'kill'],
    [undefined, 'undefined'],
    [7n, '7'],
    [{ error: { name: 'Error', message: 'x' }, stack: 'long' }, 'Error: x'],
    [{ error: null }, '{"error":null}'],
    [{ error: { name: 5, message: {} } }, 'Error: '],
    [{ shutdown: 'update' }, 'shutdown ("update")'],
    [
      {
        shutdown: {
          failedToStartChild: 'db',
          reason: { error: { name: 'Error', message: 'no db' }, stack: 's' },
        },
      },
      'shutdown (its child "db" did not start: Error: no db)',
    ],
    [
      {
        shutdown: {
          failedToStartChild: 'a',
          reason: { shutdown: { failedToStartChild: 'b', reason: 'unknown_function' } },
        },
      },
      'shutdown (its child "a" did not start: shutdown (its child "b" did not start: ' +
        'the node exposes no spec of that name; call node.expose(spec) there))',
    ],
    [{ shutdown: { failedToStartChild: 5 } }, 'shutdown ({"failedToStartChild":5})'],
    [{ nocatch: undefined, stack: '' }, 'thrown: undefined'],
    [{ nocatch: 5n, stack: 'long' }, 'thrown: "5n"'],
    [{ a: { stack: 'long', b: 1 } }, '{"a":{"b":1}}'],
  ])('$1', (reason, words) => {
    expect(briefReason(reason)).toBe(words);
  });

  // Printing such a bigint takes hours: the test would not end.
  it.each([
    ['a bigint', (huge: bigint) => huge],
    ['one inside', (huge: bigint) => ({ shutdown: [huge] })],
    ['one thrown', (huge: bigint) => ({ nocatch: huge, stack: '' })],
  ])('never prints %s of a million digits', (_, reason) => {
    const huge = 2n ** (2n ** 27n);
    expect(briefReason(reason(huge))).toContain('(more than 32 bytes)');
    expect(JSON.stringify(printable(reason(huge)))).toContain('(more than 32 bytes)');
    const lines: string[] = [];
    const spy = vi.spyOn(console, 'error').mockImplementation((line) => void lines.push(line));
    guarded(consoleLogger).error({ reason: reason(huge) }, 'crash');
    spy.mockRestore();
    expect(lines.join()).toContain('(more than 32 bytes)');
  });

  it('reads no more of a long value than it prints', () => {
    let reads = 0;
    const counted = new Proxy(new Array(1_000_000).fill('x'), {
      get: (list, key) => {
        reads++;
        return Reflect.get(list, key) as unknown;
      },
    });
    expect(briefReason({ shutdown: counted }).length).toBeLessThanOrEqual(300);
    expect(printable({ shutdown: counted })).toBeTypeOf('string');
    expect(reads).toBeLessThan(10_000);
  });

  it('goes to a logger as it is when it is short', () => {
    const reason = { error: { name: 'E', message: 'm' }, more: [1, 2n, new Map([['a', 1]])] };
    expect(printable(reason)).toBe(reason);
  });

  it('is short whatever a peer sends', () => {
    expect(briefReason('x'.repeat(10_000))).toHaveLength(300);
    expect(briefReason({ error: { name: 'E', message: '💥'.repeat(10_000) } }).isWellFormed()).toBe(true);
    let nested: unknown = 'x';
    for (let depth = 0; depth < 100_000; depth++)
      nested = { shutdown: { failedToStartChild: 'x'.repeat(1000), reason: nested } };
    expect(briefReason(nested)).toHaveLength(300);
  });
});

describe('a crash report', () => {
  it('I8 has the tag of a cast, not that it was one', async () => {
    const pid = await shop.start(kit);
    cast(kit, pid, 'close');
    await kit.settle();
    expect(kit.logged('actor_crash')[0]?.facts).toMatchObject({ lastMessage: 'close' });
  });

  it('remembers the sixteen stacks that were printed last', () => {
    const printed: string[] = [];
    vi.spyOn(console, 'error').mockImplementation((text: string) => void printed.push(text));
    const crash = (at: number): boolean => {
      const reason = {
        error: { name: 'Error' },
        stack: `Error: x\n    at kept${at} (/app/worker.js:${at}:1)`,
      };
      consoleLogger.error({ event: 'actor_crash', reason }, 'an actor crashed');
      return printed.at(-1)?.includes(`at kept${at}`) === true;
    };
    const hasStack = Array.from({ length: 17 }, (_, at) => crash(at));
    expect(hasStack).toEqual(new Array<boolean>(17).fill(true));
    expect([crash(16), crash(1), crash(0)]).toEqual([false, false, true]);
    vi.restoreAllMocks();
  });

  it('prints the stack of a crash that repeats once, and then counts', () => {
    const printed: string[] = [];
    vi.spyOn(console, 'error').mockImplementation((text: string) => void printed.push(text));
    for (let round = 1; round <= 14; round++) {
      const stack = `Error: no. ${round}\n    at loop (/app/worker.js:7:1)\n    at run (/app/main.js:1:1)`;
      consoleLogger.error(
        { event: 'actor_crash', reason: { error: { name: 'Error' }, stack } },
        'an actor crashed',
      );
    }
    vi.restoreAllMocks();
    expect(printed.filter((text) => text.includes('\n    at loop'))).toHaveLength(1);
    expect(printed).toHaveLength(14);
    expect(printed.at(-1)).toMatch(/ \(stack as above, 14 times within a minute\)$/);
  });

  it('prints at most 20 lines a second of one stack, with how often it came', () => {
    const printed: string[] = [];
    vi.spyOn(console, 'error').mockImplementation((text: string) => void printed.push(text));
    vi.useFakeTimers({ toFake: ['performance'] });
    const crash = {
      reason: { error: { name: 'Error' }, stack: 'Error: no\n    at storm (/app/worker.js:7:1)' },
    };
    for (let round = 0; round < 1000; round++) consoleLogger.error(crash, 'an actor crashed');
    expect(printed).toHaveLength(20);
    consoleLogger.warn({ of: 'another kind' }, 'is printed all the same');
    expect(printed).toHaveLength(21);
    vi.advanceTimersByTime(1000);
    consoleLogger.error(crash, 'an actor crashed');
    expect(printed.at(-1)).toMatch(/ \(stack as above, 1001 times within a minute\)$/);
    vi.useRealTimers();
  });

  it('counts what else has that stack apart, and prints it also in the second of a storm', () => {
    const printed: string[] = [];
    vi.spyOn(console, 'error').mockImplementation((text: string) => void printed.push(text));
    vi.useFakeTimers({ toFake: ['performance'] });
    const reason = { error: { name: 'Error' }, stack: 'Error: no\n    at again (/app/worker.js:8:1)' };
    for (let round = 0; round < 1000; round++)
      consoleLogger.error({ event: 'actor_crash', reason }, 'an actor crashed');
    for (let round = 0; round < 2; round++)
      consoleLogger.warn({ event: 'child_start_error', reason }, 'a child failed to restart');
    consoleLogger.error({ event: 'supervisor_shutdown', reason }, 'a supervisor ends');
    vi.useRealTimers();
    expect(printed.slice(20)).toEqual([
      expect.stringMatching(/a child failed .* \(stack as above\)$/),
      expect.stringMatching(/a child failed .* \(stack as above, 2 times within a minute\)$/),
      expect.stringMatching(/a supervisor ends .* \(stack as above\)$/),
    ]);
  });

  it('has what an error says, its cause, and its stack', () => {
    const printed: string[] = [];
    vi.spyOn(console, 'error').mockImplementation((text: string) => void printed.push(text));
    const err = Object.assign(new RangeError('no stock', { cause: new Error('empty') }), { code: 'E_STOCK' });
    consoleLogger.error({ event: 'callback_failed', err }, 'a callback failed');
    const [line, ...stack] = (printed[0] as string).split('\n');
    expect(line).toBe(
      'snowmesh error: a callback failed {"event":"callback_failed","err":{"name":"RangeError","message":"no stock",' +
        '"cause":{"name":"Error","message":"empty"},"code":"E_STOCK"}}',
    );
    expect(stack.join()).toContain('sentences.test.ts');
  });

  it('says what was thrown, also when that is undefined', async () => {
    const lines: string[] = [];
    vi.spyOn(console, 'error').mockImplementation((line) => void lines.push(line));
    kit.runtime.logger.error = consoleLogger.error;
    kit.runtime.spawn(async () => Promise.reject());
    await kit.settle();
    expect(lines.join()).toContain('"reason":{"nocatch":undefined}');
  });

  it('is one line with the stack below, free of control characters', () => {
    const lines: string[] = [];
    vi.spyOn(console, 'error').mockImplementation((text: string) => lines.push(...text.split('\n')));
    const stack = 'Error: x\u001B[2J\n    at buy (/app/shop.js:3:1)';
    consoleLogger.error(
      { event: 'actor_crash', reason: { error: { name: 'Error' }, stack } },
      'an actor crashed',
    );
    expect(lines).toEqual([
      'snowmesh error: an actor crashed {"event":"actor_crash","reason":{"error":{"name":"Error"}}}',
      '    Error: x [2J',
      '    at buy (/app/shop.js:3:1)',
    ]);
    consoleLogger.warn({ reason: null }, 'nothing');
    expect(lines.at(-1)).toBe('snowmesh warn: nothing {"reason":null}');
  });
});
