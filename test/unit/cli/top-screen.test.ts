import stringWidth from 'string-width';
import { describe, expect, it } from 'vitest';
import { type TopLook, type TopRow, type TopState, topScreen } from '../../../ts/cli/top-screen.ts';
import { Pid } from '../../../ts/term/index.ts';

const overview = {
  node: 'shop@127.0.0.1:9000',
  hidden: false,
  version: '0.1.0',
  platform: 'node v22.0.0',
  osPid: 1,
  uptimeMs: 3_700_000,
  clock: 0,
  isStopping: false,
  actors: 10_000,
  supervisors: 3,
  names: 2,
  deadLetters: { noproc: 2, unread: 1 },
  crashes: 0,
  loopDelay: { mean: 0.1, p99: 12, max: 30 },
  memory: { rss: 64 * 1024 ** 2, heapUsed: 1, heapTotal: 1 },
  cpuMs: 0,
  peers: 4,
  stalledPeers: ['store@127.0.0.1:9001'],
} satisfies TopState['overview'];

const row = (local: number, more: Partial<TopRow> = {}): TopRow => ({
  pid: new Pid(0, local),
  text: `<0.${local}>`,
  label: 'clerk',
  name: undefined,
  parent: new Pid(0, 0),
  state: 'idle',
  mailbox: local,
  turns: 1_234_567,
  rate: undefined,
  memory: 2048,
  ...more,
});

const state = (more: Partial<TopState> = {}): TopState => ({
  overview,
  rows: [row(3, { name: 'till', rate: 1500 }), row(2), row(1)],
  by: 'mailbox',
  isPaused: false,
  cursor: 0,
  ...more,
});

const live = (columns: number, rows: number): TopLook => ({ columns, rows, isLive: true, hasColors: true });
const table = (columns: number, rows: number): TopLook => ({
  columns,
  rows,
  isLive: false,
  hasColors: false,
});

describe('the screen of top', () => {
  it('shows the node, its load and its actors', () => {
    const lines = topScreen(state({ cpu: 0.425 }), table(120, 20));
    expect(lines[0]).toBe('shop@127.0.0.1:9000  snowmesh 0.1.0, node v22.0.0, up 1 h 1 min');
    expect(lines[1]).toBe(
      'actors 10000   peers 4 (1 stalled)   lost messages 3   rss 64.0 MiB   cpu 43 %   loop p99 12 ms',
    );
    expect(lines[3]).toContain('MAILBOX▼');
    expect(lines[4]).toBe(' <0.3>                 3      1.2M     1500    2.0 KiB  idle      till (clerk)');
    expect(lines).toHaveLength(7);
  });

  it('fits any terminal', () => {
    const rows = Array.from({ length: 100 }, (_, at) => row(at));
    for (const look of [live(20, 3), live(80, 24), live(300, 200)]) {
      const lines = topScreen(state({ rows, problem: 'x'.repeat(500) }), look);
      expect(lines.length).toBeLessThanOrEqual(look.rows);
      for (const line of lines) expect(stringWidth(line)).toBeLessThanOrEqual(look.columns);
    }
  });

  it('follows the cursor down a long list', () => {
    const rows = Array.from({ length: 100 }, (_, at) => row(at));
    const at = (cursor: number) => topScreen(state({ rows, cursor }), live(100, 12)).join('\n');
    expect(at(0)).toContain('<0.0>');
    expect(at(99)).toContain('><0.99>');
    expect(at(99)).not.toContain('<0.0>');
  });

  it('shows the actor that was chosen, and what is wrong', () => {
    const info = {
      ...row(3),
      kind: 'handler',
      names: ['till'],
      trapsExits: false,
      links: [],
      linkCount: 2,
      monitors: [],
      monitorCount: 0,
      monitoredBy: [],
      monitoredByCount: 1,
      mailboxLimit: 50,
      lastTag: 'pay',
      calls: 1,
      timers: 4,
      ancestors: [],
      idleMs: 61_000,
    } as const;
    const text = topScreen(state({ info, problem: 'no answer' }), live(100, 30)).join('\n');
    expect(text).toContain('last tag pay, 1 calls and 4 timers');
    expect(text).toContain('took no message for 1 min 1 s');
    expect(text).toContain('mailbox 3 of 50');
    expect(text).toContain('no answer');
  });

  it.each([
    ['a control sequence', '\u001B[31mred\u0007'],
    ['a line break', 'one\ntwo\u2028three'],
    ['another direction of writing', 'one\u202Etwo'],
  ])('lets %s of a label not reach the terminal', (_, label) => {
    const text = topScreen(state({ rows: [row(1, { label })] }), table(100, 10));
    expect(text.join('')).not.toMatch(/[\p{Cc}\p{Zl}\p{Bidi_Control}]/u);
  });

  it('has no styles where there are no colours', () => {
    const look = { ...live(100, 10), hasColors: false };
    const text = topScreen(state({ problem: 'no answer' }), look).join('\n');
    expect(text).not.toContain('\u001B');
    expect(text).toContain('\n><0.3>');
  });

  it.each([
    ['Chinese', '收银台'.repeat(20)],
    ['emoji', '👩‍👩‍👧🚀'.repeat(20)],
    ['combining characters', 'e\u0301'.repeat(70)],
  ])('cuts a label in %s at the width of the terminal, never within a character', (_, label) => {
    for (let columns = 70; columns < 76; columns++) {
      const [line = ''] = topScreen(state({ rows: [row(1, { label })] }), table(columns, 10)).slice(4);
      expect(line.endsWith('…')).toBe(true);
      expect(columns - stringWidth(line)).toBeLessThan(2);
      const kept = line.slice(line.indexOf('idle') + 'idle      '.length, -1);
      const segments = [...new Intl.Segmenter('en').segment(label)].map(({ segment }) => segment);
      expect(segments.slice(0, [...new Intl.Segmenter('en').segment(kept)].length).join('')).toBe(kept);
    }
  });
});
