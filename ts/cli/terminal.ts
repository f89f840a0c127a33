/** Input, output and environment of a command. */
export interface Terminal {
  out(text: string): void;
  err(text: string): void;
  /** Aborts when the command must end: Ctrl-C, SIGTERM. Until it is read for the first time, such a signal ends the process. */
  readonly signal: AbortSignal;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The screen for live commands; undefined: standard input or output is not a terminal that can be drawn on. */
  readonly screen?: Screen | undefined;
}

/** A terminal with a keyboard. */
export interface Screen {
  /**
   * Takes the whole terminal, and remembers what it showed before.
   *
   * @param pressed is called for each key, with its name in node:readline.
   * @param changed is called when everything has to be drawn again: the size is another one, or the process was suspended.
   */
  open(pressed: (key: string) => void, changed: () => void): OpenScreen;
}

export interface OpenScreen {
  /** False: the user wants no colours (NO_COLOR), or the terminal has none. */
  readonly hasColors: boolean;
  size(): { readonly columns: number; readonly rows: number };
  /** @param lines no longer than the screen is wide, and no more than it has rows. */
  draw(lines: readonly string[]): void;
  /** Gives the terminal back as it was. */
  close(): void;
}
