// Progress for people: redrawn in place on a terminal, plain lines elsewhere.
import type { WriteStream } from 'node:tty';
import type { Progress } from './orders.ts';

/** What is shown for one node. */
interface Row {
  readonly name: string;
  words: number;
  isLost: boolean;
}

const BAR = 24;
/** Between two redraws, and between two plain lines. Unit: ms. */
const REDRAW_MS = 100;
const LINE_MS = 1_000;

export class Display {
  private readonly out: WriteStream;
  private readonly total: number;
  private rows: readonly Row[] = [];
  private bytes = 0;
  private started = 0;
  private drawn = 0;
  private last = 0;

  /** `total`: bytes to read. */
  constructor(out: WriteStream, total: number) {
    this.out = out;
    this.total = total;
  }

  /** The work begins on these nodes; updates before are not shown. */
  start(names: readonly string[]): void {
    this.rows = names.map((name) => ({ name, words: 0, isLost: false }));
    this.started = performance.now();
    this.last = this.started;
  }

  /** How far the work has come. Shown unless something was shown only just now. */
  update({ bytesRead, words }: Progress): void {
    this.bytes = bytesRead;
    const wordsOf = new Map(words);
    for (const row of this.rows) row.words = wordsOf.get(row.name) ?? 0;
    const pause = this.out.isTTY ? REDRAW_MS : LINE_MS;
    if (performance.now() - this.last >= pause) this.show();
  }

  /** That node is gone. */
  lose(name: string): void {
    const row = this.rows.find((each) => each.name === name);
    if (row !== undefined) row.isLost = true;
  }

  /** Says something while the work goes on. */
  note(line: string): void {
    if (this.drawn > 0) this.out.write(`\x1b[${this.drawn}A\x1b[0J`);
    this.drawn = 0;
    this.out.write(`${line}\n`);
  }

  /** Shows how far every node has come in the end. */
  finish(): void {
    this.show();
    this.rows = [];
    this.drawn = 0;
  }

  private show(): void {
    this.last = performance.now();
    if (this.rows.length === 0) return;
    if (this.out.isTTY) this.redraw(this.rows);
    else this.print(this.rows);
  }

  private redraw(rows: readonly Row[]): void {
    const back = this.drawn > 0 ? `\x1b[${this.drawn}A` : '';
    const width = Math.max(20, (this.out.columns || 80) - 1);
    const lines = [this.summary(rows), ...rows.map((row) => `  ${describe(row, rows)}`)];
    this.out.write(`${back}${lines.map((line) => `\x1b[2K${line.slice(0, width)}\n`).join('')}`);
    this.drawn = lines.length;
  }

  private print(rows: readonly Row[]): void {
    const each = rows.map(({ name, words }) => `${name.split('@')[0]} ${amount(words)}`);
    this.out.write(`${this.summary(rows)}  (${each.join(', ')})\n`);
  }

  private summary(rows: readonly Row[]): string {
    const words = rows.reduce((sum, row) => sum + row.words, 0);
    const seconds = (performance.now() - this.started) / 1000;
    const percent = this.total === 0 ? 100 : Math.floor((100 * this.bytes) / this.total);
    return `${String(percent).padStart(3)} %  ${size(this.bytes)} of ${size(this.total)}  ${amount(words)} words in ${seconds.toFixed(1)} s`;
  }
}

function describe({ name, words, isLost }: Row, rows: readonly Row[]): string {
  const most = Math.max(1, ...rows.map((row) => row.words));
  const filled = Math.round((BAR * words) / most);
  const bar = '█'.repeat(filled) + '·'.repeat(BAR - filled);
  return `${name.padEnd(24)} ${bar} ${amount(words)} words${isLost ? ', lost' : ''}`;
}

/** `12 345 678`: groups of three, the same on every machine. */
export function amount(count: number): string {
  return String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, ' ');
}

/** Bytes in the unit that suits. */
export function size(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return unit === 0 ? `${bytes} ${bytes === 1 ? 'byte' : 'bytes'}` : `${value.toFixed(1)} ${units[unit]}`;
}
