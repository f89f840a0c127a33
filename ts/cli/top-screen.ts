// The screen of `snowmesh top` as a function of its data: no terminal, no clock.
// A namespace import: Node.js 18 lacks styleText, and must reach the message that says which version is needed.
import * as util from 'node:util';
import type { NodeOverview, ProcessInfo, ProcessSummary, TopKey } from '../introspect/index.ts';
import { age, bytes, count, fit, printable, sum, wide } from './text.ts';

/** Everything that the screen shows. */
export interface TopState {
  readonly overview: NodeOverview;
  readonly rows: readonly TopRow[];
  readonly by: TopKey;
  readonly isPaused: boolean;
  /** Row of the cursor. */
  readonly cursor: number;
  /** Shown below the list. */
  readonly info?: ProcessInfo | undefined;
  /** Why the last request failed. */
  readonly problem?: string | undefined;
  /** Share of one processor since the previous sample; undefined in the first. */
  readonly cpu?: number | undefined;
}

export interface TopRow extends ProcessSummary {
  /** The PID as the other node prints it. */
  readonly text: string;
  /** Turns a second since the previous sample; undefined in the first. */
  readonly rate: number | undefined;
}

const INFO_LINES = 6;
const HEAD_LINES = 4;

export interface TopLook {
  readonly columns: number;
  readonly rows: number;
  /** False: a table for a file, without a cursor. */
  readonly isLive: boolean;
  readonly hasColors: boolean;
}

/** The screen, line by line, no line wider than `columns`. */
export function topScreen(state: TopState, { columns, rows, isLive, hasColors }: TopLook): string[] {
  const cut = (text: string): string => fit(text, columns);
  const styled = (style: Style, text: string): string =>
    hasColors ? util.styleText(style, wide(cut(text), style === 'inverse' ? columns : 0), ALWAYS) : cut(text);
  const room = Math.max(1, rows - HEAD_LINES - (state.info === undefined ? 1 : INFO_LINES + 1));
  const first = Math.max(0, Math.min(state.cursor - room + 1, state.rows.length - room));
  const lines = [
    styled('bold', headLine(state)),
    cut(loadLine(state)),
    state.problem === undefined ? '' : styled('red', printable(state.problem)),
    styled('inverse', columnsLine(state.by)),
    ...state.rows
      .slice(first, first + room)
      .map((row, at) =>
        first + at === state.cursor && isLive ? styled('bold', `>${rowLine(row)}`) : cut(` ${rowLine(row)}`),
      ),
  ];
  if (!isLive) return lines.map((line) => line.trimEnd());
  while (lines.length < HEAD_LINES + room) lines.push('');
  if (state.info !== undefined) lines.push(...infoLines(state.info).map(cut));
  lines.push(styled('dim', 'm mailbox  t turns  e memory  ↑ ↓ choose  enter look  space pause  q quit'));
  return lines.slice(0, rows);
}

type Style = 'bold' | 'dim' | 'inverse' | 'red';
/** Whether the terminal has colours is known before. */
const ALWAYS = { validateStream: false };

function headLine({ overview, isPaused }: TopState): string {
  const { node, version, platform, uptimeMs, isStopping } = overview;
  const state = `${isStopping ? ', stopping' : ''}${isPaused ? ' - paused' : ''}`;
  return printable(`${node}  snowmesh ${version}, ${platform}, up ${age(uptimeMs)}${state}`);
}

function loadLine({ overview, cpu }: TopState): string {
  const { actors, peers, stalledPeers, deadLetters, memory, loopDelay } = overview;
  return printable(
    [
      `actors ${actors}`,
      `peers ${peers}${stalledPeers.length === 0 ? '' : ` (${stalledPeers.length} stalled)`}`,
      `lost messages ${sum(deadLetters)}`,
      `rss ${bytes(memory.rss)}`,
      `cpu ${cpu === undefined ? '-' : `${Math.round(cpu * 100)} %`}`,
      `loop p99 ${loopDelay === undefined ? '-' : `${loopDelay.p99} ms`}`,
    ].join('   '),
  );
}

function columnsLine(by: TopKey): string {
  const mark = (key: TopKey, head: string): string => (key === by ? `${head}▼` : head);
  return ` ${'PID'.padEnd(14)}${mark('mailbox', 'MAILBOX').padStart(9)}${mark('turns', 'TURNS').padStart(10)}${'TURNS/S'.padStart(9)}${mark('memory', 'MEMORY').padStart(11)}  ${'STATE'.padEnd(10)}NAME OR LABEL`;
}

function rowLine({ text, mailbox, turns, rate, memory, state, name, label }: TopRow): string {
  const figures = `${count(mailbox).padStart(9)}${count(turns).padStart(10)}${(rate === undefined ? '-' : count(rate)).padStart(9)}${bytes(memory).padStart(11)}`;
  return `${text.padEnd(14)}${figures}  ${state.padEnd(10)}${printable(name === undefined || name === label ? label : `${name} (${label})`)}`;
}

function infoLines(info: ProcessInfo): string[] {
  return [
    '',
    `${printable(info.label)}${info.names.length === 0 ? '' : `, named ${printable(info.names.join(', '))}`}`,
    `  ${info.kind}, ${info.state}${info.idleMs === undefined ? '' : `, took no message for ${age(info.idleMs)}`}`,
    `  last tag ${printable(info.lastTag ?? '-')}, ${info.calls} calls and ${info.timers} timers of its own`,
    `  ${info.linkCount} links, monitors ${info.monitorCount}, monitored by ${info.monitoredByCount}`,
    `  mailbox ${info.mailbox}${info.mailboxLimit === undefined ? '' : ` of ${info.mailboxLimit}`}, about ${bytes(info.memory)}`,
  ];
}
