// `snowmesh top` on a terminal that a test plays: keys go in as bytes, and what is drawn is looked at in an emulator.
import { EventEmitter, getEventListeners } from 'node:events';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCommand } from '../../../ts/cli/index.ts';
import { screenOf } from '../../../ts/cli/screen.ts';
import { type Node, silentLogger, startNode } from '../../../ts/index.ts';
import { until } from '../../support/deadline.ts';
import { Emulator } from '../../support/emulator.ts';

const COOKIE = 'only for tests: 0123456789';
const KEYS = {
  down: '\u001B[B',
  up: '\u001B[A',
  enter: '\r',
  escape: '\u001B',
  interrupt: '\u0003',
  suspend: '\u001A',
};

/** A keyboard, a display and the process that has them. */
function terminal({ columns = 100, rows = 20, term = 'xterm', hasColors = true, platform = 'linux' } = {}) {
  const raw: boolean[] = [];
  const input = Object.assign(new PassThrough(), {
    isTTY: true,
    setRawMode: (isRaw: boolean) => void raw.push(isRaw),
  });
  const emulator = new Emulator(columns, rows);
  const write = (text: string): void => emulator.write(text);
  const output = Object.assign(new EventEmitter(), {
    isTTY: true,
    ...{ columns, rows, write },
    hasColors: () => hasColors,
  });
  const kills: unknown[] = [];
  const host = Object.assign(new EventEmitter(), {
    ...{ pid: 4711, platform },
    kill(pid: number, signal: string) {
      kills.push({ pid, signal, isRaw: raw.at(-1), isTaken: !emulator.text.endsWith('\u001B[?1049l') });
      // The default action: nobody may catch it.
      expect(host.listenerCount(signal)).toBe(0);
    },
  });
  const ending = new AbortController();
  return {
    ...{ raw, input, output, host, kills, emulator },
    press: (keys: string) => void input.write(keys),
    picture: () => emulator.picture(),
    environment: {
      out: write,
      err: write,
      signal: ending.signal,
      env: { SNOWMESH_COOKIE: COOKIE },
      screen: screenOf(input, output, host, term, () => ending.abort()),
    },
  };
}

let node: Node;
beforeEach(async () => {
  node = await startNode({ name: 'shop@127.0.0.1:0', cookie: COOKIE, logger: silentLogger });
  for (const [label, waiting] of [
    ['clerk', 3],
    ['till', 2],
    ['boss', 1],
  ] as const)
    wait(label, waiting);
});
afterEach(() => node.stop());

/** Spawns an actor with so many messages in its mailbox. */
function wait(label: string, waiting: number): void {
  // biome-ignore format: a table
  const named = {
    [label]: async (self: { receive(match: (message: unknown) => boolean): Promise<unknown> }) =>
      void (await self.receive((message) => message === 'never')),
  };
  const pid = node.spawn(named[label] as never);
  for (let left = waiting; left > 0; left--) node.send(pid as never, 'x' as never);
}

/** Runs `top` until `test` has returned, then quits it. */
async function inTop(
  played: ReturnType<typeof terminal>,
  test: () => Promise<void>,
  every = '3600000',
): Promise<void> {
  const over = runCommand(['top', '--node', node.name, '--every', every], played.environment);
  await until('a picture', () => played.picture().includes('clerk'));
  await test();
  played.press('q');
  expect(await over).toBe(0);
  await until('the screen from before', () => !played.emulator.isTaken);
}

