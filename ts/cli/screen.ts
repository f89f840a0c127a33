// The terminal of this process, for live commands.
import { emitKeypressEvents } from 'node:readline';
import {
  cursorHide,
  cursorShow,
  cursorTo,
  enterAlternativeScreen,
  eraseDown,
  eraseLine,
  exitAlternativeScreen,
  synchronizedOutput,
} from 'ansi-escapes';
import type { OpenScreen, Screen } from './terminal.ts';

/** The part of standard input that is used. */
export interface KeyInput extends NodeJS.ReadableStream {
  readonly isTTY?: boolean;
  setRawMode(isRaw: boolean): unknown;
}

/** The part of standard output that is used. */
export interface Display {
  readonly isTTY?: boolean;
  readonly columns: number;
  readonly rows: number;
  hasColors(): boolean;
  write(text: string): unknown;
  on(event: 'resize', listener: () => void): unknown;
  off(event: 'resize', listener: () => void): unknown;
}

/** The part of the process that is used. */
export interface Host {
  readonly pid: number;
  readonly platform: string;
  kill(pid: number, signal: string): unknown;
  on(event: string, listener: () => void): unknown;
  off(event: string, listener: () => void): unknown;
}

/**
 * The screen of this process; undefined when input or output is not a terminal, or one that cannot place its cursor (TERM=dumb).
 *
 * @param interrupt is called for Ctrl-C, which sends no signal in raw mode, and for SIGHUP while the screen is open.
 */
export function screenOf(
  input: KeyInput,
  output: Display,
  host: Host,
  term: string | undefined,
  interrupt: () => void,
): Screen | undefined {
  if (input.isTTY !== true || output.isTTY !== true || term === 'dumb') return undefined;
  return {
    open: (pressed, changed) => new WholeScreen({ input, output, host, interrupt, pressed, changed }),
  };
}

interface Parts {
  readonly input: KeyInput;
  readonly output: Display;
  readonly host: Host;
  readonly interrupt: () => void;
  readonly pressed: (key: string) => void;
  readonly changed: () => void;
}

/**
 * The other screen of the terminal, without a cursor, its input in raw mode.
 *
 * However the process ends, except by SIGKILL, and whenever it is suspended, the terminal is given back before.
 */
class WholeScreen implements OpenScreen {
  readonly #parts: Parts;
  #isTaken = false;

  constructor(parts: Parts) {
    this.#parts = parts;
    const { input, output, host, changed, interrupt } = parts;
    emitKeypressEvents(input);
    input.on('keypress', this.#onKey);
    output.on('resize', changed);
    host.on('exit', this.#giveBack); // after a crash, too
    host.on('SIGHUP', interrupt);
    host.on('SIGCONT', this.#goOn);
    host.on('SIGTSTP', this.#suspendAlone);
    this.#take();
  }

  get hasColors(): boolean {
    return this.#parts.output.hasColors();
  }

  size(): { columns: number; rows: number } {
    const { columns, rows } = this.#parts.output;
    return { columns: columns || 80, rows: rows || 24 }; // a serial line says 0
  }

  draw(lines: readonly string[]): void {
    if (!this.#isTaken) return;
    // A line is erased before it is written: after its last column the cursor stands on it, and would erase it.
    const text = lines.map((line, row) => `${cursorTo(0, row)}${eraseLine}${line}`);
    if (lines.length < this.size().rows) text.push(`${cursorTo(0, lines.length)}${eraseDown}`);
    this.#parts.output.write(synchronizedOutput(text.join('')));
  }

  close(): void {
    const { input, output, host, changed, interrupt } = this.#parts;
    input.off('keypress', this.#onKey);
    output.off('resize', changed);
    host.off('exit', this.#giveBack);
    host.off('SIGHUP', interrupt);
    host.off('SIGCONT', this.#goOn);
    host.off('SIGTSTP', this.#suspendAlone);
    this.#giveBack();
    input.pause();
  }

  #take(): void {
    const { input, output } = this.#parts;
    input.setRawMode(true);
    input.resume();
    if (!this.#isTaken) output.write(enterAlternativeScreen + cursorHide);
    this.#isTaken = true;
  }

  readonly #giveBack = (): void => {
    if (!this.#isTaken) return;
    const { input, output } = this.#parts;
    this.#isTaken = false;
    output.write(cursorShow + exitAlternativeScreen);
    input.setRawMode(false);
  };

  /** The process goes on after it was suspended; the shell may have changed the terminal's mode meanwhile. */
  readonly #goOn = (): void => {
    this.#parts.input.setRawMode(false); // raw mode is set only where it is not known to be set
    this.#take();
    this.#parts.changed();
  };

  readonly #suspendAlone = (): void => this.#suspend(this.#parts.host.pid);

  /** @param target the process, or 0: its group, with `npx` and whatever else the shell waits for. */
  #suspend(target: number): void {
    const { host } = this.#parts;
    this.#giveBack();
    // With the default action of the signal: `kill` returns when the process goes on, or at once if no shell could continue it.
    host.off('SIGTSTP', this.#suspendAlone);
    host.kill(target, 'SIGTSTP');
    host.on('SIGTSTP', this.#suspendAlone);
    this.#goOn();
  }

  readonly #onKey = (_: unknown, { name, ctrl }: { name?: string; ctrl?: boolean }): void => {
    const { host, interrupt, pressed } = this.#parts;
    if (ctrl === true && name === 'c') interrupt();
    else if (ctrl === true && name === 'z') {
      if (host.platform !== 'win32') this.#suspend(0);
    } else if (name !== undefined) pressed(name);
  };
}
