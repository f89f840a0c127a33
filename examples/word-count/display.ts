// Progress for people: redrawn in place on a terminal, plain lines elsewhere.
import type { WriteStream } from 'node:tty';
import type { Progress } from './orders.ts';

/** What is shown for one node. */
interface Row {
  readonly name: string;
  progress: Progress;
}

const BAR = 24;
/** Between two redraws, and between two plain lines. Unit: ms. */
const REDRAW_MS = 100;
const LINE_MS = 1_000;

export class Display {
  private readonly out: WriteStream;
  private readonly total: number;
  private rows: readonly Row[] = [];
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
    this.rows = names.map((name) => ({ name, progress: { words: 0, different: 0, bytesRead: 0 } }));
    this.started = performance.now();
    this.last = this.started;
  }

  /** What one node has done so far. Shown unless something was shown only just now. */
  update(at: number, progress: Progress): void {
    const row = this.rows[at];
    if (
      row === undefined ||
      row.progress.words + row.progress.bytesRead === progress.words + progress.bytesRead
    )
      return;
    row.progress = progress;
    const pause = this.out.isTTY ? REDRAW_MS : LINE_MS;
    if (performance.now() - this.last >= pause) this.show();
  }

  /** Shows what every node has done in the end. */
  finish(progress: readonly Progress[]): void {
    for (const [at, row] of this.rows.entries()) row.progress = progress[at] ?? row.progress;
    this.show();
    this.rows = [];
  }

  private show(): void {
    this.last = performance.now();
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
    const each = rows.map(({ name, progress }) => `${name.split('@')[0]} ${amount(progress.words)}`);
    this.out.write(`${this.summary(rows)}  (${each.join(', ')})\n`);
  }

  private summary(rows: readonly Row[]): string {
    const bytes = rows.reduce((sum, { progress }) => sum + progress.bytesRead, 0);
    const words = wordsOf(rows);
    const seconds = (performance.now() - this.started) / 1000;
    const percent = this.total === 0 ? 100 : Math.floor((100 * bytes) / this.total);
    return `${String(percent).padStart(3)} %  ${size(bytes)} of ${size(this.total)}  ${amount(words)} words in ${seconds.toFixed(1)} s`;
  }
}

function describe({ name, progress }: Row, rows: readonly Row[]): string {
  const most = Math.max(1, ...rows.map((row) => row.progress.words));
  const filled = Math.round((BAR * progress.words) / most);
  const bar = '█'.repeat(filled) + '·'.repeat(BAR - filled);
  const { words, different } = progress;
  return `${name.padEnd(24)} ${bar} ${amount(words)} words, ${amount(different)} different`;
}

function wordsOf(rows: readonly Row[]): number {
  return rows.reduce((sum, { progress }) => sum + progress.words, 0);
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
