// `snowmesh top` on a terminal that a test plays: keys go in as bytes, what is drawn comes out as text.
import { getEventListeners } from 'node:events';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCommand } from '../../../ts/cli/index.ts';
import { screenOf } from '../../../ts/cli/screen.ts';
import { type Node, silentLogger, startNode } from '../../../ts/index.ts';
import { until } from '../../support/deadline.ts';

const COOKIE = 'only for tests: 0123456789';
const KEYS = { down: '\u001B[B', up: '\u001B[A', enter: '\r', escape: '\u001B', interrupt: '\u0003' };

/** A keyboard and a display. */
function terminal(size = { columns: 100, rows: 20 }) {
  const raw: boolean[] = [];
  const input = Object.assign(new PassThrough(), {
    isTTY: true,
    setRawMode: (isRaw: boolean) => void raw.push(isRaw),
  });
  const ending = new AbortController();
  let text = '';
  const screen = screenOf(input, { isTTY: true, ...size }, () => ending.abort());
  return {
    raw,
    input,
    press: (keys: string) => void input.write(keys),
    /** Everything that was drawn. */
    text: () => text,
    /** The last picture, without control sequences. */
    picture: () =>
      // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what is taken away
      (text.split('\u001B[H').at(-1) ?? '').replace(/\u001B\[[\d;?]*[a-zA-Z]/g, ''),
    environment: {
      out: (more: string) => void (text += more),
      err: (more: string) => void (text += more),
      signal: ending.signal,
      env: { SNOWMESH_COOKIE: COOKIE },
      screen,
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
  ] as const) {
    // biome-ignore format: a table
    const named = {
      [label]: async (self: { receive(match: (message: unknown) => boolean): Promise<unknown> }) =>
        void (await self.receive((message) => message === 'never')),
    };
    const pid = node.spawn(named[label] as never);
    for (let left = waiting; left > 0; left--) node.send(pid as never, 'x' as never);
  }
});
afterEach(() => node.stop());

describe('top, live', () => {
  it('sorts, moves, looks at an actor, pauses and quits by its keys, and gives the terminal back', async () => {
    const { environment, press, picture, text, raw, input } = terminal();
    const over = runCommand(['top', '--node', node.name, '--every', '100'], environment);
    const shown = (what: string | RegExp): Promise<unknown> =>
      until(String(what), () => picture().search(what) >= 0);
    await shown(/MAILBOX▼/);
    await shown(/^>.*clerk/m);
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
    press('q');
    expect(await over).toBe(0);
    expect(raw).toEqual([true, false]);
    expect(input.listenerCount('keypress')).toBe(0);
    expect(text()).toContain('\u001B[?1049h\u001B[?25l');
    expect(text().endsWith('\u001B[?25h\u001B[?1049l')).toBe(true);
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

  it('says what is wrong, and keeps what it knew, when the node is gone', async () => {
    const { environment, press, picture } = terminal();
    const over = runCommand(['top', '--node', node.name, '--every', '100'], environment);
    await until('a picture', () => picture().includes('clerk'));
    await node.stop();
    await until('the problem', () => /did not answer/.test(picture()));
    expect(picture()).toContain('clerk');
    press('q');
    expect(await over).toBe(0);
  });

  it('as lines of JSON goes on until it is told to end, and leaves nothing behind with each line', async () => {
    const { environment, press, text } = terminal();
    environment.screen?.keys(() => {}); // so that Ctrl-C is heard
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

  it('is no live command without a terminal', async () => {
    expect(screenOf(new PassThrough() as never, { columns: 1, rows: 1 }, () => {})).toBeUndefined();
    const { environment, text } = terminal();
    expect(await runCommand(['top', '--node', node.name], { ...environment, screen: undefined })).toBe(2);
    expect(text()).toContain('use --once or --json');
  });
});