describe('top, live', () => {
  it('sorts, moves, looks at an actor, pauses and quits by its keys, and gives the terminal back', async () => {
    const played = terminal();
    const { press, picture, emulator, raw, input, output, host } = played;
    emulator.write('$ snowmesh top');
    const shown = (what: string | RegExp): Promise<unknown> =>
      until(String(what), () => picture().search(what) >= 0);
    const test = async (): Promise<void> => {
      await shown(/MAILBOX▼/);
      await shown(/^>.*clerk/m);
      expect([emulator.isTaken, emulator.showsCursor]).toEqual([true, false]);
      press(KEYS.down);
      await shown(/^>.*till/m);
      press(KEYS.down.repeat(50)); // it stays on the last one
      await shown(/^>.*boss/m);
      press(KEYS.up);
      await shown(/^>.*till/m);
      press(KEYS.enter);
      await shown(/mailbox 2, about/);
      press(KEYS.enter);
      await until('no actor', () => !picture().includes('mailbox 2, about'));
      press('t');
      await shown(/TURNS▼/);
      press('e');
      await shown(/MEMORY▼/);
      press('m');
      await shown(/MAILBOX▼/);
      press(' ');
      await shown(/ - paused/);
      press(' ');
      await until('go on', () => !picture().includes('paused'));
      press('x?\t'); // not keys of it
    };
    await inTop(played, test, '100');
    expect(raw).toEqual([true, false]);
    expect(input.listenerCount('keypress')).toBe(0);
    expect([...output.eventNames(), ...host.eventNames()]).toEqual([]);
    expect(emulator.showsCursor).toBe(true);
    expect(picture().trimEnd()).toBe('$ snowmesh top');
  });

  it.each([
    ['escape', KEYS.escape],
    ['Ctrl-C', KEYS.interrupt],
  ])('ends with %s, also while it waits for its next look', async (_, key) => {
    const { environment, press, picture, raw } = terminal();
    const over = runCommand(['top', '--node', node.name, '--every', '3600000'], environment);
    await until('a picture', () => picture().includes('clerk'));
    press(key);
    expect(await over).toBe(0);
    expect(raw).toEqual([true, false]);
  });

  it('ends when its terminal goes away', async () => {
    const { environment, host, picture } = terminal();
    const over = runCommand(['top', '--node', node.name, '--every', '3600000'], environment);
    await until('a picture', () => picture().includes('clerk'));
    host.emit('SIGHUP');
    expect(await over).toBe(0);
  });

  it('says what is wrong, and keeps what it knew, when the node is gone', async () => {
    const played = terminal();
    const test = async (): Promise<void> => {
      await node.stop();
      await until('the problem', () => /did not answer/.test(played.picture()));
      expect(played.picture()).toContain('clerk');
    };
    await inTop(played, test, '100');
  });

  it('draws itself anew at once when its terminal gets another size', async () => {
    const played = terminal();
    const { output, emulator } = played;
    await inTop(played, async () => {
      for (const [columns, rows] of [
        [40, 8],
        [120, 30],
      ] as const) {
        emulator.resize(columns, rows);
        Object.assign(output, { columns, rows }).emit('resize');
        await until(
          'keys in the last line',
          () => emulator.lines()[rows - 1]?.startsWith('m mailbox') === true,
        );
        expect(emulator.hasWrapped()).toBe(false);
      }
    });
  });

  it('fills the last column, too', async () => {
    const played = terminal({ columns: 75 });
    wait('x'.repeat(80), 9);
    await inTop(played, async () => {
      const line = played.emulator.lines().find((each) => each.includes('xx')) ?? '';
      expect([line.length, line.at(-1)]).toEqual([75, '…']);
      expect(played.emulator.hasWrapped()).toBe(false);
    });
  });

  it('keeps lines on their lines and columns in their columns with names in wide characters', async () => {
    const played = terminal({ columns: 80, rows: 12 });
    const { emulator } = played;
    for (const label of ['收银台'.repeat(9), '🚀'.repeat(30), 'ｔｉｌｌ'.repeat(9)]) wait(label, 9);
    await inTop(played, async () => {
      expect(emulator.hasWrapped()).toBe(false);
      const rows = emulator.lines().slice(4, 7);
      expect(rows.map((line) => line.at(-1))).toEqual(['…', '…', '…']);
      const column = emulator.columnOf('NAME');
      for (const label of ['收银台', '🚀', 'ｔｉｌｌ', 'clerk', 'boss'])
        expect([label, emulator.columnOf(label)]).toEqual([label, column]);
    });
  });

  it('uses no colours and styles where the user or the terminal wants none', async () => {
    const played = terminal({ hasColors: false });
    await inTop(played, async () => {
      expect(played.picture()).toMatch(/^>.*clerk/m);
    });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what is looked for
    expect(played.emulator.text).not.toMatch(/\u001B\[\d*m/);
  });
});

describe('top that is suspended', () => {
  it('by Ctrl-Z gives the terminal back before, and takes and draws it again afterwards', async () => {
    const played = terminal();
    const { press, kills, raw, emulator } = played;
    await inTop(played, async () => {
      press(KEYS.suspend);
      await until('a stop', () => kills.length > 0);
      // The group: `npx` has to stop, too, or the shell would wait for it.
      expect(kills).toEqual([{ pid: 0, signal: 'SIGTSTP', isRaw: false, isTaken: false }]);
      await until('the screen again', () => emulator.isTaken && played.picture().includes('clerk'));
      expect(raw.at(-1)).toBe(true);
    });
    expect(raw.at(-1)).toBe(false);
  });

  it('by a signal stops itself alone', async () => {
    const played = terminal();
    await inTop(played, async () => {
      played.host.emit('SIGTSTP');
      expect(played.kills).toEqual([{ pid: 4711, signal: 'SIGTSTP', isRaw: false, isTaken: false }]);
      expect(played.raw.at(-1)).toBe(true);
      played.host.emit('SIGTSTP'); // again
      expect(played.kills).toHaveLength(2);
    });
  });

  it('by a signal that nobody can catch sets the mode of the terminal again and draws all', async () => {
    const played = terminal();
    await inTop(played, async () => {
      const { emulator, host, raw } = played;
      emulator.write('\u001B[2J$ fg'); // the shell
      await until('the shell', () => !played.picture().includes('clerk'));
      raw.length = 0;
      host.emit('SIGCONT');
      expect(raw).toEqual([false, true]); // the mode that Node.js knows is not the one that the shell has set
      await until('a picture', () => played.picture().includes('clerk'));
      expect(played.picture()).not.toContain('$ fg');
      expect(emulator.text.split('\u001B[?1049h')).toHaveLength(2); // taken once
    });
  });

  it('is not on Windows, which has no such signal', async () => {
    const played = terminal({ platform: 'win32' });
    await inTop(played, async () => {
      played.press(`${KEYS.suspend}t`);
      await until('the key after it', () => played.picture().includes('TURNS▼'));
      expect(played.kills).toEqual([]);
    });
  });

  it('and a process that crashes gives the terminal back at its end, once', async () => {
    const played = terminal();
    await inTop(played, async () => {
      played.host.emit('exit');
      played.host.emit('exit');
      await until('the screen from before', () => !played.emulator.isTaken);
      expect(played.raw).toEqual([true, false]);
      expect(played.emulator.showsCursor).toBe(true);
    });
    expect(played.emulator.text.split('\u001B[?1049l')).toHaveLength(2);
  });
});

describe('top without a screen', () => {
  it('as lines of JSON goes on until it is told to end, and leaves nothing behind with each line', async () => {
    const { environment, press, emulator } = terminal();
    const text = (): string => emulator.text.replace(/^.*\u001B\[\?25l/s, '');
    environment.screen?.open(
      () => {},
      () => {},
    ); // so that Ctrl-C is heard
    const line = ['top', '--node', node.name, '--every', '100', '--json'];
    const over = runCommand(line, environment);
    await until('five lines', () => text().split('\n').length > 5);
    const { length } = getEventListeners(environment.signal, 'abort');
    await until('ten lines', () => text().split('\n').length > 10);
    expect(getEventListeners(environment.signal, 'abort').length).toBeLessThanOrEqual(Math.max(1, length));
    press(KEYS.interrupt);
    expect(await over).toBe(0);
    expect(JSON.parse(text().split('\n')[0] ?? '')).toMatchObject({
      overview: { node: node.name },
      actors: [{ mailbox: 3 }, {}, {}],
    });
  });

  it('is no live command', async () => {
    const { environment, input, output, host, emulator } = terminal();
    const none = (): void => {};
    expect(screenOf(new PassThrough() as never, output, host, 'xterm', none)).toBeUndefined();
    expect(screenOf(input, output, host, 'dumb', none)).toBeUndefined();
    expect(screenOf(input, Object.assign(output, { isTTY: false }), host, 'xterm', none)).toBeUndefined();
    expect(await runCommand(['top', '--node', node.name], { ...environment, screen: undefined })).toBe(2);
    expect(emulator.text).toContain('use --once or --json');
  });
});
