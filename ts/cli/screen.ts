// The terminal of this process, for live commands.
import { emitKeypressEvents } from 'node:readline';
import type { Screen } from './terminal.ts';

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
}

/**
 * The screen of this process; undefined when input or output is not a terminal.
 *
 * @param interrupt is called for Ctrl-C, which sends no signal in raw mode.
 */
export function screenOf(input: KeyInput, output: Display, interrupt: () => void): Screen | undefined {
  if (input.isTTY !== true || output.isTTY !== true) return undefined;
  return {
    size: () => ({ columns: output.columns, rows: output.rows }),
    keys(pressed) {
      const onKey = (_: unknown, { name, ctrl }: { name?: string; ctrl?: boolean }): void => {
        if (ctrl === true && name === 'c') interrupt();
        else if (name !== undefined) pressed(name);
      };
      emitKeypressEvents(input);
      input.on('keypress', onKey);
      input.setRawMode(true);
      input.resume();
      return () => {
        input.off('keypress', onKey);
        input.setRawMode(false);
        input.pause();
      };
    },
  };
}
